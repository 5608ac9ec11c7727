using AiOptix.Graphs;
using AiOptix.Graphs.Ops;
using AiOptix.Passes.Fold;
using AiOptix.Tensors;
using static AiOptix.Passes.Tests.Rewriting;

namespace AiOptix.Passes.Tests.Fold;

[TestsOf<PadFolding>]
public class PadFoldingTests
{
    private readonly Graph graph = new("test");

    [Fact]
    public void PadFolding_goes_into_the_pads_of_a_convolution()
    {
        var x = graph.Input("x", DType.Float32, N, 4, 7, 6);
        var padded = graph.Add(new Pad(), x, graph.Integers(0, 0, 1, 0, 0, 0, 2, 3), graph.Number(0));
        graph.Returning(graph.Add(new Conv([2, 1], [0, 1, 1, 0]), padded, graph.Weights(1, 6, 4, 3, 3)));
        Assert.Single(graph.Check(new PadFolding()).Applied);
        Assert.Equal("Conv", graph.Operators());
    }

    [Fact]
    public void PadFolding_reads_axes_and_serves_several_convolutions()
    {
        var x = graph.Input("x", DType.Float32, N, 4, 7, 6);
        var padded = graph.Add(new Pad(), x, graph.Integers(1, 2, 3, 0), null, graph.Integers(-1, 2));
        graph.Returning(graph.Add(new Conv(AutoPad: AutoPad.Valid), padded, graph.Weights(1, 6, 4, 3, 3)), graph.Add(new Conv(Group: 4), padded, graph.Weights(1, 4, 1, 3, 3)));
        Assert.Equal(2, graph.Check([new PadFolding(), new AiOptix.Passes.Cleanup.DeadNodes()]).Applied.Count(p => p.Pass == nameof(PadFolding)));
        Assert.Equal("Conv Conv", graph.Operators());
    }

    [Theory]
    [InlineData(PadMode.Edge, 0, 0, 1, AutoPad.NotSet)]
    [InlineData(PadMode.Constant, 1, 0, 1, AutoPad.NotSet)]
    [InlineData(PadMode.Constant, 0, 1, 1, AutoPad.NotSet)]
    [InlineData(PadMode.Constant, 0, 0, -1, AutoPad.NotSet)]
    [InlineData(PadMode.Constant, 0, 0, 1, AutoPad.SameUpper)]
    public void PadFolding_leaves_what_is_no_padding_of_zeros(PadMode mode, float value, long channels, long rows, AutoPad autoPad)
    {
        var x = graph.Input("x", DType.Float32, N, 4, 7, 6);
        var padded = graph.Add(new Pad(mode), x, graph.Integers(0, channels, rows, 0, 0, 0, 1, 0), graph.Number(value));
        graph.Returning(graph.Add(new Conv([2, 2], AutoPad: autoPad), padded, graph.Weights(1, 6, 4 + channels, 3, 3)));
        Assert.Empty(graph.Check(new PadFolding()).Applied);
    }
}
