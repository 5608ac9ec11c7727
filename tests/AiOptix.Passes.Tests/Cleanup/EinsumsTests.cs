using AiOptix.Graphs;
using AiOptix.Graphs.Ops;
using AiOptix.Passes.Cleanup;
using AiOptix.Passes.Fold;
using AiOptix.Tensors;

namespace AiOptix.Passes.Tests.Cleanup;

[TestsOf<Einsums>]
public class EinsumsTests
{
    [Fact]
    public void Scores_of_heads_are_a_product_of_transposes()
    {
        var graph = new Graph("g");
        var (q, k) = (graph.Input("q", DType.Float32, Rewriting.N, 5, 2, 8), graph.Input("k", DType.Float32, Rewriting.N, 7, 2, 8));
        graph.Returning(graph.Add(new Einsum("bqhd,bkhd->bhqk"), q, k));
        graph.Check(new Einsums());
        Assert.Equal("Transpose Transpose MatMul", graph.Operators());
    }

    [Fact]
    public void A_projection_of_heads_keeps_its_weights_in_one_matrix()
    {
        var graph = new Graph("g");
        graph.Returning(graph.Add(new Einsum("bld,dhk->blhk"), graph.Input("x", DType.Float32, Rewriting.N, 5, 8), graph.Weights(1, 8, 2, 4)));
        graph.Check([new Einsums(), new ReshapeTargets()]);
        Assert.Equal("Reshape MatMul Reshape", graph.Operators());
    }

    [Fact]
    public void A_sum_over_nothing_is_elementwise()
    {
        var graph = new Graph("g");
        graph.Returning(graph.Add(new Einsum("bi,bj->bij"), graph.Input("x", DType.Float32, Rewriting.N, 5), graph.Input("y", DType.Float32, Rewriting.N, 3)));
        graph.Check(new Einsums());
        Assert.Equal("Unsqueeze Unsqueeze Mul", graph.Operators());
    }

    [Fact]
    public void Integers_stay()
    {
        var graph = new Graph("g");
        graph.Returning(graph.Add(new Einsum("ij,jk"), graph.Input("x", DType.Int32, Rewriting.N, 5), graph.Input("y", DType.Int32, 5, 3)));
        graph.Check(new Einsums());
        Assert.Equal("Einsum", graph.Operators());
    }
}
