using AiOptix.Graphs;
using AiOptix.Optimization.Calibrate;
using AiOptix.Passes.Quantize;

namespace AiOptix.Optimization;

/// <summary>The fp32 graph that plans are for, perhaps smoothed, with what calibration found out.</summary>
/// <param name="Name">In words; empty when it is not smoothed.</param>
/// <param name="Graph">The graph, smoothed: names in plans are its own.</param>
/// <param name="Factors">How it is smoothed.</param>
/// <param name="Ranges">The ranges by method.</param>
/// <param name="Means">The means of the products' input channels.</param>
/// <param name="Maxima">Their largest magnitudes.</param>
internal sealed record Variant(string Name, Graph Graph, IReadOnlyDictionary<string, double[]> Factors, IReadOnlyDictionary<CalibrationMethod, IReadOnlyDictionary<string, ActivationRange>> Ranges,
    IReadOnlyDictionary<string, double[]> Means, IReadOnlyDictionary<string, double[]> Maxima)
{
    private static readonly CalibrationMethod[] methods = Enum.GetValues<CalibrationMethod>();

    /// <summary>The products of the graph.</summary>
    public IReadOnlyList<QuantizableProduct> Products { get; } = Quantizable.Products(Graph);

    /// <summary>A plan that quantises products in one form.</summary>
    public QuantizationPlan Plan(IEnumerable<QuantizableProduct> products, QuantizedForm form, CalibrationMethod method, bool corrects) => new()
    {
        Nodes = products.ToDictionary(p => p.Name, _ => form, StringComparer.Ordinal),
        Ranges = form == QuantizedForm.Static ? Ranges[method] : new Dictionary<string, ActivationRange>(),
        Means = form == QuantizedForm.Static && corrects ? Means : new Dictionary<string, double[]>(),
        Smoothing = Factors,
    };

    /// <summary>What calibration found out, as a list that a memory can hold.</summary>
    public static double[] Pack(Graph graph, Calibration calibration)
    {
        var list = new List<double>();
        var ranges = Array.ConvertAll(methods, calibration.Ranges);
        foreach (var value in Quantizable.Watched(graph))
            foreach (var range in ranges)
            {
                var found = range.TryGetValue(value.Name, out var r) ? r : new(1, -1);
                list.Add(found.Low);
                list.Add(found.High);
            }
        foreach (var name in Inputs(graph))
            foreach (var channels in (ReadOnlySpan<IReadOnlyDictionary<string, double[]>>)[calibration.Means, calibration.Maxima])
            {
                var numbers = channels.GetValueOrDefault(name) ?? [];
                list.Add(numbers.Length);
                list.AddRange(numbers);
            }
        return [.. list];
    }

    /// <summary>The variant of a list that <see cref="Pack"/> made.</summary>
    public static Variant Unpack(string name, Graph graph, IReadOnlyDictionary<string, double[]> factors, double[] packed)
    {
        var at = 0;
        var ranges = methods.ToDictionary(m => m, _ => new Dictionary<string, ActivationRange>(StringComparer.Ordinal));
        foreach (var value in Quantizable.Watched(graph))
            foreach (var method in methods)
            {
                var (low, high) = ((float)packed[at++], (float)packed[at++]);
                if (low <= high) ranges[method].Add(value.Name, new(low, high));
            }
        var means = new Dictionary<string, double[]>(StringComparer.Ordinal);
        var maxima = new Dictionary<string, double[]>(StringComparer.Ordinal);
        foreach (var input in Inputs(graph))
            foreach (var channels in (ReadOnlySpan<Dictionary<string, double[]>>)[means, maxima])
            {
                var count = (int)packed[at++];
                if (count > 0) channels.Add(input, packed[at..(at + count)]);
                at += count;
            }
        return new(name, graph, factors, ranges.ToDictionary(r => r.Key, r => (IReadOnlyDictionary<string, ActivationRange>)r.Value), means, maxima);
    }

    private static IEnumerable<string> Inputs(Graph graph) => Quantizable.Products(graph).Select(p => p.Node.Inputs[0]!.Name).Distinct(StringComparer.Ordinal);
}
