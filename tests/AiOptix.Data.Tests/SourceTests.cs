using System.IO.Compression;
using System.Text;
using AiOptix.Tensors;

namespace AiOptix.Data.Tests;

public sealed class SourceTests : IDisposable
{
    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Fact]
    public void ShardsOfRowsAreOneDataSet()
    {
        Rows("b.npy", 3, 4);
        Rows("a.npy", 0, 3);
        Rows("c.npy", 7, 0);
        Rows("d.npy", 7, 5);
        using var data = Datasets.Open([folder.Path]);
        Assert.Equal(12, data.Count);
        Assert.Equal(Enumerable.Range(0, 12).Select(i => (float)i), First(data));
        Assert.Equal($"{folder.File("d.npy")}, row 1", data.Locate(8));
        using var shuffled = Datasets.Npy([folder.File("*.npy")], "x");
        Assert.Equal(Enumerable.Range(0, 12).Select(i => (float)i), First(shuffled, new() { BatchSize = 5, Shuffle = true, Workers = 2 }).Order());
    }

    [Fact]
    public void RowsAreMappedNotRead()
    {
        using var large = Tensor.Allocate(DType.Float32, new Shape(1 << 12, 1 << 10), zeroed: true);
        NpyFile.Write(folder.File("large.npy"), large);
        var before = MemoryBlock.OwnedBytes;
        using var data = Datasets.Npy([folder.File("large.npy")], "x");
        Assert.InRange(MemoryBlock.OwnedBytes - before, long.MinValue, 1 << 20);
    }

    [Fact]
    public void FilesThatAreSamplesAreOpenedWhenRead()
    {
        for (var i = 0; i < 5; i++) NpyFile.Write(folder.File($"{i}.npy"), Tensor.Vector<float>(i, i));
        File.WriteAllBytes(folder.File("2.npy"), File.ReadAllBytes(folder.File("2.npy"))[..^1]);
        using var data = Datasets.Npy([folder.Path], "x", FileContent.Sample);
        File.Delete(folder.File("4.npy"));
        using var loader = new DataLoader(data, new() { BatchSize = 5, OnError = SampleErrorPolicy.Skip, Workers = 2 });
        foreach (var batch in loader)
            using (batch) Assert.Equal([0, 0, 1, 1, 3, 3], batch["x"].Span<float>().ToArray());
        Assert.Equal([2, 4], loader.Errors.Select(e => e.Index));
        Assert.All(loader.Errors, e => Assert.Contains($"{e.Index}.npy", e.ToString(), StringComparison.Ordinal));
        Assert.IsType<FileNotFoundException>(loader.Errors[1].Cause);
    }

    [Fact]
    public void AFileOfAnotherShapeOrTypeNamesItselfAndWhatWasExpected()
    {
        NpyFile.Write(folder.File("0.npy"), Tensor.Vector<float>(1, 2));
        NpyFile.Write(folder.File("1.npy"), Tensor.Vector<float>(1, 2, 3));
        NpyFile.Write(folder.File("2.npy"), Tensor.Vector<long>(1, 2));
        using var loader = new DataLoader(Datasets.Npy([folder.Path], "x", FileContent.Sample), new() { BatchSize = 3, OnError = SampleErrorPolicy.Skip });
        Assert.Equal(1, Assert.Single(loader).Count);
        Assert.StartsWith($"{folder.File("1.npy")}: 'x' is float32[3], expected float32[2] as in {folder.File("0.npy")}", loader.Errors[0].ToString(), StringComparison.Ordinal);
        Assert.StartsWith($"{folder.File("2.npy")}: 'x' is int64[2], expected float32[2] as in {folder.File("0.npy")}", loader.Errors[1].ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void AShardThatDoesNotFitNamesItselfAndWhatWasExpected()
    {
        Rows("a.npy", 0, 3);
        NpyFile.Write(folder.File("b.npy"), Tensor.Allocate(DType.Float32, new Shape(2, 3)));
        var error = Assert.Throws<InvalidInputException>(() => Datasets.Open([folder.Path]));
        Assert.Contains($"{folder.File("b.npy")}: 'x' has rows of float32[3], expected float32[2] as in {folder.File("a.npy")}", error.Message, StringComparison.Ordinal);
        NpyFile.Write(folder.File("b.npy"), Tensor.Scalar(1f));
        Assert.Contains("is a scalar", Assert.Throws<InvalidInputException>(() => Datasets.Open([folder.Path])).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void NothingThereIsAnError()
    {
        Assert.Throws<FileNotFoundException>(() => Datasets.Open([folder.File("*.npy")]));
        Assert.Throws<FileNotFoundException>(() => Datasets.Npy([folder.Path], "x"));
        Assert.Throws<FileNotFoundException>(() => Datasets.Open([folder.File("nowhere")]));
        folder.File("a.what", [1]);
        Assert.Throws<FileNotFoundException>(() => Datasets.Open([folder.Path]));
        Assert.Contains("'.what'", Assert.Throws<ArgumentException>(() => Datasets.Open([folder.File("a.what")])).Message, StringComparison.Ordinal);
        Rows("b.npy", 0, 2);
        Assert.Equal(2, Datasets.Open([folder.Path]).Count);
    }

    [Fact]
    public void PatternsFindFoldersAtAnyDepth()
    {
        foreach (var at in new[] { "x", "x/y", "z" }) Directory.CreateDirectory(folder.File(at));
        foreach (var at in new[] { "x/1.npy", "x/y/2.npy", "z/3.npy", "0.npy" }) NpyFile.Write(folder.File(at), Tensor.Vector<float>(1));
        int Count(string pattern) => DataFiles.Find([folder.File(pattern)]).Count;
        Assert.Equal((1, 2, 4), (Count("*.npy"), Count("*/?.npy"), Count("**/*.npy")));
        Assert.Equal(["0.npy", "x/1.npy", "x/y/2.npy", "z/3.npy"], DataFiles.Find([folder.File("**/*.npy")]).Select(f => Path.GetRelativePath(folder.Path, f)));
    }

    [Theory]
    [InlineData(CompressionLevel.NoCompression)]
    [InlineData(CompressionLevel.Optimal)]
    public void ArchivesOfRowsAndOfSamples(CompressionLevel level)
    {
        Archive("a.npz", level, ("x", Tensor.From<float>([0, 0, 1, 1], new Shape(2, 2))), ("label", Tensor.Vector<long>(5, 6)));
        using var rows = Datasets.Open([folder.File("a.npz")]);
        Assert.Equal(2, rows.Count);
        foreach (var batch in new DataLoader(rows, new() { BatchSize = 2 }))
            using (batch)
            {
                Assert.Equal([0, 0, 1, 1], batch["x"].Span<float>().ToArray());
                Assert.Equal([5, 6], batch["label"].Span<long>().ToArray());
            }
        using var sample = Datasets.Npz([folder.File("a.npz")], ["label"], FileContent.Sample);
        foreach (var batch in new DataLoader(sample))
            using (batch) Assert.Equal(("label", new Shape(1, 2)), (Assert.Single(batch.Names), batch["label"].Shape));
        Assert.Contains("'nothing'", Assert.Throws<ModelFormatException>(() => Datasets.Npz([folder.File("a.npz")], ["nothing"])).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("../x.npy")]
    [InlineData("/x.npy")]
    [InlineData("a/b.npy")]
    [InlineData("a\\b.npy")]
    [InlineData("c:x.npy")]
    [InlineData("x.exe")]
    public void AMemberNamedLikeAPathIsRefused(string name)
    {
        using (var archive = ZipFile.Open(folder.File("a.npz"), ZipArchiveMode.Create))
        using (var stream = archive.CreateEntry(name).Open()) stream.Write([1, 2, 3]);
        Assert.Contains(name, Assert.Throws<ModelFormatException>(() => Datasets.Open([folder.File("a.npz")])).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void AnArchiveThatUnpacksToTooMuchIsStopped()
    {
        Archive("bomb.npz", CompressionLevel.Optimal, ("x", Tensor.Allocate(DType.UInt8, new Shape(64, 1 << 20), zeroed: true)));
        Assert.InRange(new FileInfo(folder.File("bomb.npz")).Length, 0, 1 << 20);
        var before = MemoryBlock.OwnedBytes;
        var error = Assert.Throws<LimitExceededException>(() => Datasets.Npz([folder.File("bomb.npz")], limits: new() { MaxTensorBytes = 1 << 20 }));
        Assert.Contains("bomb.npz", error.Message, StringComparison.Ordinal);
        Assert.InRange(MemoryBlock.OwnedBytes - before, long.MinValue, 1 << 20);
        Assert.Throws<LimitExceededException>(() => Datasets.Npz([folder.File("bomb.npz")], limits: new() { MaxTotalBytes = 1 << 20 }));
    }

    [Fact]
    public void EveryCutAndManyFlipsOfAnArchiveAreErrorsOrSamples()
    {
        Archive("good.npz", CompressionLevel.Optimal, ("x", Tensor.From<float>([.. Enumerable.Range(0, 64).Select(i => (float)i)], new Shape(8, 8))));
        var good = File.ReadAllBytes(folder.File("good.npz"));
        var random = new Random(3);
        for (var i = 0; i < good.Length; i++)
        {
            TryOpen(good[..i]);
            var bytes = (byte[])good.Clone();
            bytes[i] ^= (byte)random.Next(1, 256);
            TryOpen(bytes);
        }

        void TryOpen(byte[] bytes)
        {
            try
            {
                Datasets.Npz([folder.File("bad.npz", bytes)], limits: new() { MaxTensorBytes = 1 << 20 }).Dispose();
            }
            catch (AiOptixException e)
            {
                Assert.Contains("bad.npz", e.Message, StringComparison.Ordinal);
            }
        }
    }

    [Fact]
    public void SafetensorsAreMapped()
    {
        folder.File("a.safetensors", Safetensors("""{"__metadata__":{"a":"b"},"x":{"dtype":"F32","shape":[2,1],"data_offsets":[0,8]},"n":{"dtype":"I64","shape":[2],"data_offsets":[8,24]}}""",
            [0, 0, 128, 63, 0, 0, 0, 64, 7, 0, 0, 0, 0, 0, 0, 0, 8, 0, 0, 0, 0, 0, 0, 0]));
        using var data = Datasets.Open([folder.Path]);
        foreach (var batch in new DataLoader(data, new() { BatchSize = 2 }))
            using (batch)
            {
                Assert.Equal(["n", "x"], batch.Names);
                Assert.Equal([1, 2], batch["x"].Span<float>().ToArray());
                Assert.Equal([7, 8], batch["n"].Span<long>().ToArray());
            }
    }

    [Theory]
    [InlineData("""{"x":{"dtype":"F32","shape":[3],"data_offsets":[0,8]}}""")]
    [InlineData("""{"x":{"dtype":"F32","shape":[2],"data_offsets":[-8,0]}}""")]
    [InlineData("""{"x":{"dtype":"F32","shape":[2],"data_offsets":[8,16]}}""")]
    [InlineData("""{"x":{"dtype":"F32","shape":[-2],"data_offsets":[0,8]}}""")]
    [InlineData("""{"x":{"dtype":"F32","shape":[4611686018427387904,4],"data_offsets":[0,8]}}""")]
    [InlineData("""{"x":{"dtype":"F99","shape":[2],"data_offsets":[0,8]}}""")]
    [InlineData("""{"x":{"dtype":1,"shape":[2],"data_offsets":[0,8]}}""")]
    [InlineData("""{"x":{"shape":[2],"data_offsets":[0]}}""")]
    [InlineData("""{"x":7}""")]
    [InlineData("[1]")]
    [InlineData("{")]
    public void ALyingSafetensorsHeaderIsAnError(string header)
    {
        folder.File("bad.safetensors", Safetensors(header, new byte[8]));
        Assert.Contains("bad.safetensors", Assert.ThrowsAny<AiOptixException>(() => Datasets.Open([folder.Path])).Message, StringComparison.Ordinal);
        folder.File("bad.safetensors", [0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, (byte)'{', (byte)'}']);
        Assert.Throws<ModelFormatException>(() => Datasets.Open([folder.Path]));
    }

    [Fact]
    public void EveryCutAndEveryFlipOfASafetensorsHeaderIsAnErrorOrSamples()
    {
        var good = Safetensors("""{"x":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}""", new byte[8]);
        for (var i = 0; i < good.Length; i++)
            foreach (var bytes in new[] { good[..i], Flipped(i, 1), Flipped(i, 0x10), Flipped(i, 0x80) })
            {
                folder.File("bad.safetensors", bytes);
                try
                {
                    Datasets.Open([folder.Path]).Dispose();
                }
                catch (AiOptixException e)
                {
                    Assert.Contains("bad.safetensors", e.Message, StringComparison.Ordinal);
                }
            }

        byte[] Flipped(int at, byte bits)
        {
            var bytes = (byte[])good.Clone();
            bytes[at] ^= bits;
            return bytes;
        }
    }

    [Fact]
    public void RawElementsAreMapped()
    {
        folder.File("a.bin", [9, 9, 1, 0, 2, 0, 3, 0, 4, 0]);
        using var data = Datasets.Raw([folder.File("a.bin")], "x", DType.Int16, new Shape(2), offset: 2);
        Assert.Equal(2, data.Count);
        using var sample = data.Read(1, null!);
        Assert.Equal([3, 4], sample["x"].Span<short>().ToArray());
        Assert.Throws<ModelFormatException>(() => Datasets.Raw([folder.File("a.bin")], "x", DType.Int16, new Shape(3)));
        Assert.Throws<ModelFormatException>(() => Datasets.Raw([folder.File("a.bin")], "x", DType.Int16, new Shape(2), offset: 11));
    }

    [Fact]
    public void ArraysAreBorrowed()
    {
        using var x = Tensor.From<float>([1, 2, 3, 4], new Shape(2, 2));
        using var data = Datasets.Arrays(new Dictionary<string, Tensor> { ["x"] = x, ["n"] = Tensor.FromStrings(["a", "b"], new Shape(2)) });
        x.Span<float>()[3] = 9;
        foreach (var batch in new DataLoader(data, new() { BatchSize = 2 }))
            using (batch)
            {
                Assert.Equal([1, 2, 3, 9], batch["x"].Span<float>().ToArray());
                Assert.Equal(["a", "b"], batch["n"].Strings);
            }
        Assert.Contains("'y' has 3 rows, 'x' has 2", Assert.Throws<InvalidInputException>(() =>
            Datasets.Arrays(new Dictionary<string, Tensor> { ["x"] = x, ["y"] = Tensor.Allocate(DType.Int8, new Shape(3)) })).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(2)]
    public void FieldsSideBySide(int workers)
    {
        Rows("a.npy", 0, 6);
        var labels = Datasets.Arrays(new Dictionary<string, Tensor> { ["label"] = Tensor.Vector<long>(0, 1, 2, 3, 4, 5) });
        foreach (var second in new[] { labels, Datasets.Function(6, (i, _) => new(["label"], [Tensor.Scalar(i)])) })
            foreach (var batch in new DataLoader(Datasets.Zip(Datasets.Npy([folder.Path], "x"), second), new() { BatchSize = 4, Shuffle = true, Workers = workers }))
                using (batch)
                {
                    Assert.Equal(batch.Indices, batch["label"].Span<long>().ToArray());
                    Assert.Equal(batch.Indices.Select(i => (float)i), batch["x"].Span<float>().ToArray().Where((_, i) => i % 2 == 0));
                }
        Assert.Throws<InvalidInputException>(() => Datasets.Zip(labels, Samples.Numbered(5)));
    }

    [Fact]
    public void SamplesWithoutALoader()
    {
        Rows("a.npy", 0, 3);
        using var data = Datasets.Zip(Datasets.Npy([folder.Path], "x"), Datasets.Function(3, (i, _) => new(["label"], [Tensor.Scalar(i)])));
        var samples = data.Tensors(["label", "x"]).ToArray();
        Assert.Equal([0, 1, 2], samples.Select(s => s[0].Span<long>()[0]));
        Assert.All(samples, s => Assert.Equal(new Shape(2), s[1].Shape));
    }

    private float[] First(IndexedDataset data, DataLoaderOptions? options = null)
    {
        var first = new List<float>();
        foreach (var batch in new DataLoader(data, options ?? new() { BatchSize = 5, Workers = 1 }))
            using (batch) first.AddRange(batch["x"].Span<float>().ToArray().Where((_, i) => i % 2 == 0));
        return [.. first];
    }

    private void Rows(string name, int first, int count) =>
        NpyFile.Write(folder.File(name), Tensor.From<float>([.. Enumerable.Range(first, count).SelectMany(i => new[] { i, -i }).Select(i => (float)i)], new Shape(count, 2)));

    private void Archive(string name, CompressionLevel level, params (string Name, Tensor Tensor)[] members)
    {
        using var archive = ZipFile.Open(folder.File(name), ZipArchiveMode.Create);
        foreach (var (member, tensor) in members)
        {
            NpyFile.Write(folder.File("member.tmp"), tensor);
            archive.CreateEntryFromFile(folder.File("member.tmp"), member + ".npy", level);
        }
        File.Delete(folder.File("member.tmp"));
    }

    private static byte[] Safetensors(string header, byte[] data) => [.. BitConverter.GetBytes((ulong)Encoding.UTF8.GetByteCount(header)), .. Encoding.UTF8.GetBytes(header), .. data];
}
