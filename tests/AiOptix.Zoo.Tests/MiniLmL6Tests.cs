using AiOptix.Graphs;
using AiOptix.Graphs.Ops;
using AiOptix.Tensors;

namespace AiOptix.Zoo.Tests;

public class MiniLmL6Tests
{
    private const int Tokens = 12;

    private static readonly ZooEntry entry = ModelZoo.Find("minilm-l6");

    [Fact]
    public void ItIsDecomposedAsInTheExport()
    {
        var counts = Built.Of("minilm-l6").Nodes.CountBy(n => n.Operator.Name).ToDictionary();
        Assert.Equal(6 * 8, counts["MatMul"]);
        Assert.Equal(6, counts["Softmax"]);
        Assert.Equal(6, counts["Erf"]);
        Assert.Equal(2 * 13, counts["ReduceMean"]);
        Assert.Equal(13, counts["Sqrt"]);
        Assert.Equal(6 * 4, counts["Reshape"]);
        Assert.Equal(6 * 4, counts["Transpose"]);
        Assert.Equal(4, counts["Gather"] - counts["Shape"] + 1);
    }

    [Fact]
    public void ActivationsStayVariedInEveryLayerAndSentencesApart()
    {
        var inputs = entry.Inputs(1, new Dictionary<string, long> { ["batch"] = 2, ["sequence"] = Tokens });
        var values = Activations.Of(entry.Build(), inputs, n => n.Operator is MatMul or Softmax or Mul);
        foreach (var (name, v) in values)
        {
            Assert.All(v, x => Assert.True(float.IsFinite(x), name));
            if (v.Any(x => x != 0)) Assert.InRange(Activations.Deviation(v), 0.05, 20);
        }
        var hidden = values["last_hidden_state"];
        Assert.Equal(2 * Tokens * 384, hidden.Length);
        Assert.InRange(Activations.Likeness(hidden.AsSpan(0, hidden.Length / 2), hidden.AsSpan(hidden.Length / 2)), -1, 0.9);
    }

    [Fact]
    public void AttentionLooksAtSomeTokensMoreThanAtOthers()
    {
        var inputs = entry.Inputs(3, new Dictionary<string, long> { ["sequence"] = Tokens });
        var values = Activations.Of(entry.Build(), inputs, n => n.Operator is Softmax);
        foreach (var v in values.Where(p => p.Key.Contains("Softmax", StringComparison.Ordinal)).Select(p => p.Value))
            Assert.InRange(v.Chunk(Tokens).Average(row => row.Max()), 2.0 / Tokens, 0.9);
    }

    [Fact]
    public void AMaskedTokenChangesNothing()
    {
        var inputs = new Dictionary<string, RuntimeValue>(entry.Inputs(4, new Dictionary<string, long> { ["sequence"] = 5 }));
        ((Tensor)inputs["attention_mask"]).Span<long>()[4] = 0;
        var graph = Built.Of("minilm-l6");
        var before = FirstToken(graph, inputs);
        ((Tensor)inputs["input_ids"]).Span<long>()[4] ^= 1;
        Assert.Equal(before, FirstToken(graph, inputs));
    }

    private static float[] FirstToken(Graph graph, IReadOnlyDictionary<string, RuntimeValue> inputs)
    {
        using var tokens = (Tensor)ReferenceEvaluator.Run(graph, inputs)[0];
        return tokens.Span<float>()[..384].ToArray();
    }
}
