using AiOptix.Graphs;
using AiOptix.Graphs.Ops;
using AiOptix.Passes.Cleanup;
using AiOptix.Passes.Fold;
using AiOptix.Tensors;
using static AiOptix.Passes.Tests.Rewriting;

namespace AiOptix.Passes.Tests.Cleanup;

[TestsOf<NoMovement>, TestsOf<TransposePairs>, TestsOf<ReshapePairs>, TestsOf<ReshapeTargets>]
public class MovementTests
{
    private readonly Graph graph = new("test");

    [Fact]
    public void NoMovement_removes_what_moves_nothing()
    {
        var x = graph.Input("x", DType.Float32, N, 4, 6);
        var v = graph.Add(new Transpose([0, 2, 1]), x);
        v = graph.Add(new Transpose([0, 1, 2]), v);
        v = graph.Add(new Reshape(), v, graph.Integers(0, 6, 4));
        v = graph.Add(new Slice(), v, graph.Integers(0, 0), graph.Integers(int.MaxValue, 6), graph.Integers(0, 1));
        v = graph.Add(new Pad(), v, graph.Integers(0, 0, 0, 0, 0, 0));
        v = graph.Add(new Concat(1), v);
        v = graph.Add(new Expand(), v, graph.Integers(1, 6, 1));
        v = graph.Add(new Tile(), v, graph.Integers(1, 1, 1));
        graph.Returning(v);
        Assert.Equal(7, graph.Check(new NoMovement()).Applied.Count);
        Assert.Equal("Transpose", graph.Operators());
    }

    [Fact]
    public void NoMovement_keeps_a_reversing_slice_a_shifting_pad_and_a_real_transpose()
    {
        var x = graph.Input("x", DType.Float32, N, 4, 4);
        var v = graph.Add(new Slice(), x, graph.Integers(-1), graph.Integers(long.MinValue), graph.Integers(1), graph.Integers(-1));
        Assert.Equal(x.Shape, v.Shape);
        v = graph.Add(new Pad(), v, graph.Integers(0, 1, 0, 0, -1, 0));
        v = graph.Add(new Transpose([0, 2, 1]), v);
        graph.Returning(v);
        Assert.Empty(graph.Check(new NoMovement()).Applied);
    }

    [Fact]
    public void NoMovement_keeps_the_node_between_an_input_and_an_output()
    {
        var x = graph.Input("x", DType.Float32, 2, 3);
        graph.Returning(graph.Add(new Reshape(), x, graph.Integers(2, 3)));
        Assert.Empty(graph.Check(new NoMovement()).Applied);
    }

    [Fact]
    public void NoMovement_hands_an_outputs_name_to_the_value_before_it()
    {
        var x = graph.Input("x", DType.Float32, 2, 3);
        var t = graph.Add(new Transpose(), x);
        graph.Returning(graph.Add(new Reshape(), [t, graph.Integers(3, 2)], ["answer"]).Output);
        Assert.Single(graph.Check(new NoMovement()).Applied);
        Assert.Equal("answer", graph.Nodes[0].Output.Name);
    }

    [Fact]
    public void TransposePairs_merges_and_cancels()
    {
        var x = graph.Input("x", DType.Float32, N, 2, 3, 4);
        var v = graph.Add(new Transpose([0, 2, 3, 1]), graph.Add(new Transpose([0, 3, 1, 2]), graph.Add(new Transpose([1, 0, 2, 3]), x)));
        var w = graph.Add(new Transpose([3, 0, 1, 2]), graph.Add(new Transpose([2, 3, 0, 1]), x));
        graph.Returning(v, w);
        Assert.Equal(3, graph.Check(new TransposePairs()).Applied.Count);
        Assert.Equal("Transpose Transpose", graph.Operators());
    }

    [Fact]
    public void TransposePairs_leaves_a_transpose_that_others_read_unless_the_pair_cancels()
    {
        var x = graph.Input("x", DType.Float32, N, 2, 3);
        var t = graph.Add(new Transpose([2, 0, 1]), x);
        graph.Returning(t, graph.Add(new Transpose([0, 2, 1]), t));
        Assert.Empty(graph.Check(new TransposePairs()).Applied);
    }

    [Fact]
    public void ReshapePairs_merges_chains_of_every_kind()
    {
        var x = graph.Input("x", DType.Float32, N, 1, 4, 6);
        var v = graph.Add(new Squeeze(), x, graph.Integers(1));
        v = graph.Add(new Unsqueeze(), v, graph.Integers(-1));
        v = graph.Add(new Flatten(1), v);
        v = graph.Add(new Reshape(), v, graph.Integers(0, 2, -1));
        graph.Returning(v);
        Assert.Equal(3, graph.Check(new ReshapePairs()).Applied.Count);
        Assert.Equal("Reshape", graph.Operators());
        Assert.Equal([0, 2, 12], graph.Nodes[0].Inputs[1]!.Constant!.ToInt64());
    }

    [Fact]
    public void ReshapePairs_cancels_what_comes_back()
    {
        var x = graph.Input("x", DType.Float32, N, 4);
        var t = graph.Add(new Transpose(), x);
        graph.Returning(graph.Add(new Squeeze(), graph.Add(new Unsqueeze(), t, graph.Integers(0)), graph.Integers(0)));
        Assert.Single(graph.Check(new ReshapePairs()).Applied);
        Assert.Equal("Transpose", graph.Operators());
    }

    [Fact]
    public void ReshapePairs_works_on_empty_tensors_and_leaves_what_no_constant_can_say()
    {
        var x = graph.Input("x", DType.Float32, N, Dim.Symbol("S"), 6);
        var v = graph.Add(new Unsqueeze(), graph.Add(new Flatten(2), x), graph.Integers(0, 3));
        var w = graph.Add(new Flatten(1), graph.Add(new Unsqueeze(), x, graph.Integers(1)));
        graph.Returning(v, w);
        graph.Check(new ReshapePairs(), batch: 0);
        Assert.Equal("Reshape Unsqueeze Flatten", graph.Operators());
    }

    [Fact]
    public void ReshapeTargets_makes_calculated_targets_constant()
    {
        var x = graph.Input("x", DType.Float32, N, 5, 12);
        var shape = graph.Add(new ShapeOf(), x);
        var batch = graph.Add(new Unsqueeze(), graph.Add(new Gather(0), shape, graph.AddConstant(Tensor.Scalar(0L))), graph.Integers(0));
        var target = graph.Add(new Concat(0), batch, graph.Integers(5), graph.Integers(3), graph.Integers(4));
        graph.Returning(graph.Add(new Reshape(), x, target));
        Assert.Single(graph.Check(new ReshapeTargets(), batch: 0).Applied);
        Assert.Equal("Reshape", graph.Operators());
        Assert.Equal([0, 5, 3, 4], graph.Nodes[0].Inputs[1]!.Constant!.ToInt64());
    }
}
