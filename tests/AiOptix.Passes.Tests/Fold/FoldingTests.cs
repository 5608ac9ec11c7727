using AiOptix.Graphs;
using AiOptix.Graphs.Ops;
using AiOptix.Passes.Fold;
using AiOptix.Tensors;
using static AiOptix.Passes.Tests.Rewriting;

namespace AiOptix.Passes.Tests.Fold;

[TestsOf<ElementsFolding>, TestsOf<ConstantFolding>]
public class FoldingTests
{
    private readonly Graph graph = new("test");

    [Fact]
    public void ElementsFolding_makes_constants_of_known_shapes()
    {
        var x = graph.Input("x", DType.Float32, N, 4, 6);
        var tail = graph.Add(new ShapeOf(1), x);
        var whole = graph.Add(new ShapeOf(), x);
        graph.Returning(graph.Add(new Tile(), x, graph.Add(new Concat(0), graph.Integers(1), tail)), graph.Add(new Flatten(0), whole));
        Assert.Equal(2, graph.Check(new ElementsFolding()).Applied.Count);
        Assert.Equal("Shape Tile Flatten", graph.Operators());
    }

    [Fact]
    public void ConstantFolding_keeps_weights_quantised()
    {
        var x = graph.Input("x", DType.Float32, N, 4);
        var weights = graph.Add(new DequantizeLinear(), graph.AddConstant(Tensor.From<sbyte>([1, -2, 3, -4], new Shape(4, 1))), graph.AddConstant(Tensor.Scalar(0.5f)));
        graph.Returning(graph.Add(new MatMul(), x, weights));
        Assert.Empty(graph.Check(new ConstantFolding(Limits.Default)).Applied);
    }

    [Fact]
    public void ConstantFolding_leaves_what_a_backend_reads_through()
    {
        var turned = graph.Add(new Transpose([1, 0]), graph.AddConstant(Tensor.From<float>([1, 2, 3, 4, 5, 6], new Shape(2, 3))));
        graph.Returning(graph.Add(new MatMul(), graph.Input("x", DType.Float32, N, 3), turned));
        Assert.Empty(graph.Check(new ConstantFolding(Limits.Default, n => n.Operator is Transpose)).Applied);
        Assert.Single(graph.Check(new ConstantFolding(Limits.Default, n => n.Operator is MatMul)).Applied);
    }

    [Fact]
    public void ElementsFolding_leaves_outputs_of_the_graph()
    {
        var x = graph.Input("x", DType.Float32, 4, 6);
        graph.Returning(graph.Add(new ShapeOf(), x));
        Assert.Empty(graph.Check(new ElementsFolding()).Applied);
    }

    [Fact]
    public void ConstantFolding_evaluates_pure_nodes_and_refines_what_is_behind_them()
    {
        var x = graph.Input("x", DType.Float32, 24);
        var flags = graph.AddConstant(Tensor.From<byte>([0, 1, 1, 0], new Shape(4)).Reshape(new Shape(4)));
        var found = graph.Add(new NonZero(), flags);
        var repeats = graph.Add(new Flatten(0), found);
        var row = graph.Add(new Reshape(), repeats, graph.Integers(-1));
        var v = graph.Add(new Tile(), graph.Add(new Reshape(), x, graph.Integers(6, 4)), row);
        graph.Returning(v);
        Assert.False(v.Shape!.Concrete.HasValue);
        graph.Check(new ConstantFolding(Limits.Default));
        Assert.Equal("Reshape Tile", graph.Operators());
        Assert.Equal(new Shape(6, 8), graph.Outputs[0].Shape!.Concrete);
    }

    [Fact]
    public void ConstantFolding_never_makes_much_out_of_little_but_moves_large_weights()
    {
        var x = graph.Input("x", DType.Float32, 1, 400, 400);
        var tiled = graph.Add(new Expand(), graph.Weights(1, 1, 1, 400), graph.Integers(1, 400, 400));
        var turned = graph.Add(new Transpose([0, 2, 1]), graph.Weights(2, 1, 400, 400));
        graph.Returning(graph.Add(new Concat(0), x, tiled, turned));
        Assert.Single(graph.Check(new ConstantFolding(Limits.Default)).Applied);
        Assert.Equal("Expand Concat", graph.Operators());
    }

    [Fact]
    public void ConstantFolding_leaves_a_node_whose_evaluation_fails()
    {
        var x = graph.Input("x", DType.Float32, 4, 1);
        var wrong = graph.Add(new Gather(0), graph.Weights(1, 4), graph.AddConstant(Tensor.From<long>([9], new Shape(1, 1))));
        graph.Returning(graph.Add(new Concat(0), x, wrong));
        Assert.Empty(PassDriver.Run(graph, new() { Pipeline = [new("test", [new ConstantFolding(Limits.Default)])] }).Applied);
    }

    [Fact]
    public void ConstantFolding_respects_limits()
    {
        var x = graph.Input("x", DType.Float32, 100);
        graph.Returning(graph.Add(new Concat(0), x, graph.Add(new Transpose(), graph.Weights(1, 100))));
        Assert.Empty(graph.Check(new ConstantFolding(new Limits { MaxTensorBytes = 399 })).Applied);
        Assert.Single(graph.Check(new ConstantFolding(new Limits { MaxTensorBytes = 400 })).Applied);
    }
}
