using AiOptix.Codecs;
using AiOptix.Tensors;

namespace AiOptix.Data.Tests;

public sealed class ImageTests : IDisposable
{
    /// <summary>32 × 24 points that grow along both axes.</summary>
    private static readonly byte[] jpeg = Convert.FromBase64String(
        "/9j/4AAQSkZJRgABAQAAAQABAAD/2wBDAAUDBAQEAwUEBAQFBQUGBwwIBwcHBw8LCwkMEQ8SEhEPERETFhwXExQaFRERGCEYGh0dHx8fExciJCIeJBweHx7/2wBDAQUFBQcGBw4ICA4eFBEUHh4eHh" +
        "4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh7/wAARCAAYACADASIAAhEBAxEB/8QAHwAAAQUBAQEBAQEAAAAAAAAAAAECAwQFBgcICQoL/8QAtRAAAgEDAwIEAwUF" +
        "BAQAAAF9AQIDAAQRBRIhMUEGE1FhByJxFDKBkaEII0KxwRVS0fAkM2JyggkKFhcYGRolJicoKSo0NTY3ODk6Q0RFRkdISUpTVFVWV1hZWmNkZWZnaGlqc3R1dnd4eXqDhIWGh4iJipKTlJWWl5iZmq" +
        "KjpKWmp6ipqrKztLW2t7i5usLDxMXGx8jJytLT1NXW19jZ2uHi4+Tl5ufo6erx8vP09fb3+Pn6/8QAHwEAAwEBAQEBAQEBAQAAAAAAAAECAwQFBgcICQoL/8QAtREAAgECBAQDBAcFBAQAAQJ3AAEC" +
        "AxEEBSExBhJBUQdhcRMiMoEIFEKRobHBCSMzUvAVYnLRChYkNOEl8RcYGRomJygpKjU2Nzg5OkNERUZHSElKU1RVVldYWVpjZGVmZ2hpanN0dXZ3eHl6goOEhYaHiImKkpOUlZaXmJmaoqOkpaanqK" +
        "mqsrO0tba3uLm6wsPExcbHyMnK0tPU1dbX2Nna4uPk5ebn6Onq8vP09fb3+Pn6/9oADAMBAAIRAxEAPwD5m07QunyV0mnaF0+T9K63TtC6fJXSadoXT5P0rnpYo5ck4h21OS07QunyfpXS6doXT5P0" +
        "rrNO0Lp8n6V0unaF0+T9K9Glij9eyTiHbUw9O0Lp8n6V0mnaF0+SiivkqVSR/H+SY2tpqdJp2hdPk/Sul07QunyfpRRXoUqkj9fyTG1tNT//2Q==");

    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    [SkippableFact]
    public void JpegsAreDecodedAndResizedAsImagingLibrariesDo()
    {
        Skip.IfNot(CanReadJpeg(), "neither libturbojpeg nor libtiff is installed");
        folder.File("a.jpg", jpeg);
        using var data = Datasets.Open([folder.Path], "image");
        using var whole = data.Tensors(["image"]).Single()[0];
        Assert.Equal(new Shape(24, 32, 3), whole.Shape);
        AssertPoint(whole, 0, 0, 0, 2, 0);
        AssertPoint(whole, 23, 31, 249, 230, 216);
        AssertPoint(whole, 12, 16, 128, 121, 111);
        using var small = Single(new() { Transforms = [new Resize(9, 11)] });
        Assert.Equal(new Shape(1, 9, 11, 3), small.Shape);
        AssertPoint(small, 0, 0, 9, 11, 9);
        AssertPoint(small, 8, 10, 239, 219, 208);
        AssertPoint(small, 4, 5, 123, 116, 106);
        AssertPoint(small, 2, 7, 171, 61, 110);

        Tensor Single(DataLoaderOptions options)
        {
            foreach (var batch in new DataLoader(data, options)) return batch["image"];
            throw new InvalidOperationException();
        }
    }

    [Fact]
    public void FoldersAreClasses()
    {
        foreach (var (name, value) in new[] { ("dog/b.ppm", 1), ("dog/a.ppm", 2), ("cat/deep/c.ppm", 3), ("emu/readme.txt", 4) })
        {
            Directory.CreateDirectory(Path.GetDirectoryName(folder.File(name))!);
            Image(name, 2, 2, value);
        }
        using var data = Datasets.Images([folder.Path], new() { Label = "class", Channels = ImageChannels.Grey }, null, out var classes);
        Assert.Equal(["cat", "dog", "emu"], classes);
        foreach (var batch in new DataLoader(data, new() { BatchSize = 9 }))
            using (batch)
            {
                Assert.Equal(new Shape(3, 2, 2, 1), batch["image"].Shape);
                Assert.Equal([3, 2, 1], batch["image"].Bytes.ToArray().Where((_, i) => i % 4 == 0).Select(b => (int)b));
                Assert.Equal([0, 1, 1], batch["class"].Span<long>().ToArray());
            }
        using var listed = Datasets.Images([folder.File("dog")], new() { Label = "y" }, [7, 8], out _);
        Assert.Equal([7, 8], listed.Tensors(["y"]).Select(t => t[0].Span<long>()[0]));
        Assert.Throws<ArgumentException>(() => Datasets.Images([folder.File("dog")], new() { Label = "y" }, [7], out _));
        Assert.Throws<ArgumentException>(() => Datasets.Images([folder.File("nowhere")], new() { Label = "y" }, null, out _));
        Assert.Throws<FileNotFoundException>(() => Datasets.Images([folder.File("dog")], new() { Label = "y" }, null, out _));
    }

    [Fact]
    public void BombsAndDamagedImagesAreErrorsOfTheirSamples()
    {
        Image("0.ppm", 2, 2, 1);
        folder.File("1.ppm", [.. "P6 9000 9000 255\n"u8, 1, 2, 3]);
        folder.File("2.ppm", "P6 2 2 255\n"u8.ToArray());
        folder.File("3.png", [0x89, (byte)'P', (byte)'N', (byte)'G', 13, 10, 26, 10, 1, 2, 3]);
        folder.File("4.jpg", jpeg[..300]);
        folder.File("5.jpg", "no image"u8.ToArray());
        using var loader = new DataLoader(Datasets.Open([folder.Path]), new() { BatchSize = 6, OnError = SampleErrorPolicy.Skip, Workers = 2, Limits = new() { MaxTensorBytes = 1 << 20 } });
        foreach (var batch in loader)
            using (batch) Assert.Equal([0], batch.Indices);
        Assert.Equal([1, 2, 3, 4, 5], loader.Errors.Select(e => e.Index));
        Assert.All(loader.Errors, e => Assert.Contains($"{folder.Path}", e.ToString(), StringComparison.Ordinal));
        Assert.Contains("MaxTensorBytes", loader.Errors[0].ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void WindowsAreCutFromTheMiddleOrAnywhere()
    {
        for (var i = 0; i < 40; i++) Image($"{i:00}.ppm", 9, 7, null);
        byte[] Corner(Transform crop, int epoch = 0)
        {
            using var loader = new DataLoader(Datasets.Open([folder.Path]), new() { BatchSize = 40, Transforms = [crop], Workers = 3 });
            for (var e = 0; ; e++)
                foreach (var batch in loader)
                    using (batch)
                    {
                        Assert.Equal(new Shape(40, 3, 4, 3), batch["x"].Shape);
                        if (e == epoch) return [.. batch["x"].Bytes.ToArray().Where((_, i) => i % 36 == 0)];
                    }
        }
        Assert.All(Corner(new CenterCrop(3, 4)), c => Assert.Equal(2 * 16 + 2, c));
        var random = Corner(new RandomCrop(3, 4));
        Assert.Equal(random, Corner(new RandomCrop(3, 4)));
        Assert.NotEqual(random, Corner(new RandomCrop(3, 4), epoch: 1));
        Assert.All(random, c => Assert.True(c / 16 <= 4 && c % 16 <= 5));
        Assert.InRange(random.Distinct().Count(), 10, 30);
        var error = Assert.Throws<SampleException>(() => Corner(new CenterCrop(8, 4)));
        Assert.Contains("8 × 4 cannot be cut from 7 × 9", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void FlipsAreHalfOfTheSamples()
    {
        for (var i = 0; i < 60; i++) Image($"{i:00}.ppm", 9, 1, null);
        var flipped = 0;
        foreach (var batch in new DataLoader(Datasets.Open([folder.Path]), new() { Transforms = [new RandomFlip()] }))
            using (batch)
            {
                var first = batch["x"].Bytes[0];
                Assert.Equal(first == 0 ? Enumerable.Range(0, 9) : Enumerable.Range(0, 9).Reverse(), batch["x"].Bytes.ToArray().Where((_, i) => i % 3 == 0).Select(b => (int)b));
                if (first != 0) flipped++;
            }
        Assert.InRange(flipped, 15, 45);
    }

    [Fact]
    public void TheShorterSideGetsTheLengthAndACropIsTheSameAsOneAfterwards()
    {
        Image("a.ppm", 40, 23, null);
        Tensor One(params Transform[] transforms)
        {
            foreach (var batch in new DataLoader(Datasets.Open([folder.Path]), new() { Transforms = transforms })) return batch["x"];
            throw new InvalidOperationException();
        }
        Assert.Equal(new Shape(1, 10, 17, 3), One(new Resize(10)).Shape);
        Assert.True(One(new Resize(10), new CenterCrop(8, 8)).BitEquals(One(new Resize(10) { Crop = 8 })));
        Assert.Throws<SampleException>(() => One(new Resize(10) { Crop = 11 }));
        Assert.Throws<ArgumentOutOfRangeException>(() => new Resize(0));
    }

    [Fact]
    public void PixelsAndFloatsAreNormalised()
    {
        Image("a.ppm", 3, 2, null);
        using var data = Datasets.Open([folder.Path]);
        var first = data.Tensors(["x"]).Single()[0];
        foreach (var batch in new DataLoader(data, new() { Transforms = [new Normalize([0.1f, 0.2f, 0.3f], [0.5f, 1, 2])] }))
            using (batch)
            {
                Assert.Equal(new Shape(1, 3, 2, 3), batch["x"].Shape);
                for (var i = 0; i < 18; i++)
                {
                    var (pixel, c) = Math.DivRem(i, 3);
                    Assert.Equal((first.Bytes[i] / 255.0 - (0.1 + 0.1 * c)) / (0.5 * Math.Pow(2, c)), batch["x"].Span<float>()[c * 6 + pixel], 1e-5);
                }
            }
        var floats = Datasets.Arrays(new Dictionary<string, Tensor> { ["x"] = Tensor.From<float>([1, 2, 3, 4], new Shape(1, 2, 2)) });
        float[] Scaled(Normalize normalize)
        {
            foreach (var batch in new DataLoader(floats, new() { Transforms = [normalize] })) return batch["x"].Span<float>().ToArray();
            return [];
        }
        Assert.Equal([0, 1, 2, 3], Scaled(new([1], [1])));
        Assert.Equal([0, 1, 1, 2], Scaled(new([1, 2], [1, 1])));
        Assert.Equal([1, 3, 5, 7], Scaled(new([1], [1]) { Scale = 2 }));
        Assert.Throws<SampleException>(() => Scaled(new([1, 2, 3], [1, 1, 1])));
        Assert.Throws<ArgumentException>(() => new Normalize([1], [0]));
        Assert.Throws<ArgumentException>(() => new Normalize([1, 2], [1]));
    }

    [Fact]
    public void ShapesAndTypesChange()
    {
        Image("a.ppm", 3, 2, null);
        using var data = Datasets.Open([folder.Path]);
        (Shape, DType, float[]) One(params Transform[] transforms)
        {
            foreach (var batch in new DataLoader(data, new() { Transforms = [.. transforms, new Cast(DType.Float32)] })) return (batch["x"].Shape, batch["x"].DType, batch["x"].Span<float>().ToArray());
            throw new InvalidOperationException();
        }
        var (shape, type, values) = One(new ChannelsFirst());
        Assert.Equal((new Shape(1, 3, 2, 3), DType.Float32), (shape, type));
        Assert.Equal([0, 1, 2, 16, 17, 18], values[..6]);
        Assert.Equal(values, One(new Cast(DType.Int32), new ChannelsFirst()).Item3);
        Assert.Equal(new Shape(1, 2, 9), One(new Reshape(2, -1)).Item1);
        Assert.Throws<SampleException>(() => One(new Reshape(4, -1)));
        Assert.Throws<ArgumentException>(() => new Reshape(-1, -1));
        Assert.Contains("for the field 'z'", Assert.Throws<SampleException>(() => One(new ChannelsFirst { Field = "z" })).Message, StringComparison.Ordinal);
    }

    /// <summary>A PPM file of one value, or of points whose channels are 16 · row + column.</summary>
    private void Image(string name, int width, int height, int? value)
    {
        byte[] points = [.. Enumerable.Range(0, width * height * 3).Select(i => (byte)(value ?? i / 3 / width * 16 + i / 3 % width))];
        folder.File(name, [.. System.Text.Encoding.ASCII.GetBytes($"P6 {width} {height} 255\n"), .. points]);
    }

    private static bool CanReadJpeg()
    {
        try
        {
            ImageFile.Decode(jpeg).Dispose();
            return true;
        }
        catch (UnsupportedModelException)
        {
            return false;
        }
    }

    private static void AssertPoint(Tensor image, int row, int column, params int[] expected)
    {
        var at = (int)(row * image.Shape[-2] + column) * 3;
        for (var c = 0; c < 3; c++) Assert.InRange(image.Bytes[at + c], expected[c] - 2, expected[c] + 2);
    }
}
