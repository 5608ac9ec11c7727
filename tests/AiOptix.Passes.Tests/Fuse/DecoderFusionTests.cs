using AiOptix.Graphs;
using AiOptix.Graphs.Ops;
using AiOptix.Passes.Cleanup;
using AiOptix.Passes.Fuse;
using AiOptix.Tensors;
using static AiOptix.Passes.Tests.Rewriting;

namespace AiOptix.Passes.Tests.Fuse;

/// <summary>Decoders as PyTorch, optimum and hand-written converters export them: shared keys and values, rotary positions.</summary>
[TestsOf<GroupedQueryFusion>, TestsOf<RotaryFusion>]
public class DecoderFusionTests
{
    private static readonly Dim S = Dim.Symbol("S");

    private readonly Graph graph = new("test");

    [Theory]
    [InlineData("Expand")]
    [InlineData("Tile")]
    [InlineData("computed")]
    public void GroupedQueryFusion_reads_shared_keys_where_they_lie(string form)
    {
        var q = graph.Input("q", DType.Float32, N, 6, 5, 8);
        var k = Repeat(graph.Input("k", DType.Float32, N, 2, S, 8), form);
        var v = Repeat(graph.Input("v", DType.Float32, N, 2, S, 8), form);
        var mask = graph.Input("mask", DType.Float32, N, 1, 5, S);
        var scores = graph.Add(new Add(), graph.Add(new MatMul(), q, graph.Add(new Transpose([0, 1, 3, 2]), k)), mask);
        graph.Returning(graph.Add(new MatMul(), graph.Add(new Softmax(-1), scores), v));
        Assert.Equal(2, graph.Check([new AttentionFusion(), new GroupedQueryFusion(), new DeadNodes()]).Applied.Count(a => a.Pass.EndsWith("Fusion", StringComparison.Ordinal)));
        Assert.Equal("Attention", graph.Operators());
        Assert.Equal("[N,2,S,8]", graph.Nodes[0].Input(1)!.Shape!.ToString());
    }

    [Fact]
    public void GroupedQueryFusion_leaves_other_repetitions()
    {
        var q = graph.Input("q", DType.Float32, N, 6, 5, 8);
        var k = graph.Input("k", DType.Float32, N, 2, 7, 8);
        // Whole sets of heads one after the other: head h would share with h mod 2.
        var tiled = graph.Add(new Tile(), k, graph.Integers(1, 3, 1, 1));
        graph.Returning(graph.Add(new Attention(), q, tiled, Repeat(k, "Expand")), graph.Add(new Attention(), q, Repeat(k, "Expand"), graph.Input("v", DType.Float32, N, 6, 7, 8)));
        Assert.Empty(graph.Check(new GroupedQueryFusion()).Applied);
    }

    [Theory]
    [InlineData("Slice")]
    [InlineData("Split")]
    [InlineData("scaled")]
    [InlineData("cast")]
    public void RotaryFusion_turns_two_halves(string form)
    {
        var x = graph.Input("x", DType.Float32, N, 3, S, 8);
        var (cos, sin) = Angles(form);
        graph.Returning(Rotate(x, cos, sin, form == "Split"));
        Assert.Single(graph.Check(new RotaryFusion()).Applied);
        var node = Assert.Single(graph.Nodes, n => n.Operator is RotaryEmbedding);
        Assert.Equal("[N,S,4]", node.Input(1)!.Shape!.ToString());
        Assert.False(((RotaryEmbedding)node.Operator).Interleaved);
    }

    [Theory]
    [InlineData("halves not alike")]
    [InlineData("other sign")]
    [InlineData("other halves")]
    [InlineData("read between")]
    public void RotaryFusion_leaves_other_sums(string form)
    {
        var x = graph.Input("x", DType.Float32, N, 3, S, 8);
        var (cos, sin) = Angles("");
        if (form == "halves not alike") sin = graph.Add(new Unsqueeze(), graph.Input("sin", DType.Float32, N, S, 8), graph.Integers(1));
        var (first, second) = (Part(x, 0, 4), Part(x, 4, 8));
        if (form == "other halves") (first, second) = (second, first);
        var rotated = form == "other sign" ? graph.Add(new Concat(-1), second, graph.Add(new Neg(), first)) : graph.Add(new Concat(-1), graph.Add(new Neg(), second), first);
        graph.Returning(graph.Add(new Add(), graph.Add(new Mul(), x, cos), graph.Add(new Mul(), rotated, sin)));
        if (form == "read between") graph.Returning(rotated);
        Assert.Empty(graph.Check(new RotaryFusion()).Applied);
    }

    [Theory]
    [InlineData(2, false)]
    [InlineData(2, true)]
    [InlineData(1, false)]
    public void RotaryFusion_turns_neighbours(int axis, bool merged)
    {
        var x = graph.Input("x", DType.Float32, N, axis == 2 ? S : 3, axis == 2 ? 3 : S, 4, 2);
        graph.Returning(graph.Add(new Reshape(), Turned(x, axis), merged ? graph.Integers(0, 0, 24) : graph.Integers(0, 0, axis == 2 ? 3 : 0, 8)));
        Assert.Single(graph.Check(new RotaryFusion()).Applied);
        Assert.EndsWith("Reshape Squeeze Squeeze RotaryEmbedding Reshape", graph.Operators(), StringComparison.Ordinal);
        Assert.True(((RotaryEmbedding)graph.Nodes.Single(n => n.Operator is RotaryEmbedding).Operator).Interleaved);
    }

    [Fact]
    public void RotaryFusion_leaves_neighbours_turned_the_other_way()
    {
        var x = graph.Input("x", DType.Float32, N, S, 3, 4, 2);
        graph.Returning(graph.Add(new Reshape(), Turned(x, 2, backwards: true), graph.Integers(0, 0, 3, 8)));
        Assert.Empty(graph.Check(new RotaryFusion()).Applied);
    }

    private Value Repeat(Value x, string form)
    {
        var single = graph.Add(new Unsqueeze(), x, graph.Integers(2));
        var length = x.Shape![2];
        var copies = form switch
        {
            "Tile" => graph.Add(new Tile(), single, graph.Integers(1, 1, 3, 1, 1)),
            "computed" => graph.Add(new Expand(), single, graph.Add(new Concat(0), Extent(x, 0), graph.Integers(2, 3), Extent(x, 2), graph.Integers(8))),
            _ => graph.Add(new Expand(), single, graph.Integers(1, 2, 3, 1, 8)),
        };
        return graph.Add(new Reshape(), copies, length.IsConstant ? graph.Integers(0, 6, length.Constant!.Value, 8) : form == "computed"
            ? graph.Add(new Concat(0), Extent(x, 0), graph.Integers(6), Extent(x, 2), graph.Integers(8)) : graph.Integers(0, 6, -1, 8));
    }

    private Value Extent(Value x, int axis) => graph.Add(new Gather(0), graph.Add(new ShapeOf(), x), graph.Integers(axis));

    private (Value Cos, Value Sin) Angles(string form)
    {
        var angles = graph.Input("angles", DType.Float32, N, S, 4);
        var both = graph.Add(new Concat(-1), angles, angles);
        return (One(new Cos()), One(new Sin()));

        Value One(Operator op)
        {
            var y = graph.Add(op, both);
            if (form == "scaled") y = graph.Add(new Mul(), y, graph.Number(1.5f));
            if (form == "cast") y = graph.Add(new Cast(DType.Float32), y);
            return graph.Add(new Unsqueeze(), y, graph.Integers(1));
        }
    }

    private Value Rotate(Value x, Value cos, Value sin, bool split)
    {
        var halves = split ? graph.Add(new Split(-1), [x, graph.Integers(4, 4)], [null, null]).Outputs.ToArray() : [Part(x, 0, 4), Part(x, 4, long.MaxValue)];
        var rotated = graph.Add(new Concat(-1), graph.Add(new Neg(), halves[1]), halves[0]);
        return graph.Add(new Add(), graph.Add(new Mul(), x, cos), graph.Add(new Mul(), rotated, sin));
    }

    private Value Part(Value x, long start, long end) => graph.Add(new Slice(), x, graph.Integers(start), graph.Integers(end), graph.Integers(3), graph.Integers(1));

    private Value Turned(Value x, int axis, bool backwards = false)
    {
        var (even, odd) = (graph.Add(new Gather(4), x, Scalar(0)), graph.Add(new Gather(4), x, Scalar(1)));
        var cos = graph.Add(new Unsqueeze(), graph.Input("cos", DType.Float32, N, S, 4), graph.Integers(axis));
        var sin = graph.Add(new Unsqueeze(), graph.Input("sin", DType.Float32, N, S, 4), graph.Integers(axis));
        Operator minus = backwards ? new Add() : new Sub(), plus = backwards ? new Sub() : new Add();
        var left = graph.Add(minus, graph.Add(new Mul(), even, cos), graph.Add(new Mul(), odd, sin));
        var right = graph.Add(plus, graph.Add(new Mul(), even, sin), graph.Add(new Mul(), odd, cos));
        return graph.Add(new Concat(4), graph.Add(new Unsqueeze(), left, graph.Integers(4)), graph.Add(new Unsqueeze(), right, graph.Integers(4)));
    }

    private Value Scalar(long value) => graph.AddConstant(Tensor.Scalar(value));
}
