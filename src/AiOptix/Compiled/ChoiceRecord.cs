using AiOptix.Kernels.Choice;
using AiOptix.Tensors;
using AiOptix.Tuning;

namespace AiOptix.Compiled;

/// <summary>The tuned kernels that a program was compiled with, noted while it is compiled, so that a saved one keeps them.</summary>
/// <param name="tuning">Where they come from; null when none are tuned.</param>
internal sealed class ChoiceRecord(KernelTuning? tuning) : IKernelChooser
{
    private readonly Dictionary<string, string> used = new(StringComparer.Ordinal);

    /// <summary>Says from which tuning they are; 0 when there is none.</summary>
    public ulong Digest => tuning?.Digest ?? 0;

    /// <summary>The kernel of each problem that a tuned one was asked for.</summary>
    public IReadOnlyDictionary<string, string> Used => used;

    public string? Choose(KernelProblem problem, Target target)
    {
        if (tuning?.Chooser.Choose(problem, target) is not { } chosen) return null;
        return used[problem.Key] = chosen;
    }
}
