using AiOptix.Graphs;
using AiOptix.Optimization;
using AiOptix.Passes.Quantize;
using AiOptix.Tensors;

namespace AiOptix.Optimizer.Tests;

/// <summary>Times that a test makes up: every product takes a hundredth of a second in fp32, and less or more in another form; every question takes a second of the search's time.</summary>
/// <param name="graph">The fp32 graph that plans are for.</param>
/// <param name="speed">How fast a product is in a form, by its node's name: 2 is twice as fast as in fp32.</param>
internal sealed class FakeClock(Graph graph, Func<string, QuantizedForm, double> speed) : IMeasurer
{
    private readonly IReadOnlyList<QuantizableProduct> products = Quantizable.Products(graph);

    /// <summary>How often it was asked.</summary>
    public int Questions { get; private set; }

    /// <summary>Seconds that a question takes.</summary>
    public double SecondsEach { get; init; } = 1;

    /// <summary>Told of each question.</summary>
    public Action<int>? Asked { get; init; }

    public TimeSpan Elapsed => TimeSpan.FromSeconds(SecondsEach * Questions);

    public (double[] Baseline, double[] Candidate) Compare(MeasuredModel baseline, MeasuredModel candidate, Tensor[] sample, TimeSpan time, CancellationToken cancellation)
    {
        Ask();
        return (Enumerable.Repeat(products.Sum(p => Seconds(p, baseline.Plan)), 20).ToArray(), Enumerable.Repeat(products.Sum(p => Seconds(p, candidate.Plan)), 20).ToArray());
    }

    public double[] Profile(MeasuredModel model, Tensor[] sample, CancellationToken cancellation)
    {
        Ask();
        var left = products.ToList();
        return [.. Measurer.Steps(model.Session, sample, cancellation).DistinctBy(t => t.Step).Select(step =>
        {
            if (left.Find(p => p.Node.Origins.Intersect(step.Step.Origins).Any()) is not { } product) return 0;
            left.Remove(product);
            return Seconds(product, model.Plan);
        })];
    }

    private double Seconds(QuantizableProduct product, QuantizationPlan? plan) => 0.01 / (plan?.Nodes.TryGetValue(product.Name, out var form) == true && form != QuantizedForm.Float ? speed(product.Node.Name, form) : 1);

    private void Ask()
    {
        Questions++;
        Asked?.Invoke(Questions);
    }
}
