using AiOptix.Graphs.Ops;
using AiOptix.Tensors;

namespace AiOptix.Graphs.Tests.Ops;

/// <summary>What contradicts an operator's contract is refused with a message that names node, input and expectation.</summary>
public class ContractTests
{
    [Fact]
    public void Channels_that_do_not_fit()
    {
        var e = Refused(g => g.Add(new Conv(), g.Input("x", DType.Float32, 1, 3, 8, 8), g.Input("w", DType.Float32, 4, 2, 3, 3)));
        Assert.Contains("3 channels", e, StringComparison.Ordinal);
        Assert.Contains("Conv '", e, StringComparison.Ordinal);
    }

    [Fact]
    public void A_window_that_does_not_fit() =>
        Assert.Contains("does not fit axis 2", Refused(g => g.Add(new MaxPool([9, 9]), g.Input("x", DType.Float32, 1, 3, 4, 8))), StringComparison.Ordinal);

    [Fact]
    public void Types_that_do_not_fit() =>
        Assert.Contains("type int64", Refused(g => g.Add(new Softmax(), g.Input("x", DType.Int64, 3))), StringComparison.Ordinal);

    [Theory]
    [InlineData(7)]
    [InlineData(-5)]
    public void An_axis_out_of_range(long axis) =>
        Assert.Contains($"axis {axis}", Refused(g => g.Add(new Gather(axis), g.Input("x", DType.Float32, 3, 4), g.Ints(0))), StringComparison.Ordinal);

    [Fact]
    public void A_known_index_out_of_range() =>
        Assert.Contains("index 3", Refused(g => g.Add(new Gather(), g.Input("x", DType.Float32, 3), g.Ints(3))), StringComparison.Ordinal);

    [Fact]
    public void Elements_that_do_not_fill_a_shape() =>
        Assert.Contains("12 elements", Refused(g => g.Add(new Reshape(), g.Input("x", DType.Float32, 3, 4), g.Ints(5, 3))), StringComparison.Ordinal);

    [Fact]
    public void Axes_named_twice() =>
        Assert.Contains("twice", Refused(g => g.Add(new Unsqueeze(), g.Input("x", DType.Float32, 3), g.Ints(0, -3))), StringComparison.Ordinal);

    [Fact]
    public void An_index_that_only_a_run_shows()
    {
        var g = Build.Empty();
        g.AddOutput(g.Add(new GatherND(), g.Input("x", DType.Float32, 3), g.Input("i", DType.Int64, 1, 1)));
        var e = Assert.Throws<InvalidInputException>(() => ReferenceEvaluator.Run(g,
            new Dictionary<string, RuntimeValue> { ["x"] = Build.Counting(3), ["i"] = Tensor.From<long>([-4], new Shape(1, 1)) }));
        Assert.Contains("index -4", e.Message, StringComparison.Ordinal);
    }

    private static string Refused(Action<Graph> build) => Assert.Throws<InvalidGraphException>(() => build(Build.Empty())).Message;
}
