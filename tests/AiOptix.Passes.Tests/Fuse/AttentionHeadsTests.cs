using AiOptix.Graphs;
using AiOptix.Graphs.Ops;
using AiOptix.Passes.Fuse;
using AiOptix.Tensors;
using static AiOptix.Passes.Tests.Rewriting;

namespace AiOptix.Passes.Tests.Fuse;

[TestsOf<AttentionHeads>]
public class AttentionHeadsTests
{
    private readonly Graph graph = new("test");

    [Fact]
    public void Heads_that_were_joined_with_the_batch_come_apart()
    {
        var joined = graph.Add(new Attention(QueryHeads: 1, KeyHeads: 1, Scale: 0.5f), Joined("q", 5, 8), Joined("k", 7, 8), Joined("v", 7, 6));
        graph.Returning(graph.Add(new Reshape(), joined, graph.Integers(-1, 2, 5, 6)));
        Assert.Single(graph.Check(new AttentionHeads()).Applied);
        Assert.Equal(new Attention(Scale: 0.5f), graph.Nodes.Single(n => n.Operator is Attention).Operator);
    }

    [Theory]
    [InlineData("two heads of width 4")]
    [InlineData("a mask")]
    [InlineData("other axes behind")]
    [InlineData("read twice")]
    [InlineData("not joined")]
    public void Other_forms_are_left_alone(string form)
    {
        var heads = form == "two heads of width 4" ? 2 : 1;
        var key = form == "not joined" ? graph.Input("k", DType.Float32, N * 2, 7, 8) : Joined("k", 7, 8);
        Value[] inputs = [Joined("q", 5, 8), key, Joined("v", 7, 6)];
        if (form == "a mask") inputs = [.. inputs, graph.Input("mask", DType.Float32, 5, 7)];
        var joined = graph.Add(new Attention(QueryHeads: heads, KeyHeads: heads, Scale: 0.5f), inputs);
        var apart = graph.Add(new Reshape(), joined, form == "other axes behind" ? graph.Integers(-1, 5, 2, 6) : graph.Integers(-1, 2, 5, 6));
        if (form == "read twice") graph.Returning(apart, joined);
        else graph.Returning(apart);
        Assert.Empty(graph.Check(new AttentionHeads()).Applied);
    }

    private Value Joined(string name, long length, long size) =>
        graph.Add(new Reshape(), graph.Input(name, DType.Float32, N, 2, length, size), graph.Integers(-1, length, size));
}
