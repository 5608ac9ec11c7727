using AiOptix.Bench.Compare;

namespace AiOptix.Bench.Tests;

public class SummaryTests
{
    private static Comparison Compared(string name, string kind, double ratio, Outcome outcome = Outcome.Compared) => new(new BenchCase(name, name + ".onnx"), 2, outcome)
    {
        Kind = kind,
        Rounds = [.. Enumerable.Repeat(new Round(100, 100 * ratio), 6)],
    };

    [Fact]
    public void TheLastLineGivesTheMeanAndTheLeast()
    {
        var s = new Summary(2, [Compared("a", Kinds.Convolution, 4), Compared("b", Kinds.Small, 1)]);
        Assert.Equal("geomean 2.00 over 2 models, least 1.00 (b), 2 threads", s.Closing());
    }

    [Fact]
    public void ModelsWithoutARatioAreCountedAndNamed()
    {
        var s = new Summary(2,
        [
            Compared("a", Kinds.Convolution, 4),
            Compared("wrong", Kinds.Convolution, 9, Outcome.Failed),
            new(new BenchCase("later", "later.onnx"), 2, Outcome.Unsupported, "uses Foo"),
        ]);
        Assert.Equal(
            ["convolution: 4.00 over 1 models, 2 threads", "unsupported: 1 of 3 models, 2 threads: later", "FAIL: 1 of 3 models, 2 threads: wrong"],
            s.Details());
        Assert.Equal("geomean 4.00 over 1 models, least 4.00 (a), 2 threads", s.Closing());
    }
}
