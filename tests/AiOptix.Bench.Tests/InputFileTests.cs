using AiOptix.Bench.Compare;
using AiOptix.Tensors;

namespace AiOptix.Bench.Tests;

public sealed class InputFileTests : IDisposable
{
    private readonly string path = Path.GetTempFileName();

    public void Dispose() => File.Delete(path);

    [Fact]
    public void WhatIsWrittenIsRead()
    {
        var inputs = new Dictionary<string, Tensor>
        {
            ["image"] = Tensor.From<float>([1, 2, 3, 4, 5, 6], new Shape(2, 3)),
            ["length"] = Tensor.Scalar(7L),
            ["text"] = Tensor.FromStrings(["a", "ö"], new Shape(2)),
            ["none"] = Tensor.Allocate(DType.UInt8, new Shape(0)),
        };
        InputFile.Write(path, inputs);
        var read = InputFile.Read(path);
        Assert.Equal(inputs.Keys, read.Keys);
        Assert.All(inputs, p => Assert.True(p.Value.BitEquals(read[p.Key]), p.Key));
    }
}
