using AiOptix.Tensors;

namespace AiOptix.Codecs;

/// <summary>The channels of a decoded image.</summary>
public enum ImageChannels
{
    /// <summary>Red, green, blue.</summary>
    Rgb,
    /// <summary>Blue, green, red.</summary>
    Bgr,
    /// <summary>One of grey: 0.299 red, 0.587 green, 0.114 blue.</summary>
    Grey,
}

/// <summary>
/// Decodes images: BMP and PNM here, PNG, WebP, TIFF, JPEG and JPEG 2000 by the system's own libraries (libpng, libwebp, libtiff, libopenjp2), which are looked for when the
/// first such image comes. JPEG goes through libtiff, which turns errors of libjpeg into failures; libjpeg by itself ends the process.
/// </summary>
public static class ImageFile
{
    /// <summary>Decodes an image. Transparency is dropped.</summary>
    /// <param name="file">The bytes of the file; not trusted.</param>
    /// <param name="channels">Which channels to give.</param>
    /// <param name="limits">What the image may ask for.</param>
    /// <returns>uint8 [height, width, channels].</returns>
    /// <exception cref="InvalidInputException">The image is damaged, or of no known format.</exception>
    /// <exception cref="UnsupportedModelException">The library that its format needs is not installed.</exception>
    /// <exception cref="LimitExceededException">It is larger than allowed.</exception>
    public static Tensor Decode(ReadOnlySpan<byte> file, ImageChannels channels = ImageChannels.Rgb, Limits? limits = null)
    {
        limits ??= Limits.Default;
        using var image = Read(file, limits);
        return Arranged(image, channels);
    }

    private static Tensor Read(ReadOnlySpan<byte> file, Limits limits)
    {
        if (file.StartsWith("BM"u8)) return Bmp.Read(file, limits);
        if (file.Length > 2 && file[0] == 'P' && file[1] is >= (byte)'1' and <= (byte)'6') return Pnm.Read(file, limits);
        if (file.StartsWith((ReadOnlySpan<byte>)[0x89, (byte)'P', (byte)'N', (byte)'G'])) return Png.Read(file, limits);
        if (file.StartsWith((ReadOnlySpan<byte>)[0xFF, 0xD8, 0xFF])) return TurboJpeg.IsInstalled ? TurboJpeg.Read(file, limits) : Jpeg.Read(file, limits);
        if (file.StartsWith("RIFF"u8) && file.Length > 12 && file.Slice(8, 4).SequenceEqual("WEBP"u8)) return WebP.Read(file, limits);
        if (file.StartsWith("II"u8) || file.StartsWith("MM"u8)) return Tiff.Read(file, limits);
        if (file.StartsWith((ReadOnlySpan<byte>)[0, 0, 0, 12, (byte)'j', (byte)'P']) || file.StartsWith((ReadOnlySpan<byte>)[0xFF, 0x4F, 0xFF, 0x51])) return Jpeg2000.Read(file, limits);
        throw new InvalidInputException("the image is none of BMP, PNM, PNG, JPEG, WebP, TIFF and JPEG 2000");
    }

    /// <summary>The space of an image, uint8 [height, width, 3].</summary>
    internal static Tensor Allocate(long width, long height, Limits limits)
    {
        if (width < 1 || height < 1 || width > int.MaxValue / 4 || height > int.MaxValue / 4 / width) throw new InvalidInputException($"the image says that it has {width} × {height} points");
        var shape = new Shape(height, width, 3);
        limits.CheckTensor(DType.UInt8, shape, "the decoded image");
        return Tensor.Allocate(DType.UInt8, shape);
    }

    internal static InvalidInputException Damaged(string format) => new($"the {format} image is damaged or of a kind that is not supported");

    private static Tensor Arranged(Tensor image, ImageChannels channels)
    {
        if (channels == ImageChannels.Rgb) return image.Share();
        var source = image.Bytes;
        var result = Tensor.Allocate(DType.UInt8, channels == ImageChannels.Grey ? new Shape(image.Shape[0], image.Shape[1], 1) : image.Shape);
        var target = result.Bytes;
        for (var i = 0; i < source.Length / 3; i++)
        {
            var (r, g, b) = (source[3 * i], source[3 * i + 1], source[3 * i + 2]);
            // The weights in units of 2^-16, rounded, as imaging libraries have them.
            if (channels == ImageChannels.Grey) target[i] = (byte)((r * 19595 + g * 38470 + b * 7471 + 0x8000) >> 16);
            else (target[3 * i], target[3 * i + 1], target[3 * i + 2]) = (b, g, r);
        }
        GC.KeepAlive(image);
        return result;
    }
}
