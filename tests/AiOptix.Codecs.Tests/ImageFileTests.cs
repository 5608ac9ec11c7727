using System.Buffers.Binary;
using System.IO.Compression;
using System.Text;
using AiOptix.Onnx;
using AiOptix.Tensors;

namespace AiOptix.Codecs.Tests;

public class ImageFileTests
{
    /// <summary>Images of the ONNX project's cases, by format.</summary>
    public static TheoryData<string> Recorded => ["jpeg", "jpeg2k", "pnm", "tiff", "webp"];

    [Theory]
    [InlineData("P3\n# two points\n2 1\n255\n1 2 3  250 251 252\n", new byte[] { 1, 2, 3, 250, 251, 252 })]
    [InlineData("P2 2 1 15 0 15", new byte[] { 0, 0, 0, 255, 255, 255 })]
    [InlineData("P1 3 1 10 1", new byte[] { 0, 0, 0, 255, 255, 255, 0, 0, 0 })]
    public void PortableTextIsRead(string file, byte[] expected) => Assert.Equal(expected, Points(Encoding.ASCII.GetBytes(file)));

    [Fact]
    public void PortableBytesAreRead()
    {
        Assert.Equal(new byte[] { 9, 8, 7 }, Points([.. "P6 1 1 255\n"u8, 9, 8, 7]));
        Assert.Equal(new byte[] { 0, 0, 0, 255, 255, 255 }, Points([.. "P4 2 1\n"u8, 0b1000_0000]));
        Assert.Equal(new byte[] { 255, 255, 255 }, Points([.. "P5 1 1 65535\n"u8, 0xFF, 0xFF]));
    }

    [Theory]
    [InlineData(24)]
    [InlineData(32)]
    [InlineData(8)]
    [InlineData(1)]
    public void BitmapsAreRead(int bits)
    {
        var file = Bitmap(bits, 2, 2, topDown: false);
        var upsideDown = Bitmap(bits, 2, 2, topDown: true);
        var points = Points(file);
        Assert.Equal(12, points.Length);
        Assert.Equal([.. points[6..], .. points[..6]], Points(upsideDown));
    }

    [SkippableFact]
    public void PngIsRead()
    {
        Skip.IfNot(Png.IsInstalled, "libpng is not installed");
        byte[] points = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12];
        var file = PngOf(points, 2, 2);
        Assert.Equal(points, Points(file));
        AssertSurvivesDamage(file);
    }

    [Fact]
    public void ChannelsAreArranged()
    {
        byte[] file = [.. "P6 1 1 255\n"u8, 10, 20, 30];
        Assert.Equal(new byte[] { 30, 20, 10 }, Points(file, ImageChannels.Bgr));
        using var grey = ImageFile.Decode(file, ImageChannels.Grey);
        Assert.Equal(new Shape(1, 1, 1), grey.Shape);
        Assert.Equal(18, grey.Bytes[0]);
    }

    [SkippableTheory]
    [MemberData(nameof(Recorded))]
    public void RecordedImagesAreReadAndSurviveDamage(string format)
    {
        var folder = Path.Combine(Shared() ?? "", "onnx-backend", "node", $"test_image_decoder_decode_{format}_rgb", "test_data_set_0");
        Skip.IfNot(Directory.Exists(folder), "../shared/onnx-backend is not there");
        Skip.If(format is "jpeg" or "tiff" && !Tiff.IsInstalled, "libtiff is not installed");
        Skip.If(format == "webp" && !WebP.IsInstalled, "libwebp is not installed");
        Skip.If(format == "jpeg2k" && !Jpeg2000.IsInstalled, "libopenjp2 is not installed");
        using var file = TensorFile.Read(Path.Combine(folder, "input_0.pb"));
        using var expected = TensorFile.Read(Path.Combine(folder, "output_0.pb"));
        using var actual = ImageFile.Decode(file.Bytes);
        Assert.Equal(expected.Shape, actual.Shape);
        Assert.Equal(expected.Bytes.ToArray(), actual.Bytes.ToArray());
        AssertSurvivesDamage(file.Bytes.ToArray());
    }

    [SkippableFact]
    public void BothWaysToReadAJpegGiveTheSamePoints()
    {
        Skip.IfNot(Tiff.IsInstalled, "libtiff is not installed");
        Skip.IfNot(TurboJpeg.IsInstalled, "libturbojpeg is not installed");
        var file = Convert.FromBase64String(
            "/9j/4AAQSkZJRgABAQAAAQABAAD/2wBDAAUDBAQEAwUEBAQFBQUGBwwIBwcHBw8LCwkMEQ8SEhEPERETFhwXExQaFRERGCEYGh0dHx8fExciJCIeJBweHx7/2wBDAQUFBQcGBw4ICA4eFBEUHh4eHh" +
            "4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh7/wAARCAAYACADASIAAhEBAxEB/8QAHwAAAQUBAQEBAQEAAAAAAAAAAAECAwQFBgcICQoL/8QAtRAAAgEDAwIEAwUF" +
            "BAQAAAF9AQIDAAQRBRIhMUEGE1FhByJxFDKBkaEII0KxwRVS0fAkM2JyggkKFhcYGRolJicoKSo0NTY3ODk6Q0RFRkdISUpTVFVWV1hZWmNkZWZnaGlqc3R1dnd4eXqDhIWGh4iJipKTlJWWl5iZmq" +
            "KjpKWmp6ipqrKztLW2t7i5usLDxMXGx8jJytLT1NXW19jZ2uHi4+Tl5ufo6erx8vP09fb3+Pn6/8QAHwEAAwEBAQEBAQEBAQAAAAAAAAECAwQFBgcICQoL/8QAtREAAgECBAQDBAcFBAQAAQJ3AAEC" +
            "AxEEBSExBhJBUQdhcRMiMoEIFEKRobHBCSMzUvAVYnLRChYkNOEl8RcYGRomJygpKjU2Nzg5OkNERUZHSElKU1RVVldYWVpjZGVmZ2hpanN0dXZ3eHl6goOEhYaHiImKkpOUlZaXmJmaoqOkpaanqK" +
            "mqsrO0tba3uLm6wsPExcbHyMnK0tPU1dbX2Nna4uPk5ebn6Onq8vP09fb3+Pn6/9oADAMBAAIRAxEAPwD5m07QunyV0mnaF0+T9K63TtC6fJXSadoXT5P0rnpYo5ck4h21OS07QunyfpXS6doXT5P0" +
            "rrNO0Lp8n6V0unaF0+T9K9Glij9eyTiHbUw9O0Lp8n6V0mnaF0+SiivkqVSR/H+SY2tpqdJp2hdPk/Sul07QunyfpRRXoUqkj9fyTG1tNT//2Q==");
        using var direct = TurboJpeg.Read(file, Limits.Default);
        using var wrapped = Jpeg.Read(file, Limits.Default);
        Assert.Equal(new Shape(24, 32, 3), direct.Shape);
        Assert.True(direct.BitEquals(wrapped));
        AssertSurvivesDamage(file);
        Assert.Throws<InvalidInputException>(() => TurboJpeg.Read(file.AsSpan(0, file.Length / 2), Limits.Default));
        Assert.Throws<LimitExceededException>(() => TurboJpeg.Read(file, new Limits { MaxTensorBytes = 100 }));
    }

    [Fact]
    public void WhatIsNoImageIsRefused()
    {
        Assert.Throws<InvalidInputException>(() => ImageFile.Decode("nothing"u8));
        Assert.Throws<InvalidInputException>(() => ImageFile.Decode([]));
        Assert.Throws<InvalidInputException>(() => ImageFile.Decode("P6 99999999 99999999 255\n"u8));
        Assert.Throws<LimitExceededException>(() => ImageFile.Decode("P5 4000 4000 255\n"u8, limits: new Limits { MaxTensorBytes = 1000 }));
    }

    /// <summary>Cut short anywhere, and with any byte changed, an image is read or refused; nothing else happens.</summary>
    private static void AssertSurvivesDamage(byte[] file)
    {
        var limits = new Limits { MaxTensorBytes = 1 << 24 };
        for (var length = 0; length < file.Length; length += Math.Max(1, file.Length / 100)) Try(file[..length]);
        var random = new Random(5);
        for (var i = 0; i < 300; i++)
        {
            var damaged = (byte[])file.Clone();
            damaged[random.Next(Math.Min(i < 200 ? 120 : int.MaxValue, file.Length))] = (byte)random.Next(256);
            Try(damaged);
        }

        void Try(byte[] bytes)
        {
            try
            {
                ImageFile.Decode(bytes, limits: limits).Dispose();
            }
            catch (AiOptixException)
            {
            }
        }
    }

    private static byte[] Points(byte[] file, ImageChannels channels = ImageChannels.Rgb)
    {
        using var image = ImageFile.Decode(file, channels);
        return image.Bytes.ToArray();
    }

    private static byte[] Bitmap(int bits, int width, int height, bool topDown)
    {
        var palette = bits <= 8 ? 4 << bits : 0;
        var stride = (width * bits + 31) / 32 * 4;
        var file = new byte[54 + palette + stride * height];
        "BM"u8.CopyTo(file);
        BinaryPrimitives.WriteInt32LittleEndian(file.AsSpan(10), 54 + palette);
        BinaryPrimitives.WriteInt32LittleEndian(file.AsSpan(14), 40);
        BinaryPrimitives.WriteInt32LittleEndian(file.AsSpan(18), width);
        BinaryPrimitives.WriteInt32LittleEndian(file.AsSpan(22), topDown ? -height : height);
        BinaryPrimitives.WriteInt16LittleEndian(file.AsSpan(28), (short)bits);
        for (var i = 54; i < file.Length; i++) file[i] = (byte)(i * 37);
        return file;
    }

    private static byte[] PngOf(byte[] points, int width, int height)
    {
        using var packed = new MemoryStream();
        using (var zip = new ZLibStream(packed, CompressionLevel.Fastest, leaveOpen: true))
            for (var y = 0; y < height; y++)
            {
                zip.WriteByte(0);
                zip.Write(points, y * width * 3, width * 3);
            }
        var header = new byte[13];
        BinaryPrimitives.WriteInt32BigEndian(header, width);
        BinaryPrimitives.WriteInt32BigEndian(header.AsSpan(4), height);
        (header[8], header[9]) = (8, 2);
        return [0x89, (byte)'P', (byte)'N', (byte)'G', 13, 10, 26, 10, .. Chunk("IHDR", header), .. Chunk("IDAT", packed.ToArray()), .. Chunk("IEND", [])];
    }

    private static byte[] Chunk(string name, byte[] data)
    {
        byte[] named = [.. Encoding.ASCII.GetBytes(name), .. data];
        var chunk = new byte[named.Length + 8];
        BinaryPrimitives.WriteInt32BigEndian(chunk, data.Length);
        named.CopyTo(chunk, 4);
        BinaryPrimitives.WriteUInt32BigEndian(chunk.AsSpan(named.Length + 4), Crc(named));
        return chunk;
    }

    private static uint Crc(byte[] bytes)
    {
        var crc = uint.MaxValue;
        foreach (var b in bytes)
        {
            crc ^= b;
            for (var i = 0; i < 8; i++) crc = (crc & 1) != 0 ? crc >> 1 ^ 0xEDB88320 : crc >> 1;
        }
        return ~crc;
    }

    private static string? Shared()
    {
        if (Environment.GetEnvironmentVariable("AIOPTIX_SHARED") is { Length: > 0 } given) return given;
        var at = new DirectoryInfo(AppContext.BaseDirectory);
        while (at is not null && !File.Exists(Path.Combine(at.FullName, "AiOptix.slnx"))) at = at.Parent;
        return at is null ? null : Path.Combine(at.FullName, "..", "shared");
    }
}
