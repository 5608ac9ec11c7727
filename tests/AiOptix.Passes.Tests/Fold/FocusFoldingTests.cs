using AiOptix.Graphs;
using AiOptix.Graphs.Ops;
using AiOptix.Passes.Cleanup;
using AiOptix.Passes.Fold;
using AiOptix.Tensors;
using static AiOptix.Passes.Tests.Rewriting;

namespace AiOptix.Passes.Tests.Fold;

[TestsOf<FocusFolding>]
public class FocusFoldingTests
{
    private readonly Graph graph = new("test");

    [Theory]
    [InlineData(false, 1)]
    [InlineData(true, 1)]
    [InlineData(true, 2)]
    public void FocusFolding_has_the_convolution_slide_over_the_image(bool atOnce, int stride)
    {
        var x = graph.Input("x", DType.Float32, N, 3, 12, 16);
        var focus = graph.Add(new Concat(1), [.. new[] { (0, 0), (1, 0), (0, 1), (1, 1) }.Select(p => atOnce ? Both(x, p.Item1, p.Item2) : Every(Every(x, 2, p.Item1), 3, p.Item2))]);
        graph.Returning(graph.Add(new Conv([stride, stride], [1, 0, 1, 2]), focus, graph.Weights(1, 6, 12, 3, 2), graph.Weights(2, 6)));
        Assert.Single(graph.Check([new FocusFolding(), new DeadNodes()]).Applied, p => p.Pass == nameof(FocusFolding));
        Assert.Equal("Conv", graph.Operators());
    }

    [Fact]
    public void FocusFolding_reads_lines_of_three()
    {
        var x = graph.Input("x", DType.Float32, N, 2, 15);
        graph.Returning(graph.Add(new Conv(AutoPad: AutoPad.Valid), graph.Add(new Concat(-2), Every(x, 2, 2, 3), Every(x, 2, 0, 3), Every(x, 2, 1, 3)), graph.Weights(1, 5, 6, 3)));
        Assert.Single(graph.Check([new FocusFolding(), new DeadNodes()]).Applied, p => p.Pass == nameof(FocusFolding));
    }

    [Theory]
    [InlineData("an offset twice")]
    [InlineData("another image")]
    [InlineData("many channels")]
    [InlineData("cut short")]
    [InlineData("dilated")]
    [InlineData("read elsewhere")]
    public void FocusFolding_leaves_what_is_none(string what)
    {
        var channels = what == "many channels" ? 5 : 3;
        var x = graph.Input("x", DType.Float32, N, channels, 12, 16);
        var y = what == "another image" ? graph.Input("y", DType.Float32, N, channels, 12, 16) : x;
        var z = what == "cut short" ? graph.Input("z", DType.Float32, N, channels, 14, 16) : x;
        var focus = graph.Add(new Concat(1), End(z, 0, 0), End(z, 1, 0), End(z, 0, 1), End(y, what == "an offset twice" ? 0 : 1, 1));
        var dilation = what == "dilated" ? 2 : 1;
        var result = graph.Add(new Conv(Dilations: [dilation, dilation]), focus, graph.Weights(1, 6, 4 * channels, 3, 3));
        if (what == "read elsewhere") graph.Returning(result, graph.Add(new Relu(), focus));
        else graph.Returning(result);
        Assert.Empty(graph.Check(new FocusFolding()).Applied);

        Value End(Value v, long row, long column) => Every(graph.Add(new Slice(), v, graph.Integers(row), graph.Integers(12), graph.Integers(2), graph.Integers(2)), 3, column);
    }

    private Value Every(Value v, long axis, long start, long step = 2) => graph.Add(new Slice(), v, graph.Integers(start), graph.Integers(long.MaxValue), graph.Integers(axis), graph.Integers(step));

    private Value Both(Value v, long row, long column) => graph.Add(new Slice(), v, graph.Integers(row, column), graph.Integers(long.MaxValue, long.MaxValue), graph.Integers(2, 3), graph.Integers(2, 2));
}
