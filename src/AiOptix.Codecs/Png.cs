using System.Runtime.InteropServices;
using AiOptix.Tensors;

namespace AiOptix.Codecs;

/// <summary>PNG by the simplified reading of libpng 1.6.</summary>
internal static unsafe class Png
{
    private const uint Version = 1;
    private const uint FormatRgb = 2;
    private static readonly NativeCodec library = new("PNG", "libpng16.so.16", "libpng16.dylib", "libpng16.dll");

    public static bool IsInstalled => library.IsInstalled;

    /// <summary>png_image.</summary>
    [StructLayout(LayoutKind.Sequential)]
    private struct Image
    {
        public nint Opaque;
        public uint Version, Width, Height, Format, Flags, ColormapEntries, WarningOrError;
        public fixed byte Message[64];
    }

    public static Tensor Read(ReadOnlySpan<byte> file, Limits limits)
    {
        var begin = (delegate* unmanaged<Image*, byte*, nuint, int>)library.Function("png_image_begin_read_from_memory");
        var finish = (delegate* unmanaged<Image*, byte*, byte*, int, void*, int>)library.Function("png_image_finish_read");
        var free = (delegate* unmanaged<Image*, void>)library.Function("png_image_free");
        var image = new Image { Version = Version };
        fixed (byte* bytes = file)
        {
            try
            {
                if (begin(&image, bytes, (nuint)file.Length) == 0) throw ImageFile.Damaged("PNG");
                var result = ImageFile.Allocate(image.Width, image.Height, limits);
                image.Format = FormatRgb;
                byte* black = stackalloc byte[3] { 0, 0, 0 };
                if (finish(&image, black, result.Pointer, 0, null) != 0) return result;
                result.Dispose();
                throw ImageFile.Damaged("PNG");
            }
            finally
            {
                free(&image);
            }
        }
    }
}
