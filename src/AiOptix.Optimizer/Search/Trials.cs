using AiOptix.Graphs;
using AiOptix.Optimization.Calibrate;
using AiOptix.Passes;
using AiOptix.Passes.Quantize;
using AiOptix.Runtime;
using AiOptix.Tensors;

namespace AiOptix.Optimization;

/// <summary>The experiments of a search: calibrate, score, time, profile, prove. Each is remembered by what it is of, so that a search that begins again finds it done.</summary>
internal sealed class Trials : IDisposable
{
    /// <summary>How much of the baseline's answers is kept between trials, bytes; the rest is computed again.</summary>
    private const long MostReferenceBytes = 1L << 28;

    private readonly Graph graph;
    private readonly IBackend backend;
    private readonly IReadOnlyList<Tensor[]> samples;
    private readonly OptimizerOptions options;
    private readonly ErrorBudget budget;
    private readonly IMeasurer measurer;
    private readonly SearchMemory memory;
    private readonly CancellationToken cancellation;
    private readonly Dictionary<int, Tensor[]> references = [];
    private long referenceBytes;
    private (string Key, Session Session)? opened;
    private readonly MeasuredModel baseline;
    private readonly MeasuredModel floats;

    /// <summary>Prepares them.</summary>
    /// <param name="graph">The rewritten fp32 graph.</param>
    /// <param name="backend">The machine.</param>
    /// <param name="samples">All samples.</param>
    /// <param name="options">How; with a budget.</param>
    /// <param name="baseline">The file as it is.</param>
    /// <param name="floats">The best fp32 form.</param>
    /// <param name="threads">Runs at once for throughput.</param>
    /// <param name="memory">What is known already.</param>
    /// <param name="cancellation">Ends it early.</param>
    public Trials(Graph graph, IBackend backend, IReadOnlyList<Tensor[]> samples, OptimizerOptions options, Session baseline, Session floats, int threads, SearchMemory memory, CancellationToken cancellation)
    {
        (this.graph, this.backend, this.samples, this.options, this.memory, this.cancellation) = (graph, backend, samples, options, memory, cancellation);
        budget = options.Budget!;
        measurer = options.Measurer ?? new Measurer(budget.Objective, threads);
        this.baseline = new("baseline", null, baseline);
        this.floats = new("fp32", null, floats);
    }

    /// <summary>Time spent on the search, earlier processes included.</summary>
    public TimeSpan Elapsed => memory.Spent + measurer.Elapsed;

    /// <summary>Watches a graph on samples.</summary>
    public Variant Calibrate(string name, Graph variant, IReadOnlyDictionary<string, double[]> factors, IReadOnlyList<int> part, Action<int> progress) =>
        Variant.Unpack(name, variant, factors, Remember($"calibrate {name}", () =>
            Variant.Pack(variant, Calibration.Collect(variant, backend, part.Select(i => samples[i]), options.Limits, Threads, progress, cancellation))));

    /// <summary>The error of a plan's outputs against the baseline's, as the mean over samples of the largest of the outputs.</summary>
    public double Noise(QuantizationPlan plan, IReadOnlyList<int> part) => Remember($"noise {Key(plan)} {part.Count}", () =>
    {
        var session = Opened(plan);
        return [part.Average(i => Scored(session, i, (found, expected) => expected.Zip(found, Metric.RelativeSquares).DefaultIfEmpty(0).Max()))];
    })[0];

    /// <summary>The scores of a plan on samples; those of the baseline for null.</summary>
    public double[] Scores(QuantizationPlan? plan, IReadOnlyList<int> part, string which) => Remember($"scores {which} {(plan is null ? "baseline" : Key(plan))}", () =>
    {
        var session = plan is null ? null : Opened(plan);
        return [.. part.SelectMany(i => Scored(session, i, (found, expected) => budget.Scored.Score(new(i, found, expected, options.Labels?[i]))))];
    });

    /// <summary>Times a plan against the best fp32 form, or against another plan.</summary>
    public SpeedRatio Compare(string name, QuantizationPlan plan, string againstName, QuantizationPlan? against)
    {
        var times = Remember($"time {Key(plan)} over {(against is null ? "fp32" : Key(against))}", () =>
        {
            var session = Opened(plan);
            using var other = against is null ? null : Open(against);
            var (a, b) = measurer.Compare(other is null ? floats : new(againstName, against, other), new(name, plan, session), samples[0], options.TimingTime, cancellation);
            return [.. a, .. b];
        });
        return PairedTiming.Of(times.AsSpan(0, times.Length / 2), times.AsSpan(times.Length / 2));
    }

    /// <summary>The last timing: the baseline against what is handed out.</summary>
    public (double[] Baseline, double[] Chosen) Final(string name, QuantizationPlan? plan)
    {
        var session = plan is null ? null : Opened(plan);
        return measurer.Compare(baseline, session is null ? floats : new(name, plan, session), samples[0], options.TimingTime, cancellation);
    }

    /// <summary>The steps of a plan's program; those of the best fp32 form for null.</summary>
    public IReadOnlyList<MeasuredStep> Profile(string name, QuantizationPlan? plan)
    {
        var session = plan is null ? floats.Session : Opened(plan);
        var seconds = Remember($"profile {(plan is null ? "fp32" : Key(plan))}", () => measurer.Profile(plan is null ? floats : new(name, plan, session), samples[0], cancellation));
        return [.. Measurer.Steps(session, samples[0], cancellation).DistinctBy(t => t.Step).Zip(seconds, (t, s) => new MeasuredStep(t.Step.Name, t.Step.Origins, t.Step.Operation, t.Bound?.Kernel, s))];
    }

    /// <summary>The bytes of the weights of a plan's graph.</summary>
    public long WeightBytes(QuantizationPlan plan) => (long)Remember($"bytes {Key(plan)}", () => [QuantizationSearch.Bytes(Write(plan))])[0];

    /// <summary>The graph of a plan, as it is handed out.</summary>
    public Graph Write(QuantizationPlan plan) => QuantizationWriter.Write(graph, plan);

    /// <summary>What tells plans apart.</summary>
    public static string Key(QuantizationPlan plan) => Checksum.Of(System.Text.Encoding.UTF8.GetBytes(Recipe.Json(plan).ToJsonString())).ToString("x16", System.Globalization.CultureInfo.InvariantCulture);

    /// <inheritdoc/>
    public void Dispose()
    {
        opened?.Session.Dispose();
        foreach (var tensor in references.Values.SelectMany(r => r)) tensor.Dispose();
    }

    private int Threads => budget.Objective == Objective.Throughput ? 1 : options.Threads;

    /// <summary>The session of the plan that is being tried: its error, its scores, its time and its proof come from one.</summary>
    private Session Opened(QuantizationPlan plan)
    {
        var key = Key(plan);
        if (opened is { } there && there.Key == key) return there.Session;
        opened?.Session.Dispose();
        opened = null;
        opened = (key, Open(plan));
        return opened.Value.Session;
    }

    /// <summary>A session of a plan: written, read again by the passes as any engine's file would be, compiled.</summary>
    private Session Open(QuantizationPlan plan)
    {
        cancellation.ThrowIfCancellationRequested();
        var written = Write(plan);
        PassDriver.Run(written, new PassOptions { Limits = options.Limits, Cancellation = cancellation });
        return Settling.Open(written, backend, options.Limits, Threads);
    }

    private T Scored<T>(Session? session, int sample, Func<IReadOnlyList<Tensor>, IReadOnlyList<Tensor>, T> score)
    {
        if (!references.TryGetValue(sample, out var expected))
        {
            expected = Run(baseline.Session, sample);
            if ((referenceBytes += expected.Sum(t => t.ByteLength)) <= MostReferenceBytes) references[sample] = expected;
        }
        var found = session is null ? expected : Run(session, sample);
        try
        {
            return score(found, expected);
        }
        finally
        {
            foreach (var tensor in found.Concat(expected).Where(t => !references.TryGetValue(sample, out var kept) || !kept.Contains(t))) tensor.Dispose();
        }
    }

    private Tensor[] Run(Session session, int sample) => Array.ConvertAll(session.Run(samples[sample], cancellation), v => v as Tensor
        ?? throw new UnsupportedModelException($"model '{session.Program.Name}' has an output that is not a tensor; such models cannot be searched within a budget yet"));

    private double[] Remember(string key, Func<double[]> find) => memory.Get(key, () => measurer.Elapsed, find);
}
