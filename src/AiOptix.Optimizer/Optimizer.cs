using AiOptix.Graphs;
using AiOptix.Passes;
using AiOptix.Runtime;
using AiOptix.Tensors;

namespace AiOptix.Optimization;

/// <summary>How a model is optimised.</summary>
public sealed record OptimizerOptions
{
    /// <summary>Threads to time with; 0 takes the machine's default.</summary>
    public int Threads { get; init; }

    /// <summary>How far an answer may be from the baseline's.</summary>
    public Tolerance Tolerance { get; init; } = Tolerance.Model;

    /// <summary>How long to time baseline against result.</summary>
    public TimeSpan TimingTime { get; init; } = TimeSpan.FromSeconds(2);

    /// <summary>How long to time each pass; zero times none.</summary>
    public TimeSpan PassTimingTime { get; init; } = TimeSpan.FromSeconds(0.5);

    /// <summary>Stops rewriting after so many patches, to find a wrong one.</summary>
    public int? StopAfterPatch { get; init; }

    /// <summary>Bounds on what the model may ask for.</summary>
    public Limits Limits { get; init; } = Limits.Default;

    /// <summary>How much an answer may lose for speed; null, nothing: only fp32 rewrites are done then.</summary>
    public ErrorBudget? Budget { get; init; }

    /// <summary>The label of every sample, for metrics that want one; a sample with rows has a label a row.</summary>
    public IReadOnlyList<Tensor>? Labels { get; init; }

    /// <summary>A file that keeps what a search found out, so that it goes on where it was ended; null keeps nothing. It is deleted when the search is over.</summary>
    public string? StatePath { get; init; }

    /// <summary>A decision of an earlier search, which is applied, proven and measured in the place of a search.</summary>
    public Recipe? Recipe { get; init; }

    /// <summary>Told of every model that a search has proven better than all before, so that it is kept however the search ends.</summary>
    public Action<Graph>? Proven { get; init; }

    /// <summary>What measures time in a search; null takes this machine's clock.</summary>
    public IMeasurer? Measurer { get; init; }
}

/// <summary>A stage of an optimisation, for progress displays.</summary>
/// <param name="Stage">What is being done.</param>
/// <param name="Done">How much of it, 0 to 1.</param>
public readonly record struct OptimizerProgress(string Stage, double Done)
{
    /// <summary>In a search, the best that is proven so far.</summary>
    public string? Best { get; init; }

    /// <summary>In a search, the time until it ends at the latest.</summary>
    public TimeSpan? Left { get; init; }
}

/// <summary>
/// Rewrites a graph, proves the answers against the baseline (same file, no rewriting, same kernels and threads), and times what was gained. The answers of a quantised
/// file are held against its regions in exact integers instead: the float32 that its nodes name moves numbers between two steps, and every layer behind feels it. With a budget it also
/// searches quantised forms (<see cref="ErrorBudget"/>), whose answers are held against the baseline itself.
/// </summary>
public static class Optimizer
{
    /// <summary>Optimises a graph. The given graph is not changed.</summary>
    /// <param name="graph">The model.</param>
    /// <param name="backend">The machine.</param>
    /// <param name="samples">Inputs, in the order of the graph's inputs; at least one. The first one is timed.</param>
    /// <param name="options">How.</param>
    /// <param name="progress">Told of each stage.</param>
    /// <param name="cancellation">Ends it early.</param>
    /// <returns>The result; <see cref="Proof.Holds"/> says whether it may be used.</returns>
    public static OptimizationResult Optimize(Graph graph, IBackend backend, IReadOnlyList<Tensor[]> samples, OptimizerOptions? options = null,
        IProgress<OptimizerProgress>? progress = null, CancellationToken cancellation = default)
    {
        options ??= new OptimizerOptions();
        if (samples.Count == 0) throw new ArgumentException("at least one sample is needed to prove the answers", nameof(samples));
        BudgetedSearch.Check(samples, options);
        progress?.Report(new("rewriting", 0));
        var (rewritten, report) = Rewrite(graph, options, without: null, cancellation);
        using var baseline = Open(graph, backend, options);
        using var result = Settling.Open(rewritten, backend, options.Limits, options.Threads);
        using var exact = options.StopAfterPatch is null ? InIntegers(graph, backend, options, cancellation) : null;
        var proof = Prove(exact ?? baseline, result, samples, options.Tolerance, new Stage(progress, "proving"), cancellation);
        progress?.Report(new("timing", 0));
        var speed = Time(baseline, result, samples[0], options.TimingTime, cancellation);
        var gains = Gains(graph, backend, result, report, samples[0], options, progress, cancellation);
        var optimized = new OptimizationResult(rewritten, report, gains, proof, speed, result.Threads);
        return options.Budget is null || !proof.Holds ? optimized : BudgetedSearch.Run(graph, optimized, backend, samples, options, progress, cancellation);
    }

    /// <summary>Runs two sessions on the same samples and compares their answers.</summary>
    public static Proof Prove(Session baseline, Session candidate, IReadOnlyList<Tensor[]> samples, Tolerance tolerance, IProgress<double>? progress = null,
        CancellationToken cancellation = default)
    {
        var names = baseline.Program.Outputs.Select(o => baseline.Program.Slots[o].Name).ToArray();
        var errors = names.Select(n => new OutputError(n, 0, 0, 1, null)).ToArray();
        for (var s = 0; s < samples.Count; s++)
        {
            var expected = baseline.Run(samples[s], cancellation);
            var found = candidate.Run(samples[s], cancellation);
            for (var o = 0; o < names.Length; o++)
            {
                if (expected[o] is not Tensor e || found[o] is not Tensor f) throw new UnsupportedModelException($"output '{names[o]}' is not a tensor; such outputs cannot be proven yet");
                var c = TensorComparison.Compare(e, f, tolerance);
                errors[o] = new(names[o], Math.Max(errors[o].MaxAbsolute, c.MaxError), Math.Max(errors[o].MaxScaled, c.MaxScaled), Math.Min(errors[o].Cosine, c.Cosine),
                    errors[o].Problem ?? (c.Failure is null ? null : $"sample {s}: {c.Failure}"));
                e.Dispose();
                f.Dispose();
            }
            progress?.Report((s + 1.0) / samples.Count);
        }
        return new(samples.Count, errors, tolerance);
    }

    private static (Graph, PassReport) Rewrite(Graph graph, OptimizerOptions options, string? without, CancellationToken cancellation)
    {
        var copy = graph.Clone();
        var pipeline = Pipeline.Create(options.Limits).Select(g => g with { Passes = [.. g.Passes.Where(p => p.Name != without)] });
        var passes = new PassOptions { StopAfterPatch = options.StopAfterPatch, Limits = options.Limits, Cancellation = cancellation, Pipeline = [.. pipeline] };
        return (copy, PassDriver.Run(copy, passes));
    }

    /// <summary>The file with its quantised regions in exact integers and nothing else but what makes them visible; null when it has none.</summary>
    private static Session? InIntegers(Graph graph, IBackend backend, OptimizerOptions options, CancellationToken cancellation)
    {
        var pipeline = Pipeline.Create(options.Limits);
        var until = pipeline.TakeWhile(g => g.Name != Pipeline.Integers).Count() + 1;
        var names = pipeline[until - 1].Passes.Select(p => p.Name).ToHashSet(StringComparer.Ordinal);
        var copy = graph.Clone();
        var report = PassDriver.Run(copy, new PassOptions { Limits = options.Limits, Cancellation = cancellation, Pipeline = [.. pipeline.Take(until)] });
        return report.Applied.Any(a => names.Contains(a.Pass)) ? Open(copy, backend, options) : null;
    }

    private static Session Open(Graph graph, IBackend backend, OptimizerOptions options) =>
        new(backend.Compile(graph, options.Limits), backend.CreateRunner(options.Threads));

    private static SpeedRatio Time(Session baseline, Session candidate, Tensor[] sample, TimeSpan time, CancellationToken cancellation)
    {
        var expected = Buffers(baseline, sample);
        var found = Buffers(candidate, sample);
        return PairedTiming.Measure(() => baseline.Run(sample, expected, cancellation), () => candidate.Run(sample, found, cancellation), time, cancellation);
    }

    private static Tensor[] Buffers(Session session, Tensor[] sample) => [.. session.Run(sample).Cast<Tensor>()];

    /// <summary>What each pass brought: the result against a program compiled without that pass.</summary>
    private static PassGain[] Gains(Graph graph, IBackend backend, Session result, PassReport report, Tensor[] sample, OptimizerOptions options,
        IProgress<OptimizerProgress>? progress, CancellationToken cancellation)
    {
        var counts = report.Applied.GroupBy(p => p.Pass, StringComparer.Ordinal).Select(g => (Pass: g.Key, Count: g.Count())).ToArray();
        if (options.PassTimingTime == TimeSpan.Zero || options.StopAfterPatch is not null) return [.. counts.Select(c => new PassGain(c.Pass, c.Count, null))];
        var gains = new PassGain[counts.Length];
        for (var i = 0; i < counts.Length; i++)
        {
            progress?.Report(new($"timing {counts[i].Pass}", (double)i / counts.Length));
            var (without, _) = Rewrite(graph, options, counts[i].Pass, cancellation);
            using var session = Settling.Open(without, backend, options.Limits, options.Threads);
            gains[i] = new(counts[i].Pass, counts[i].Count, Time(session, result, sample, options.PassTimingTime, cancellation));
        }
        return gains;
    }

    private sealed class Stage(IProgress<OptimizerProgress>? progress, string name) : IProgress<double>
    {
        public void Report(double value) => progress?.Report(new(name, value));
    }
}
