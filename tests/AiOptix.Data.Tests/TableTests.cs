using System.Text;
using AiOptix.Tensors;

namespace AiOptix.Data.Tests;

public sealed class TableTests : IDisposable
{
    private static readonly ColumnField[] fields = [new("x", ["a", "b"]), new("label", "class", DType.Int64), new("text", "text", DType.String)];

    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Theory]
    [InlineData(",", "\n")]
    [InlineData(";", "\r\n")]
    [InlineData("\t", "\n")]
    public void ColumnsBecomeFields(string separator, string end)
    {
        Write("t.csv", string.Join(end, "class,a,b,text", "3,1.5,-2e3,\"say \"\"hi\"\"\"", "-4,0,1,", "5,1,2,\"two\nlines\"").Replace(",", separator, StringComparison.Ordinal));
        using var data = Datasets.Csv([folder.Path], fields);
        foreach (var batch in new DataLoader(data, new() { BatchSize = 4 }))
            using (batch)
            {
                Assert.Equal(new Shape(3, 2), batch["x"].Shape);
                Assert.Equal([1.5f, -2000, 0, 1, 1, 2], batch["x"].Span<float>().ToArray());
                Assert.Equal([3, -4, 5], batch["label"].Span<long>().ToArray());
                Assert.Equal(["say \"hi\"", "", "two\nlines"], batch["text"].Strings);
            }
    }

    [Fact]
    public void ARowThatDoesNotFitIsItsOwnSamplesError()
    {
        Write("t.csv", "class,a,b,text\n1,1,1,a\n2,x,2,b\n3,3\n4.5,4,4,d\n5,5,,e\n6,6,6,f\n");
        using var loader = new DataLoader(Datasets.Csv([folder.Path], fields), new() { BatchSize = 3, OnError = SampleErrorPolicy.Skip });
        var labels = new List<string>();
        foreach (var batch in loader)
            using (batch) labels.Add(string.Join(' ', batch["label"].Span<long>().ToArray()));
        Assert.Equal(["1", "6"], labels);
        Assert.Equal([1, 2, 3, 4], loader.Errors.Select(e => e.Index));
        Assert.Contains("t.csv, line 3: 'x' is no float32", loader.Errors[0].ToString(), StringComparison.Ordinal);
        Assert.Contains("line 4: the line has 2 columns", loader.Errors[1].ToString(), StringComparison.Ordinal);
        Assert.Contains("line 5: '4.5' is no int64", loader.Errors[2].ToString(), StringComparison.Ordinal);
        Assert.Contains("an empty value is no float32", loader.Errors[3].ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void ManyRowsOfSeveralFilesGrow()
    {
        for (var f = 0; f < 3; f++) Write($"{f}.csv", "v\n" + string.Join('\n', Enumerable.Range(f * 3000, 3000)));
        using var data = Datasets.Csv([folder.File("*.csv")], [new("v", "v", DType.Int32)]);
        Assert.Equal(9000, data.Count);
        Assert.Equal(Enumerable.Range(0, 9000), data.Tensors(["v"]).Select(t => t[0].Span<int>()[0]));
        Assert.Throws<LimitExceededException>(() => Datasets.Csv([folder.File("0.csv")], [new("v", "v", DType.Int32)], limits: new() { MaxTensorBytes = 8000 }));
    }

    [Fact]
    public void WithoutAHeaderColumnsAreNumbered()
    {
        Write("t.csv", "1,2,3\n4,5,6\n");
        using var data = Datasets.Csv([folder.Path], [new("x", ["2", "0"], DType.UInt8)], new() { HasHeader = false });
        Assert.Equal([3, 1, 6, 4], data.Tensors(["x"]).SelectMany(t => t[0].Span<byte>().ToArray()));
    }

    [Fact]
    public void AMissingColumnAndABadFieldAreErrorsAtOnce()
    {
        Write("t.csv", "a,b\n1,2\n");
        Assert.Contains("no column 'class'; it has 'a', 'b'", Assert.Throws<InvalidInputException>(() => Datasets.Csv([folder.Path], fields)).Message, StringComparison.Ordinal);
        Assert.Throws<ArgumentException>(() => Datasets.Csv([folder.Path], []));
        Assert.Throws<ArgumentException>(() => Datasets.Csv([folder.Path], [new("x", "a", DType.BFloat16)]));
        Assert.Throws<ArgumentException>(() => Datasets.Csv([folder.Path], [new("x", [])]));
        Assert.Throws<ArgumentException>(() => Datasets.Open([folder.Path]));
    }

    [Fact]
    public void PropertiesOfLinesBecomeFields()
    {
        Write("t.jsonl", """
            {"ids": [[1,2,3],[4,5,6]], "a": 0.5, "b": 1, "ok": true, "text": "grün", "more": {"x": 1}}

            {"text": "\n", "a": -1e2, "b": 2, "ok": false, "ids": [[7,8,9],[0,0,0]]}
            """);
        using var data = Datasets.JsonLines([folder.Path], [new("ids", "ids", DType.Int64), new("ab", ["a", "b"]), new("ok", "ok", DType.Bool), new("text", "text", DType.String)]);
        Assert.Equal(2, data.Count);
        foreach (var batch in new DataLoader(data, new() { BatchSize = 2, Workers = 2 }))
            using (batch)
            {
                Assert.Equal(new Shape(2, 2, 3), batch["ids"].Shape);
                Assert.Equal([1, 2, 3, 4, 5, 6, 7, 8, 9, 0, 0, 0], batch["ids"].Span<long>().ToArray());
                Assert.Equal([0.5f, 1, -100, 2], batch["ab"].Span<float>().ToArray());
                Assert.Equal([1, 0], batch["ok"].Span<byte>().ToArray());
                Assert.Equal(["grün", "\n"], batch["text"].Strings);
            }
        Assert.EndsWith("line 3", data.Locate(1), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("{", "line 2")]
    [InlineData("[1]", "expected an object")]
    [InlineData("{}", "no property 'x'")]
    [InlineData("{\"x\":[[1,2],[3]]}", "different lengths")]
    [InlineData("{\"x\":[[1,2],3]}", "different lengths")]
    [InlineData("{\"x\":[[1,\"2\"]]}", "is no int64")]
    [InlineData("{\"x\":[[1,2.5]]}", "is no int64")]
    [InlineData("{\"x\":null}", "is no int64")]
    [InlineData("{\"x\":[[1]]}", "expected int64[1,2]")]
    [InlineData("{\"x\":[]}", "expected int64[1,2]")]
    public void ABadLineIsItsOwnSamplesError(string line, string says)
    {
        Write("t.jsonl", "{\"x\":[[1,2]]}\n" + line + "\n{\"x\":[[3,4]]}");
        using var loader = new DataLoader(Datasets.JsonLines([folder.Path], [new("x", "x", DType.Int64)]), new() { BatchSize = 3, OnError = SampleErrorPolicy.Skip });
        foreach (var batch in loader)
            using (batch) Assert.Equal([1, 2, 3, 4], batch["x"].Span<long>().ToArray());
        Assert.Contains(says, Assert.Single(loader.Errors).ToString(), StringComparison.Ordinal);
        Assert.Contains("t.jsonl, line 2", loader.Errors[0].ToString(), StringComparison.Ordinal);
    }

    private void Write(string name, string text) => folder.File(name, Encoding.UTF8.GetBytes(text));
}
