using AiOptix.Graphs;
using AiOptix.Graphs.Ops;
using AiOptix.Passes.Cleanup;
using AiOptix.Tensors;
using static AiOptix.Passes.Tests.Rewriting;

namespace AiOptix.Passes.Tests.Cleanup;

[TestsOf<DeadNodes>, TestsOf<DuplicateNodes>, TestsOf<DuplicateConstants>]
public class DuplicateTests
{
    private readonly Graph graph = new("test");

    [Fact]
    public void DeadNodes_removes_chains_and_their_constants_but_no_input()
    {
        var x = graph.Input("x", DType.Float32, N, 4);
        graph.Input("unused", DType.Float32, 2);
        graph.Add(new Transpose(), graph.Add(new Tile(), x, graph.Integers(1, 7)));
        graph.Returning(graph.Add(new Transpose(), x));
        Assert.Single(graph.Check(new DeadNodes()).Applied);
        Assert.Equal("Transpose", graph.Operators());
        Assert.Empty(graph.Constants);
        Assert.Equal(2, graph.Inputs.Count);
    }

    [Fact]
    public void DuplicateNodes_and_DuplicateConstants_merge_equal_nodes_with_equal_structural_constants()
    {
        var x = graph.Input("x", DType.Float32, N, 4);
        var a = graph.Add(new Transpose(), graph.Add(new Tile(), x, graph.Integers(1, 2)));
        var b = graph.Add(new Transpose(), graph.Add(new Tile(), x, graph.Integers(1, 2)));
        var c = graph.Add(new Transpose(), graph.Add(new Tile(), x, graph.Integers(1, 3)));
        graph.Returning(graph.Add(new Concat(0), a, b, c));
        Assert.Equal(3, graph.Check([new DuplicateConstants(), new DuplicateNodes()]).Applied.Count);
        Assert.Equal("Tile Transpose Tile Transpose Concat", graph.Operators());
    }

    [Fact]
    public void DuplicateConstants_keeps_weights_apart_that_happen_to_be_equal()
    {
        var x = graph.Input("x", DType.Float32, 4);
        graph.Returning(graph.Add(new Concat(0), x, graph.Weights(1, 4), graph.Weights(1, 4)));
        Assert.Empty(graph.Check(new DuplicateConstants()).Applied);
    }

    [Fact]
    public void DuplicateNodes_keeps_two_outputs_of_the_graph_apart()
    {
        var x = graph.Input("x", DType.Float32, N, 4);
        graph.Returning(graph.Add(new Transpose(), x), graph.Add(new Transpose(), x));
        Assert.Empty(graph.Check(new DuplicateNodes()).Applied);
    }

    [Fact]
    public void DuplicateNodes_keeps_the_earlier_node_whichever_is_the_output()
    {
        var x = graph.Input("x", DType.Float32, N, 4);
        var a = graph.Add(new Transpose(), x);
        var user = graph.Add(new Flatten(), a);
        var b = graph.Add(new Transpose(), x);
        graph.Returning(user, b);
        Assert.Single(graph.Check(new DuplicateNodes()).Applied);
        Assert.Equal("Transpose Flatten", graph.Operators());
    }
}
