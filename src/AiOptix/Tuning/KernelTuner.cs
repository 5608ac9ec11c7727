using AiOptix.Kernels.Choice;
using AiOptix.Optimization;
using AiOptix.Tensors;

namespace AiOptix.Tuning;

/// <summary>
/// Times kernels for problems that are not tuned yet, when a model that is compiled with it comes upon them (<see cref="Model.Tune"/>, <see cref="Model.Optimize(IReadOnlyList{Tensor[]}, OptimizerOptions, KernelTuner, IProgress{OptimizerProgress}, CancellationToken)"/>). A kernel wins over the cost model's
/// pick only when the whole 95 % interval of its paired speed ratio lies above 1.
/// </summary>
/// <param name="known">What is tuned already.</param>
/// <param name="time">How long to time a candidate, the pick beside it included.</param>
/// <param name="progress">Told of each problem that was timed.</param>
/// <param name="cancellation">Ends it early; what was timed stays.</param>
public sealed class KernelTuner(KernelTuning known, TimeSpan time, IProgress<KernelComparison>? progress = null, CancellationToken cancellation = default)
{
    private readonly Dictionary<string, string> winners = new(known.Winners, StringComparer.Ordinal);
    private readonly List<KernelComparison> timed = [];

    /// <summary>What was known and what was timed.</summary>
    public KernelTuning Tuning
    {
        get
        {
            lock (winners) return KernelTuning.Of(winners);
        }
    }

    /// <summary>What was timed, in order.</summary>
    public IReadOnlyList<KernelComparison> Timed
    {
        get
        {
            lock (winners) return [.. timed];
        }
    }

    internal IKernelChooser Chooser => new Timing(this);

    private string? Choose(KernelProblem problem, Target target)
    {
        lock (winners)
        {
            if (winners.TryGetValue(problem.Key, out var winner)) return winner;
            if (!problem.CanTry) return null;
            var comparison = KernelBench.Compare(problem, target, time, cancellation);
            timed.Add(comparison);
            progress?.Report(comparison);
            return winners[problem.Key] = comparison.Best.Name;
        }
    }

    private sealed class Timing(KernelTuner tuner) : IKernelChooser
    {
        public string? Choose(KernelProblem problem, Target target) => tuner.Choose(problem, target);
    }
}
