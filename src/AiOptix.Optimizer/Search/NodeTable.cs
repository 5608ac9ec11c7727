using AiOptix.Graphs;
using AiOptix.Passes.Quantize;

namespace AiOptix.Optimization;

/// <summary>A step of a profile.</summary>
/// <param name="Node">The graph's node.</param>
/// <param name="Origins">The file's nodes.</param>
/// <param name="Operation">What it computes.</param>
/// <param name="Kernel">What ran; null for a managed step.</param>
/// <param name="Seconds">A run's median.</param>
internal sealed record MeasuredStep(string Node, IReadOnlyList<string> Origins, string Operation, string? Kernel, double Seconds);

/// <summary>A row of <see cref="NodeTable"/>.</summary>
/// <param name="Node">The step's node.</param>
/// <param name="Operation">What it computes.</param>
/// <param name="Before">Seconds in the fp32 program.</param>
/// <param name="After">Seconds in the other.</param>
/// <param name="KernelBefore">The fp32 kernel.</param>
/// <param name="KernelAfter">The other kernels, longest first.</param>
/// <param name="Product">The product that it holds, as plans name it; null for none.</param>
internal sealed record NodeRow(string Node, string Operation, double Before, double After, string? KernelBefore, string? KernelAfter, string? Product);

/// <summary>Two profiles of one model side by side. A step of the second belongs to the step of the first with which it shares a node of the file; the sums of both columns are those of the profiles.</summary>
internal static class NodeTable
{
    /// <summary>The rows in the order of the first program, then those that only the second has.</summary>
    public static IReadOnlyList<NodeRow> Of(Graph graph, QuantizationPlan? plan, IReadOnlyList<MeasuredStep> before, IReadOnlyList<MeasuredStep> after)
    {
        var homes = new Dictionary<string, int>(StringComparer.Ordinal);
        for (var i = 0; i < before.Count; i++)
            foreach (var origin in Names(before[i])) homes.TryAdd(origin, i);
        var guests = before.Select(_ => new List<MeasuredStep>()).ToArray();
        var strays = new List<MeasuredStep>();
        foreach (var step in after)
        {
            var home = Names(step).Select(n => homes.TryGetValue(n, out var at) ? at : -1).Where(at => at >= 0).DefaultIfEmpty(-1).First();
            if (home < 0) strays.Add(step);
            else guests[home].Add(step);
        }
        var names = new Dictionary<string, string>(StringComparer.Ordinal);
        var smoothed = graph;
        if (plan is { Smoothing.Count: > 0 })
        {
            smoothed = graph.Clone();
            Smoothing.Apply(smoothed, plan.Smoothing);
        }
        foreach (var product in Quantizable.Products(smoothed))
            foreach (var origin in product.Node.Origins.Append(product.Node.Name)) names.TryAdd(origin, product.Name);
        return
        [
            .. before.Select((s, i) => new NodeRow(s.Node, s.Operation, s.Seconds, guests[i].Sum(g => g.Seconds), s.Kernel, Kernels(guests[i]), Names(s).Select(n => names.GetValueOrDefault(n)).FirstOrDefault(n => n is not null))),
            .. strays.Select(s => new NodeRow(s.Node, s.Operation, 0, s.Seconds, null, s.Kernel, null)),
        ];
    }

    private static IEnumerable<string> Names(MeasuredStep step) => step.Origins.Count > 0 ? step.Origins : [step.Node];

    private static string? Kernels(List<MeasuredStep> steps) => steps.Count == 0 ? null
        : string.Join(" + ", steps.OrderByDescending(s => s.Seconds).Select(s => s.Kernel ?? s.Operation).Distinct(StringComparer.Ordinal));
}
