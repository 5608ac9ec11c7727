using System.Runtime.InteropServices;
using AiOptix.Tensors;

namespace AiOptix.Codecs;

/// <summary>JPEG by libjpeg-turbo's own interface, which gives error codes where libjpeg would jump.</summary>
internal static unsafe class TurboJpeg
{
    private const int Rgb = 0, Cmyk = 3;
    private static readonly NativeCodec library = new("JPEG", "libturbojpeg.so.0", "libturbojpeg.0.dylib", "turbojpeg.dll");

    public static bool IsInstalled => library.IsInstalled;

    public static Tensor Read(ReadOnlySpan<byte> file, Limits limits)
    {
        var open = (delegate* unmanaged<nint>)library.Function("tjInitDecompress");
        var header = (delegate* unmanaged<nint, byte*, CULong, int*, int*, int*, int*, int>)library.Function("tjDecompressHeader3");
        var decompress = (delegate* unmanaged<nint, byte*, CULong, byte*, int, int, int, int, int, int>)library.Function("tjDecompress2");
        var close = (delegate* unmanaged<nint, int>)library.Function("tjDestroy");
        var handle = open();
        if (handle == 0) throw new LimitExceededException("libturbojpeg could not be started: there is no memory for it");
        try
        {
            int width, height, subsampling, colours;
            fixed (byte* bytes = file)
            {
                if (header(handle, bytes, new((nuint)file.Length), &width, &height, &subsampling, &colours) != 0 && IsBad(handle)) throw ImageFile.Damaged("JPEG");
                if (colours >= Cmyk) throw new InvalidInputException("a JPEG image of 4 components is not supported; convert it to RGB");
                var result = ImageFile.Allocate(width, height, limits);
                if (decompress(handle, bytes, new((nuint)file.Length), result.Pointer, width, 0, height, Rgb, 0) == 0 || !IsBad(handle)) return result;
                result.Dispose();
                throw ImageFile.Damaged("JPEG");
            }
        }
        finally
        {
            _ = close(handle);
        }
    }

    /// <summary>Whether what went wrong spoilt the image: an error, or its premature end; other oddities are passed over, as libjpeg does.</summary>
    private static bool IsBad(nint handle)
    {
        if (((delegate* unmanaged<nint, int>)library.Function("tjGetErrorCode"))(handle) != 0) return true;
        var text = Marshal.PtrToStringUTF8(((delegate* unmanaged<nint, nint>)library.Function("tjGetErrorStr2"))(handle)) ?? "";
        return text.Contains("Premature end", StringComparison.Ordinal);
    }
}
