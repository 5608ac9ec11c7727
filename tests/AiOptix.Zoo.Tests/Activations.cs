using AiOptix.Graphs;
using AiOptix.Tensors;

namespace AiOptix.Zoo.Tests;

/// <summary>What values inside a model look like in one reference evaluation.</summary>
internal static class Activations
{
    /// <summary>The chosen values and the model's outputs, by name.</summary>
    public static IReadOnlyDictionary<string, float[]> Of(Graph graph, IReadOnlyDictionary<string, RuntimeValue> inputs, Func<Node, bool> chosen)
    {
        foreach (var v in graph.Nodes.Where(chosen).Select(n => n.Output).Where(v => v.OutputUses == 0).ToArray()) graph.AddOutput(v);
        var results = ReferenceEvaluator.Run(graph, inputs);
        return graph.Outputs.Zip(results).Where(p => p.Second is Tensor { DType: DType.Float32 }).ToDictionary(p => p.First.Name, p => ((Tensor)p.Second).Span<float>().ToArray(), StringComparer.Ordinal);
    }

    public static double Deviation(IReadOnlyCollection<float> values)
    {
        var mean = values.Average(v => (double)v);
        return Math.Sqrt(values.Average(v => (v - mean) * (v - mean)));
    }

    /// <summary>The cosine of the angle between two vectors.</summary>
    public static double Likeness(ReadOnlySpan<float> a, ReadOnlySpan<float> b)
    {
        var (ab, aa, bb) = (0.0, 0.0, 0.0);
        for (var i = 0; i < a.Length; i++)
        {
            ab += (double)a[i] * b[i];
            aa += (double)a[i] * a[i];
            bb += (double)b[i] * b[i];
        }
        return ab / Math.Sqrt(aa * bb);
    }
}
