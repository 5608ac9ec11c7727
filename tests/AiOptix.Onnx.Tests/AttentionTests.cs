using AiOptix.Graphs;
using AiOptix.Graphs.Ops;
using AiOptix.Tensors;

namespace AiOptix.Onnx.Tests;

/// <summary>Attention in files older than the operator: as products and a Softmax, or, where that form does not hold it, at the opset that has it. The answers stay.</summary>
public class AttentionTests
{
    private const int Batch = 2, Heads = 4, Queries = 5, Keys = 7, Width = 8;

    public static TheoryData<long[]?> Masks => new()
    {
        null, new long[] { Queries, Keys }, new long[] { 1, 1, Queries, Keys }, new long[] { Batch, 1, 1, Keys }, new long[] { 1, Heads, Queries, Keys },
        new long[] { Batch, Heads, Queries, Keys }, new long[] { 1, Keys },
    };

    [Theory]
    [MemberData(nameof(Masks))]
    public void APlainOneIsWrittenOut(long[]? mask)
    {
        foreach (var (scale, keyHeads) in new (float?, int)[] { (null, Heads), (0.3f, Heads), (0.3f, Heads / 2) })
        {
            var graph = Build(new Attention(Scale: scale), keyHeads, mask);
            var again = Rewritten(graph);
            Assert.Equal(17, again.Metadata.Opsets[""]);
            Assert.DoesNotContain(again.Nodes, n => n.Operator is Attention);
            Assert.Equal(2, again.Nodes.Count(n => n.Operator is MatMul));
            Same(graph, again);
        }
    }

    [Theory]
    [MemberData(nameof(Masks))]
    public void AnyOtherOneRaisesTheOpset(long[]? mask)
    {
        foreach (var op in new[] { new Attention(IsCausal: true), new Attention(IsCausal: true, Scale: 0.3f), new Attention(Softcap: 2) })
            StaysWhole(Build(op, Heads, mask));
    }

    [Fact]
    public void AMaskShorterThanTheKeysRaisesTheOpset()
    {
        StaysWhole(Build(new Attention(), Heads, [Batch, 1, Queries, 1]));
        StaysWhole(Build(new Attention(), Heads, [Queries, Keys - 2]));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(Heads)]
    public void ABooleanMaskRaisesTheOpset(int heads) => StaysWhole(Build(new Attention(), Heads, [Batch, heads, Queries, Keys], DType.Bool));

    private static void StaysWhole(Graph graph)
    {
        var again = Rewritten(graph);
        Assert.Equal(23, again.Metadata.Opsets[""]);
        Assert.IsType<Attention>(Assert.Single(again.Nodes).Operator);
        Same(graph, again);
    }

    private static Graph Build(Attention op, int keyHeads, long[]? mask, DType maskType = DType.Float32)
    {
        var graph = new Graph("g") { Metadata = GraphMetadata.Empty with { Opsets = new Dictionary<string, long> { [""] = 17 } } };
        var q = Input("q", Batch, Heads, Queries, Width);
        var k = Input("k", Batch, keyHeads, Keys, Width);
        var v = Input("v", Batch, keyHeads, Keys, Width + 1);
        var m = mask is null ? null : graph.AddInput("mask", new TensorType(maskType, new SymbolicShape([.. mask.Select(d => (Dim)d)])));
        graph.AddOutput(graph.Add(op, m is null ? [q, k, v] : [q, k, v, m], ["y"]).Output);
        return graph;

        Value Input(string name, params long[] shape) => graph.AddInput(name, new TensorType(DType.Float32, new SymbolicShape([.. shape.Select(d => (Dim)d)])));
    }

    private static Graph Rewritten(Graph graph)
    {
        using var file = new MemoryStream();
        OnnxFile.Write(graph, file);
        return OnnxFile.Read(file.ToArray());
    }

    private static void Same(Graph graph, Graph again)
    {
        var random = new Random(3);
        var inputs = graph.Inputs.ToDictionary(i => i.Name, i => (RuntimeValue)Drawn(i, random));
        var (expected, found) = (First(graph), First(again));
        Assert.Equal(expected.Shape, found.Shape);
        var largest = expected.Span<float>().ToArray().Max(Math.Abs);
        Assert.True(largest > 0.1f);
        for (var i = 0; i < expected.Count; i++) Assert.Equal(expected.Span<float>()[i], found.Span<float>()[i], 1e-5f * largest);

        Tensor First(Graph g) => (Tensor)ReferenceEvaluator.Run(g, inputs)[0];
    }

    private static Tensor Drawn(Value input, Random random)
    {
        var t = Tensor.Allocate(input.DType, input.Shape!.Concrete!.Value);
        if (input.DType == DType.Bool)
            for (var i = 0; i < t.Count; i++) t.Bytes[i] = (byte)(i % Keys == 0 ? 1 : random.Next(2));
        else
            foreach (ref var x in t.Span<float>()) x = (float)(random.NextDouble() * 4 - 2);
        return t;
    }
}
