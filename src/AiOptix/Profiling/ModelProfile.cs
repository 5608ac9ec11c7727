using System.Diagnostics;
using AiOptix.Runtime;
using AiOptix.Tensors;

namespace AiOptix.Profiling;

/// <summary>Where the time of a model goes: each step of its program over several runs.</summary>
/// <param name="Model">The model's name.</param>
/// <param name="Threads">Threads of the session.</param>
/// <param name="Runs">Runs that were made.</param>
/// <param name="Seconds">Median wall time of a run with profiling on.</param>
/// <param name="Steps">The steps in the order in which they first ran.</param>
/// <param name="LastRun">Every step call of the last run, in order of its beginning.</param>
/// <param name="Peaks">What this machine reaches on as many threads.</param>
public sealed record ModelProfile(
    string Model, int Threads, int Runs, double Seconds, IReadOnlyList<ProfiledStep> Steps, IReadOnlyList<ProfiledCall> LastRun, MachinePeaks Peaks)
{
    private const int Warmups = 2;

    /// <summary>Runs a session with its steps timed. Nothing else may run on it meanwhile.</summary>
    /// <param name="session">The session.</param>
    /// <param name="inputs">The inputs in order.</param>
    /// <param name="runs">How many runs to make, at least one.</param>
    /// <param name="cancellation">Ends it early.</param>
    public static ModelProfile Measure(Session session, IReadOnlyList<Tensor> inputs, int runs = 20, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(session);
        ArgumentOutOfRangeException.ThrowIfLessThan(runs, 1);
        var peaks = MachineReport.Create().Measure(session.Threads);
        RuntimeValue[] values = [.. inputs];
        for (var i = 0; i < Warmups; i++) Run(session, values, cancellation);
        var collected = new Collector();
        var times = new double[runs];
        session.StepDone = collected.Add;
        try
        {
            for (var i = 0; i < runs; i++)
            {
                collected.Begin();
                var begin = Stopwatch.GetTimestamp();
                Run(session, values, cancellation);
                times[i] = Stopwatch.GetElapsedTime(begin).TotalSeconds;
                collected.End();
            }
        }
        finally
        {
            session.StepDone = null;
        }
        return new(session.Program.Name, session.Threads, runs, Median(times), collected.Steps(), collected.LastRun(), peaks);
    }

    private static void Run(Session session, RuntimeValue[] inputs, CancellationToken cancellation)
    {
        foreach (var output in session.Run(inputs, cancellation)) output.Dispose();
    }

    private static double Median(IReadOnlyCollection<double> values)
    {
        var sorted = values.Order().ToArray();
        return sorted.Length == 0 ? 0 : (sorted[(sorted.Length - 1) / 2] + sorted[sorted.Length / 2]) / 2;
    }

    /// <summary>Gathers what the session tells.</summary>
    private sealed class Collector
    {
        private readonly Dictionary<Step, Record> records = [];
        private readonly List<Record> order = [];
        private readonly List<(Record Record, long Begin, TimeSpan Elapsed)> calls = [];
        private readonly List<double> inner = [];
        private long began;

        public void Begin()
        {
            calls.Clear();
            inner.Clear();
            began = Stopwatch.GetTimestamp();
        }

        // The steps of a subgraph come before the step that ran it: what they took is not its own.
        public void Add(StepTiming timing)
        {
            while (inner.Count < timing.Depth + 2) inner.Add(0);
            var all = timing.Elapsed.TotalSeconds;
            var own = all - inner[timing.Depth + 1];
            inner[timing.Depth + 1] = 0;
            inner[timing.Depth] += all;
            if (!records.TryGetValue(timing.Step, out var record))
            {
                record = new Record(timing.Step, timing.Bound?.Kernel ?? (timing.Step as ManagedStep)?.Kernel, timing.Depth, order.Count);
                records.Add(timing.Step, record);
                order.Add(record);
            }
            record.Add(own, timing.Cost);
            calls.Add((record, timing.Begin, timing.Elapsed));
        }

        public void End()
        {
            foreach (var record in order) record.EndRun();
        }

        public List<ProfiledStep> Steps()
        {
            var medians = order.ConvertAll(r => Median(r.Times));
            var total = medians.Sum();
            return [.. order.Select((r, i) => new ProfiledStep(r.Step.Name, r.Step.Operation, r.Kernel, r.Step.Origins, r.Depth, (double)r.Calls / r.Times.Count, medians[i],
                total > 0 ? medians[i] / total : 0, r.Flops / r.Times.Count, r.Bytes / r.Times.Count))];
        }

        public IReadOnlyList<ProfiledCall> LastRun() =>
            [.. calls.OrderBy(c => c.Begin).Select(c => new ProfiledCall(c.Record.Index, Stopwatch.GetElapsedTime(began, c.Begin).TotalSeconds, c.Elapsed.TotalSeconds))];
    }

    private sealed class Record(Step step, string? kernel, int depth, int index)
    {
        private double seconds;

        public Step Step => step;

        public string? Kernel => kernel;

        public int Depth => depth;

        public int Index => index;

        public List<double> Times { get; } = [];

        public int Calls { get; private set; }

        public double Flops { get; private set; }

        public double Bytes { get; private set; }

        public void Add(double own, StepCost cost)
        {
            seconds += own;
            Calls++;
            Flops += cost.Flops;
            Bytes += cost.Bytes;
        }

        public void EndRun()
        {
            Times.Add(seconds);
            seconds = 0;
        }
    }
}
