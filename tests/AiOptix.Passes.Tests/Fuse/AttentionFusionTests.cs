using AiOptix.Graphs;
using AiOptix.Graphs.Ops;
using AiOptix.Passes.Fuse;
using AiOptix.Tensors;
using static AiOptix.Passes.Tests.Rewriting;

namespace AiOptix.Passes.Tests.Fuse;

[TestsOf<AttentionFusion>]
public class AttentionFusionTests
{
    private readonly Graph graph = new("test");

    [Theory]
    [InlineData("product / root", 0)]
    [InlineData("q", 0)]
    [InlineData("both", 0)]
    [InlineData("before the transpose", 0)]
    [InlineData("none", 0)]
    [InlineData("product / root", 4)]
    [InlineData("both", 2)]
    [InlineData("q", 3)]
    public void Scales_and_masks_wherever_they_stand(string form, int maskRank)
    {
        var q = graph.Input("q", DType.Float32, N, 2, 5, 8);
        var k = graph.Input("k", DType.Float32, N, 2, 7, 8);
        var v = graph.Input("v", DType.Float32, N, 2, 7, 6);
        var mask = maskRank switch
        {
            2 => graph.Input("mask", DType.Float32, 5, 7),
            3 => graph.Input("mask", DType.Float32, 2, 1, 7),
            4 => graph.Input("mask", DType.Float32, N, 1, 5, 7),
            _ => null,
        };
        graph.Returning(Attend(q, k, v, mask, form, [0, 1, 3, 2]));
        Assert.Single(graph.Check(new AttentionFusion()).Applied);
        Assert.Equal("Attention", graph.Operators());
        var expected = form == "none" ? 1 : (float)(1 / Math.Sqrt(8));
        Assert.Equal(expected, ((Attention)graph.Nodes[0].Operator).Scale!.Value, 1e-6f);
    }

    [Fact]
    public void A_transpose_into_heads_and_of_the_keys_is_split()
    {
        var q = graph.Add(new Transpose([0, 2, 1, 3]), graph.Input("q", DType.Float32, N, Dim.Symbol("S"), 2, 8));
        var k = graph.Input("k", DType.Float32, N, Dim.Symbol("S"), 2, 8);
        var v = graph.Add(new Transpose([0, 2, 1, 3]), graph.Input("v", DType.Float32, N, Dim.Symbol("S"), 2, 8));
        graph.Returning(Attend(q, k, v, null, "product / root", [0, 2, 3, 1]));
        Assert.Single(graph.Check(new AttentionFusion()).Applied);
        Assert.Equal("Transpose Transpose Transpose Attention", graph.Operators());
    }

    [Fact]
    public void Three_axes_are_one_head()
    {
        var q = graph.Input("q", DType.Float32, N, 5, 8);
        graph.Returning(Attend(q, graph.Input("k", DType.Float32, N, 7, 8), graph.Input("v", DType.Float32, N, 7, 8), graph.Input("mask", DType.Float32, 1, 5, 7), "q", [0, 2, 1]));
        Assert.Single(graph.Check(new AttentionFusion()).Applied);
        Assert.Equal("Attention", graph.Operators());
    }

    [Fact]
    public void Zeros_for_rows_that_may_attend_nothing_are_taken_in()
    {
        var (q, k, v) = Inputs();
        var mask = graph.AddConstant(Tensor.From([0, float.NegativeInfinity, 0, float.NegativeInfinity, float.NegativeInfinity, float.NegativeInfinity], new Shape(2, 3)));
        graph.Returning(Attend(q, k, v, mask, "where", [0, 1, 3, 2]));
        Assert.Single(graph.Check(new AttentionFusion()).Applied);
        Assert.Equal("Attention", graph.Operators());
    }

    [Fact]
    public void Other_mathematics_is_left_alone()
    {
        var (q, k, v) = Inputs();
        var one = graph.Input("one", DType.Float32, N, 2, 2, 1);
        var single = graph.Input("single", DType.Float32, 1, 1, 3, 8);
        var scores = graph.Add(new MatMul(), q, graph.Add(new Transpose([0, 1, 3, 2]), k));
        var late = graph.Add(new Mul(), graph.Add(new Add(), scores, one), graph.Number(2));
        var perKey = graph.Add(new Mul(), graph.Add(new MatMul(), q, graph.Add(new Transpose([0, 1, 3, 2]), k)), graph.Weights(1, 3));
        var read = graph.Add(new Softmax(), graph.Add(new MatMul(), q, graph.Add(new Transpose([0, 1, 3, 2]), k)));
        graph.Returning(
            Attend(q, k, v, one, "q", [0, 1, 3, 2]),
            Attend(q, single, v, null, "q", [0, 1, 3, 2]),
            graph.Add(new MatMul(), graph.Add(new Softmax(), late), v),
            graph.Add(new MatMul(), graph.Add(new Softmax(), perKey), v),
            graph.Add(new MatMul(), read, v), read,
            graph.Add(new MatMul(), graph.Add(new Softmax(-2), graph.Add(new MatMul(), q, graph.Add(new Transpose([0, 1, 3, 2]), k))), v));
        Assert.Empty(graph.Check(new AttentionFusion()).Applied);
    }

    [Fact]
    public void A_mask_for_every_batch_entry_of_three_axes_is_left_alone()
    {
        var q = graph.Input("q", DType.Float32, N, 5, 8);
        graph.Returning(Attend(q, graph.Input("k", DType.Float32, N, 7, 8), graph.Input("v", DType.Float32, N, 7, 8), graph.Input("mask", DType.Float32, N, 5, 7), "q", [0, 2, 1]));
        Assert.Empty(graph.Check(new AttentionFusion()).Applied);
    }

    private (Value Q, Value K, Value V) Inputs() =>
        (graph.Input("q", DType.Float32, N, 2, 2, 8), graph.Input("k", DType.Float32, N, 2, 3, 8), graph.Input("v", DType.Float32, N, 2, 3, 8));

    private Value Attend(Value q, Value k, Value v, Value? mask, string form, long[] perm)
    {
        var root = graph.Number((float)Math.Sqrt(8));
        var half = graph.Number((float)Math.Pow(8, -0.25));
        if (form is "q" or "where") q = graph.Add(new Div(), q, root);
        if (form is "both" or "before the transpose") q = graph.Add(new Mul(), q, half);
        if (form == "before the transpose") k = graph.Add(new Mul(), half, k);
        k = graph.Add(new Transpose(new(perm)), k);
        if (form == "both") k = graph.Add(new Mul(), k, half);
        var scores = graph.Add(new MatMul(), q, k);
        if (form == "product / root") scores = graph.Add(new Div(), scores, root);
        if (mask is not null) scores = graph.Add(new Add(), scores, mask);
        var weights = graph.Add(new Softmax(), scores);
        if (form == "where") weights = graph.Add(new Where(), graph.Add(new IsNaN(), weights), graph.Number(0), weights);
        return graph.Add(new MatMul(), weights, v);
    }
}
