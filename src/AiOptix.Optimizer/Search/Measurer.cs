using System.Diagnostics;
using AiOptix.Passes.Quantize;
using AiOptix.Runtime;
using AiOptix.Tensors;

namespace AiOptix.Optimization;

/// <summary>A model that is measured.</summary>
/// <param name="Name">What the report calls it.</param>
/// <param name="Plan">How it is quantised; null for one that is not.</param>
/// <param name="Session">It, ready to run.</param>
public sealed record MeasuredModel(string Name, QuantizationPlan? Plan, Session Session);

/// <summary>What a search needs to know of time. Everything that it decides follows from the samples and from these answers.</summary>
public interface IMeasurer
{
    /// <summary>The time since the measurer was made.</summary>
    TimeSpan Elapsed { get; }

    /// <summary>Runs two models in turn; gives the seconds of each run, those of one index next to each other.</summary>
    (double[] Baseline, double[] Candidate) Compare(MeasuredModel baseline, MeasuredModel candidate, Tensor[] sample, TimeSpan time, CancellationToken cancellation);

    /// <summary>The seconds of every step of a run, medians, in the order in which they first run; steps of subgraphs count to the step that runs them.</summary>
    double[] Profile(MeasuredModel model, Tensor[] sample, CancellationToken cancellation);
}

/// <summary>Measures on this machine.</summary>
/// <param name="objective">Latency times one run; throughput as many at once as the baseline's session was asked to have threads.</param>
/// <param name="threads">Runs at once for throughput.</param>
public sealed class Measurer(Objective objective, int threads) : IMeasurer
{
    private const int ProfiledRuns = 15;

    private readonly long began = Stopwatch.GetTimestamp();

    /// <inheritdoc/>
    public TimeSpan Elapsed => Stopwatch.GetElapsedTime(began);

    /// <inheritdoc/>
    public (double[] Baseline, double[] Candidate) Compare(MeasuredModel baseline, MeasuredModel candidate, Tensor[] sample, TimeSpan time, CancellationToken cancellation) =>
        PairedTiming.Times(Runs(baseline.Session, sample, cancellation), Runs(candidate.Session, sample, cancellation), time, cancellation);

    /// <inheritdoc/>
    public double[] Profile(MeasuredModel model, Tensor[] sample, CancellationToken cancellation)
    {
        var times = new Dictionary<Step, List<double>>();
        Dispose(model.Session.Run(sample, cancellation));
        for (var run = 0; run < ProfiledRuns; run++)
            foreach (var timing in Steps(model.Session, sample, cancellation))
            {
                if (!times.TryGetValue(timing.Step, out var list)) times[timing.Step] = list = [];
                list.Add(timing.Elapsed.TotalSeconds);
            }
        return [.. times.Values.Select(t => PairedTiming.Median(t.ToArray()))];
    }

    /// <summary>Runs once and gives the steps of the program itself.</summary>
    internal static IReadOnlyList<StepTiming> Steps(Session session, Tensor[] sample, CancellationToken cancellation)
    {
        var steps = new List<StepTiming>();
        session.StepDone = timing =>
        {
            if (timing.Depth == 0) steps.Add(timing);
        };
        try
        {
            Dispose(session.Run(sample, cancellation));
        }
        finally
        {
            session.StepDone = null;
        }
        return steps;
    }

    private Action Runs(Session session, Tensor[] sample, CancellationToken cancellation)
    {
        if (objective != Objective.Throughput || threads < 2) return One(session, sample, cancellation);
        var each = Enumerable.Range(0, threads).Select(_ => One(session, sample, cancellation)).ToArray();
        var options = new ParallelOptions { MaxDegreeOfParallelism = threads };
        return () => Parallel.For(0, each.Length, options, i => each[i]());
    }

    private static Action One(Session session, Tensor[] sample, CancellationToken cancellation)
    {
        var outputs = session.Run(sample, cancellation);
        if (outputs.All(o => o is Tensor))
        {
            var buffers = outputs.Cast<Tensor>().ToArray();
            return () => session.Run(sample, buffers, cancellation);
        }
        Dispose(outputs);
        return () => Dispose(session.Run(sample, cancellation));
    }

    private static void Dispose(RuntimeValue[] values)
    {
        foreach (var value in values) value.Dispose();
    }
}
