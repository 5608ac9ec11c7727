using AiOptix.Tensors;

namespace AiOptix.Codecs;

/// <summary>WebP by libwebp.</summary>
internal static unsafe class WebP
{
    private static readonly NativeCodec library = new("WebP", "libwebp.so.7", "libwebp.7.dylib", "libwebp.dll");

    public static bool IsInstalled => library.IsInstalled;

    public static Tensor Read(ReadOnlySpan<byte> file, Limits limits)
    {
        int width, height;
        fixed (byte* bytes = file)
        {
            var info = (delegate* unmanaged<byte*, nuint, int*, int*, int>)library.Function("WebPGetInfo");
            if (info(bytes, (nuint)file.Length, &width, &height) == 0) throw ImageFile.Damaged("WebP");
            var result = ImageFile.Allocate(width, height, limits);
            var decode = (delegate* unmanaged<byte*, nuint, byte*, nuint, int, byte*>)library.Function("WebPDecodeRGBInto");
            if (decode(bytes, (nuint)file.Length, result.Pointer, (nuint)result.ByteLength, width * 3) != null) return result;
            result.Dispose();
            throw ImageFile.Damaged("WebP");
        }
    }
}
