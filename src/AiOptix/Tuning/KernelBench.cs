using System.Diagnostics;
using AiOptix.Cpu;
using AiOptix.Kernels;
using AiOptix.Kernels.Choice;
using AiOptix.Optimization;
using AiOptix.Tensors;

namespace AiOptix.Tuning;

/// <summary>A kernel that can compute a problem, timed.</summary>
/// <param name="Name">The specification: the name of a row of a kernel table, with <c>_inplace</c> for a product that reads its B as it lies.</param>
/// <param name="PredictedSeconds">What the cost model says.</param>
/// <param name="Seconds">Median time of a run on one thread.</param>
/// <param name="Speed">How much faster it is than the cost model's pick, in interleaved runs; of the pick itself, 1.</param>
public sealed record KernelTime(string Name, double PredictedSeconds, double Seconds, SpeedRatio Speed);

/// <summary>All kernels that can compute a problem, timed against the one that the cost model picks.</summary>
/// <param name="Problem">The problem's text.</param>
/// <param name="Operations">Its operations, a multiply-add counting as two.</param>
/// <param name="IsInteger">Whether bytes are multiplied.</param>
/// <param name="Pick">The name of the kernel that the cost model picks.</param>
/// <param name="Candidates">Every kernel, in the order of its table.</param>
public sealed record KernelComparison(string Problem, double Operations, bool IsInteger, string Pick, IReadOnlyList<KernelTime> Candidates)
{
    /// <summary>By how much a pick may lag.</summary>
    public const double AllowedLag = 0.1;

    /// <summary>The fastest by its ratio against the pick, of those that are faster beyond doubt; the pick when there is none.</summary>
    public KernelTime Best => Candidates.Where(c => c.Speed.IsFaster).MaxBy(c => c.Speed.Ratio) ?? Candidates.First(c => c.Name == Pick);

    /// <summary>By how much the pick lags behind the best: 0.2 means that the best is 1.2 times as fast.</summary>
    public double Lag => Math.Max(0, Best.Speed.Ratio - 1);

    /// <summary>True when the pick lags by more than <see cref="AllowedLag"/>.</summary>
    public bool IsLagging => Lag > AllowedLag;
}

/// <summary>Times kernels on problems of their own, one thread, weights outside the nearer caches as in a model.</summary>
public static class KernelBench
{
    private const double TooSlow = 3;

    /// <summary>The text of a problem in the form in which it is stored.</summary>
    /// <exception cref="FormatException">It is not one: the message says why.</exception>
    public static string Normalize(string problem) => KernelProblem.Parse(problem).Key;

    /// <summary>Every distinct problem that compiling a model comes upon and that can be timed, in order. Open extents are taken for typical ones.</summary>
    public static IReadOnlyList<string> ProblemsOf(Model model)
    {
        ArgumentNullException.ThrowIfNull(model);
        var seen = new Listing();
        model.CompileFor(new CpuBackend(HostTarget.Current, seen), Limits.Default);
        return seen.Problems;
    }

    /// <summary>Times every kernel that can compute a problem here.</summary>
    /// <param name="problem">The problem's text, such as <c>gemm:M=128,N=768,K=3072</c> or <c>conv:1x64x56x56,64x64x3x3,pad=1,stride=1,group=1</c>.</param>
    /// <param name="time">How long to go on a candidate, the pick beside it included; one that is three times slower than the pick is run a few times only.</param>
    /// <param name="cancellation">Ends it early.</param>
    /// <exception cref="FormatException">The text is no problem.</exception>
    public static KernelComparison Compare(string problem, TimeSpan time, CancellationToken cancellation = default) => Compare(KernelProblem.Parse(problem), HostTarget.Current, time, cancellation);

    internal static KernelComparison Compare(KernelProblem problem, Target target, TimeSpan time, CancellationToken cancellation)
    {
        var pick = problem.Pick(target);
        using var baseline = problem.Try(pick, target);
        var ownSeconds = Few(baseline.Run);
        var medians = new List<double>();
        var times = new List<KernelTime>();
        foreach (var name in problem.Candidates(target))
        {
            cancellation.ThrowIfCancellationRequested();
            if (name == pick)
            {
                times.Add(new(name, problem.Seconds(name, target), ownSeconds, new(ownSeconds, ownSeconds, 1, 1, 1, 0)));
                continue;
            }
            using var trial = problem.Try(name, target);
            var seconds = Few(trial.Run);
            var ratio = ownSeconds / seconds;
            var speed = ratio * TooSlow < 1 ? new SpeedRatio(ownSeconds, seconds, ratio, ratio, ratio, 1) : PairedTiming.Measure(baseline.Run, trial.Run, time, cancellation);
            if (speed.Pairs > 1) medians.Add(speed.BaselineSeconds);
            times.Add(new(name, problem.Seconds(name, target), speed.CandidateSeconds, speed));
        }
        if (medians.Count > 0)
        {
            var median = PairedTiming.Median(medians.ToArray());
            var at = times.FindIndex(t => t.Name == pick);
            times[at] = times[at] with { Seconds = median, Speed = new(median, median, 1, 1, 1, 0) };
        }
        return new(problem.Key, problem.Operations, problem.IsInteger, pick, times);
    }

    // The least of a few runs, the first of which warms up.
    private static double Few(Action run)
    {
        var least = double.MaxValue;
        var begin = Stopwatch.GetTimestamp();
        for (var i = 0; i < 4 && (i < 2 || Stopwatch.GetElapsedTime(begin).TotalSeconds < 1); i++)
        {
            var start = Stopwatch.GetTimestamp();
            run();
            if (i > 0) least = Math.Min(least, Stopwatch.GetElapsedTime(start).TotalSeconds);
        }
        return Math.Max(least, 1e-9);
    }

    private sealed class Listing : IKernelChooser
    {
        private readonly HashSet<string> known = new(StringComparer.Ordinal);

        public List<string> Problems { get; } = [];

        public string? Choose(KernelProblem problem, Target target)
        {
            if (problem.CanTry && known.Add(problem.Key)) Problems.Add(problem.Key);
            return null;
        }
    }
}
