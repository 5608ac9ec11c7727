using AiOptix.Graphs;
using AiOptix.Graphs.Ops;
using AiOptix.Passes.Cleanup;
using AiOptix.Tensors;
using static AiOptix.Passes.Tests.Rewriting;

namespace AiOptix.Passes.Tests.Cleanup;

/// <summary>What a converter from channels-last to channels-first leaves behind: a Transpose before and after every block.</summary>
[TestsOf<TransposesAround>]
public class TransposesAroundTests
{
    private readonly Graph graph = new("test");
    private readonly Value x;

    public TransposesAroundTests() => x = graph.Input("x", DType.Float32, N, 4, 5, 3);

    [Theory]
    [InlineData("activation", "Relu")]
    [InlineData("chain", "Add Mul Clip Sigmoid")]
    [InlineData("two", "Mul Add")]
    [InlineData("concat", "Concat")]
    [InlineData("softmax", "Softmax")]
    [InlineData("mean", "ReduceMean")]
    public void WhatUndoesAnEarlierOneGoesAway(string form, string expected)
    {
        var first = First(x);
        var value = form switch
        {
            "activation" => graph.Add(new Relu(), first),
            "chain" => graph.Add(new Sigmoid(), graph.Add(new Clip(), graph.Add(new Mul(), graph.Add(new Add(), first, graph.Weights(1, 3, 1, 1)), graph.Number(2)), graph.Number(-1), graph.Number(1))),
            "two" => graph.Add(new Add(), graph.Add(new Mul(), first, graph.Weights(2, 4, 5)), First(x)),
            "concat" => graph.Add(new Concat(1), first, First(x)),
            "softmax" => graph.Add(new Softmax(1), first),
            _ => graph.Add(new ReduceMean(true), first, graph.Integers(2, -1)),
        };
        graph.Returning(graph.Add(new Transpose([0, 2, 3, 1]), value));
        Assert.Single(graph.Check(new TransposesAround()).Applied);
        Assert.Equal(expected, graph.Operators());
    }

    [Fact]
    public void WhatDoesNotUndoItIsMergedWithIt()
    {
        graph.Returning(graph.Add(new Transpose([0, 1, 3, 2]), graph.Add(new Exp(), First(x))));
        Assert.Single(graph.Check(new TransposesAround()).Applied);
        Assert.Equal("Exp Transpose", graph.Operators());
        Assert.Equal([0, 3, 2, 1], ((Transpose)graph.Nodes[1].Operator).Perm);
    }

    [Theory]
    [InlineData("read")]
    [InlineData("other permutation")]
    [InlineData("input")]
    [InlineData("axes dropped")]
    [InlineData("slope a channel")]
    public void OthersStay(string form)
    {
        var first = First(x);
        var value = form switch
        {
            "read" => graph.Add(new Relu(), first),
            "other permutation" => graph.Add(new Add(), first, graph.Add(new Transpose([3, 0, 1, 2]), graph.Input("y", DType.Float32, 3, 4, 5, N))),
            "input" => graph.Add(new Add(), first, graph.Input("y", DType.Float32, N, 3, 4, 5)),
            "axes dropped" => graph.Add(new Unsqueeze(), graph.Add(new ReduceMax(false), first, graph.Integers(1)), graph.Integers(1)),
            _ => graph.Add(new PRelu(), first, graph.Weights(3, 3, 1, 1)),
        };
        if (form == "read") graph.Returning(graph.Add(new Neg(), value));
        graph.Returning(graph.Add(new Transpose([0, 2, 3, 1]), value));
        Assert.Empty(graph.Check(new TransposesAround()).Applied);
    }

    private Value First(Value value) => graph.Add(new Transpose([0, 3, 1, 2]), value);
}
