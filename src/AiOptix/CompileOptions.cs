using AiOptix.Tensors;
using AiOptix.Tuning;

namespace AiOptix;

/// <summary>How a model is compiled.</summary>
public sealed record CompileOptions
{
    /// <summary>Threads that take part in a run, the calling one included; 0 takes what the cgroup quota and the affinity mask grant.</summary>
    public int Threads { get; init; }

    /// <summary>Whether the portable passes rewrite the graph first. Without them the session is the baseline: same kernels, same threads, the file as it is.</summary>
    public bool Rewrite { get; init; } = true;

    /// <summary>Caps the instruction sets of the kernels.</summary>
    public IsaCap Isa { get; init; } = IsaCap.Avx512;

    /// <summary>
    /// Kernels that won when they were timed, to be chosen in place of the cost model's; null leaves the choice to that. A saved program keeps the kernels that it was saved with: a session that names
    /// none here runs those, one that names others has the model compiled anew.
    /// </summary>
    public KernelTuning? Tuning { get; init; }

    /// <summary>Bounds on what the model may ask for.</summary>
    public Limits Limits { get; init; } = Limits.Default;
}
