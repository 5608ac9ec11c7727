using AiOptix.Graphs;
using AiOptix.Graphs.Ops;
using AiOptix.Tensors;

namespace AiOptix.Passes.Quantize;

/// <summary>
/// Moves the spread between channels from activations into weights (Xiao et al., SmoothQuant, 2023): behind a normalisation, channel j is divided by
/// s = max|x|^strength / max|w|^(1 - strength), which its scale and bias take in, and the weights of the products that read it are multiplied. The mathematics stays the same.
/// </summary>
public static class Smoothing
{
    /// <summary>The normalisations whose results only products with constant weights read, with those products.</summary>
    public static IReadOnlyList<(Node Norm, IReadOnlyList<QuantizableProduct> Products)> Places(Graph graph)
    {
        var places = new List<(Node, IReadOnlyList<QuantizableProduct>)>();
        foreach (var node in graph.Nodes)
        {
            if (node.Operator is not (LayerNormalization or RMSNormalization) || node.Output.OutputUses > 0 || node.Outputs.Skip(1).Any(o => !o.IsUnused)) continue;
            if (node.Input(1)?.Constant is not { DType: DType.Float32, Shape.Rank: 1 } scale || node.Input(2) is { } b && b.Constant?.Shape != scale.Shape || node.Output.DType != DType.Float32) continue;
            var products = node.Output.Users.Select(u => u.Graph == graph && u.Inputs[0] == node.Output ? Quantizable.Product(u) : null).ToArray();
            if (products.Length > 0 && products.All(p => p is { IsMatrix: true } && p.Weights.Count / p.Outputs == scale.Count && p.Node.Inputs.Count(i => i == node.Output) == 1))
                places.Add((node, products!));
        }
        return places;
    }

    /// <summary>The factors of every place, by the normalisation's output.</summary>
    /// <param name="graph">The graph.</param>
    /// <param name="maxima">The largest magnitude of each channel, by value; places without are left out.</param>
    /// <param name="strength">0 leaves the activations alone, 1 makes their channels equal.</param>
    public static IReadOnlyDictionary<string, double[]> Factors(Graph graph, IReadOnlyDictionary<string, double[]> maxima, double strength)
    {
        var factors = new Dictionary<string, double[]>(StringComparer.Ordinal);
        foreach (var (norm, products) in Places(graph))
        {
            if (!maxima.TryGetValue(norm.Output.Name, out var activations)) continue;
            var weights = new double[activations.Length];
            foreach (var product in products) AddMaxima(product, weights);
            factors[norm.Output.Name] = [.. activations.Select((a, j) =>
            {
                var s = Math.Pow(a, strength) / Math.Pow(weights[j], 1 - strength);
                return double.IsFinite(s) && s > 1e-5 ? Math.Min(s, 1e5) : 1;
            })];
        }
        return factors;
    }

    /// <summary>Applies factors to a graph, in place.</summary>
    public static void Apply(Graph graph, IReadOnlyDictionary<string, double[]> factors)
    {
        if (factors.Count == 0) return;
        foreach (var (norm, products) in Places(graph))
        {
            if (!factors.TryGetValue(norm.Output.Name, out var s)) continue;
            if (s.Length != norm.Inputs[1]!.Constant!.Count) throw new InvalidGraphException($"the plan has {s.Length} factors for '{norm.Output.Name}', which has {norm.Inputs[1]!.Constant!.Count} channels");
            var patch = new Patch(graph, $"{norm} smoothed");
            Value?[] inputs = [norm.Inputs[0], .. norm.Inputs.Skip(1).Select(i => i is null ? null : patch.Constant(Divided(i.Constant!, s), i.Name))];
            var made = patch.AddNode(norm.Operator, inputs, norm.Outputs.Count, norm);
            foreach (var product in products)
            {
                var node = product.Node;
                var w = patch.Constant(Multiplied(product, s), node.Inputs[1]!.Name);
                patch.Replace(node.Output, patch.AddNode(node.Operator, [made.Output, w, .. node.Inputs.Skip(2)], 1, node).Output);
            }
            patch.Apply();
            Verifier.Verify(patch);
        }
    }

    private static void AddMaxima(QuantizableProduct product, double[] maxima)
    {
        var w = product.Weights.Span<float>();
        var inner = (int)product.Weights.Shape[1];
        for (var i = 0; i < w.Length; i++)
        {
            ref var most = ref maxima[product.Axis == 1 ? i / inner : i % inner];
            most = Math.Max(most, Math.Abs(w[i]));
        }
        GC.KeepAlive(product.Weights);
    }

    private static Tensor Divided(Tensor vector, double[] s)
    {
        var from = vector.Span<float>();
        var result = Tensor.Allocate(DType.Float32, vector.Shape);
        var to = result.Span<float>();
        for (var i = 0; i < to.Length; i++) to[i] = (float)(from[i] / s[i]);
        GC.KeepAlive(vector);
        return result;
    }

    private static Tensor Multiplied(QuantizableProduct product, double[] s)
    {
        var from = product.Weights.Span<float>();
        var result = Tensor.Allocate(DType.Float32, product.Weights.Shape);
        var to = result.Span<float>();
        var inner = (int)product.Weights.Shape[1];
        for (var i = 0; i < to.Length; i++) to[i] = (float)(from[i] * s[product.Axis == 1 ? i / inner : i % inner]);
        GC.KeepAlive(product.Weights);
        return result;
    }
}
