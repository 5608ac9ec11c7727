using AiOptix.Graphs;
using AiOptix.Graphs.Ops;
using AiOptix.Passes.Fold;
using AiOptix.Tensors;
using static AiOptix.Passes.Tests.Rewriting;

namespace AiOptix.Passes.Tests.Fold;

[TestsOf<BatchNormFolding>, TestsOf<ChannelConstantFolding>]
public class WeightFoldingTests
{
    private readonly Graph graph = new("test");

    [Theory]
    [InlineData(false, 1)]
    [InlineData(true, 1)]
    [InlineData(true, 2)]
    public void BatchNormFolding_goes_into_a_convolution(bool bias, long group)
    {
        var x = graph.Input("x", DType.Float32, N, 4, 7, 6);
        var op = new Conv(Pads: [1, 1, 1, 1], Group: group);
        var y = bias ? graph.Add(op, x, graph.Weights(1, 6, 4 / group, 3, 3), graph.Weights(2, 6)) : graph.Add(op, x, graph.Weights(1, 6, 4 / group, 3, 3));
        graph.Returning(graph.Add(new Relu(), Norm(y, 6)));
        Assert.Single(graph.Check(new BatchNormFolding()).Applied);
        Assert.Equal("Conv Relu", graph.Operators());
        Assert.Equal(2, graph.Constants.Count());
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public void BatchNormFolding_goes_into_a_transposed_convolution(long group)
    {
        var x = graph.Input("x", DType.Float32, N, 4, 5, 5);
        var y = graph.Add(new ConvTranspose(Strides: [2, 2], Group: group), x, graph.Weights(1, 4, 6 / group, 3, 3));
        graph.Returning(Norm(y, 6));
        Assert.Single(graph.Check(new BatchNormFolding()).Applied);
        Assert.Equal("ConvTranspose", graph.Operators());
    }

    [Theory]
    [InlineData(false, 0)]
    [InlineData(true, 1)]
    [InlineData(true, 2)]
    public void BatchNormFolding_goes_into_a_matrix_product(bool transposed, int biasRank)
    {
        var x = graph.Input("x", DType.Float32, N, 8);
        var w = transposed ? graph.Weights(1, 5, 8) : graph.Weights(1, 8, 5);
        Value?[] inputs = biasRank switch { 0 => [x, w], 1 => [x, w, graph.Weights(2, 5)], _ => [x, w, graph.Weights(2, 1, 5)] };
        graph.Returning(Norm(graph.Add(new Gemm(0.5f, 3, TransB: transposed), inputs), 5));
        Assert.Single(graph.Check(new BatchNormFolding()).Applied);
        Assert.Equal("Gemm", graph.Operators());
    }

    [Fact]
    public void BatchNormFolding_leaves_a_sum_behind_MatMul()
    {
        var x = graph.Input("x", DType.Float32, N, 8);
        graph.Returning(Norm(graph.Add(new MatMul(), x, graph.Weights(1, 8, 5)), 5));
        Assert.Single(graph.Check(new BatchNormFolding()).Applied);
        Assert.Equal("MatMul Add", graph.Operators());
    }

    [Fact]
    public void BatchNormFolding_stays_where_others_read_or_nothing_is_known()
    {
        var x = graph.Input("x", DType.Float32, N, 4, 5, 5);
        var shared = graph.Add(new Conv(), x, graph.Weights(1, 4, 4, 1, 1));
        var output = graph.Add(new Conv(), x, graph.Weights(2, 4, 4, 1, 1));
        var unknown = graph.Add(new Conv(), x, graph.Input("w", DType.Float32, 4, 4, 1, 1));
        var square = graph.Add(new Gemm(), graph.Input("m", DType.Float32, 4, 4), graph.Weights(3, 4, 4), graph.Weights(4, 4, 4));
        graph.Returning(graph.Add(new Add(), Norm(shared, 4), graph.Add(new Relu(), shared)), output, Norm(output, 4), Norm(unknown, 4), Norm(x, 4), Norm(square, 4));
        Assert.Empty(graph.Check(new BatchNormFolding()).Applied);
    }

    [Fact]
    public void BatchNormFolding_does_not_copy_large_weights_that_others_use()
    {
        var x = graph.Input("x", DType.Float32, 1, 130, 1, 1);
        var w = graph.Weights(1, 130, 130, 1, 1);
        graph.Returning(Norm(graph.Add(new Conv(), x, w), 130), graph.Add(new Conv(), graph.Add(new Relu(), x), w));
        Assert.Empty(graph.Check(new BatchNormFolding()).Applied);
    }

    [Fact]
    public void ChannelConstantFolding_takes_scales_and_shifts()
    {
        var x = graph.Input("x", DType.Float32, N, 3, 5, 5);
        var v = graph.Add(new Conv(), x, graph.Weights(1, 6, 3, 2, 2));
        v = graph.Add(new Mul(), graph.Weights(2, 6, 1, 1), v);
        v = graph.Add(new Add(), v, graph.Weights(3, 1, 6, 1, 1));
        v = graph.Add(new Sub(), v, graph.Number(0.7f));
        v = graph.Add(new Div(), v, graph.Number(3));
        graph.Returning(v);
        Assert.Equal(4, graph.Check(new ChannelConstantFolding()).Applied.Count);
        Assert.Equal("Conv", graph.Operators());
    }

    [Fact]
    public void ChannelConstantFolding_adds_no_bias_for_a_scale_alone()
    {
        var x = graph.Input("x", DType.Float32, N, 3, 5, 5);
        graph.Returning(graph.Add(new Mul(), graph.Add(new ConvTranspose(), x, graph.Weights(1, 3, 4, 2, 2)), graph.Weights(2, 1, 4, 1, 1)));
        Assert.Single(graph.Check(new ChannelConstantFolding()).Applied);
        Assert.Equal(2, graph.Nodes[0].Inputs.Count);
    }

    [Fact]
    public void ChannelConstantFolding_leaves_other_axes_residuals_and_reversed_differences()
    {
        var x = graph.Input("x", DType.Float32, 1, 4, 4, 4);
        Value Product(int seed) => graph.Add(new Conv(), x, graph.Weights(seed, 4, 4, 1, 1));
        graph.Returning(
            graph.Add(new Mul(), Product(1), graph.Weights(2, 4)),
            graph.Add(new Add(), Product(3), graph.Weights(4, 1, 4, 4, 1)),
            graph.Add(new Add(), Product(5), x),
            graph.Add(new Sub(), graph.Number(1), Product(6)),
            graph.Add(new Div(), graph.Number(1), graph.Add(new Relu(), Product(7))),
            graph.Add(new Add(), Product(8), graph.Weights(9, 2, 4, 1, 1)),
            graph.Add(new Div(), Product(10), graph.Number(0)));
        Assert.Empty(graph.Check(new ChannelConstantFolding()).Applied);
    }

    private Value Norm(Value y, long channels) => graph.Add(new BatchNormalization(1e-3f), y, graph.Weights(11, channels), graph.Weights(12, channels),
        graph.Weights(13, channels), graph.AddConstant(Positive(channels)));

    private static Tensor Positive(long count)
    {
        var t = Random(DType.Float32, new Shape(count), new Random(14));
        foreach (ref var v in t.Span<float>()) v = MathF.Abs(v) + 0.1f;
        return t;
    }
}
