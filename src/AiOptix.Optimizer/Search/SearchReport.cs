using AiOptix.Passes.Quantize;

namespace AiOptix.Optimization;

/// <summary>What became of a form that a search looked at.</summary>
public enum Verdict
{
    /// <summary>It only served to choose between ways of calibrating.</summary>
    Compared,
    /// <summary>Over the budget on the search part of the samples: not timed.</summary>
    OverBudget,
    /// <summary>Not measured better than the best fp32 form.</summary>
    NotFaster,
    /// <summary>Within the budget on the search part and better than fp32, but not measured better than the best before it.</summary>
    NotBetter,
    /// <summary>Within the budget on the search part, and the best so far: not put to the proof, for one before it failed or others were enough.</summary>
    Fits,
    /// <summary>The held-back samples do not show it to be within the budget.</summary>
    NotProven,
    /// <summary>Better and proven.</summary>
    Proven,
}

/// <summary>A form that a search looked at.</summary>
/// <param name="Name">In words.</param>
/// <param name="Plan">How it is quantised.</param>
/// <param name="Noise">The mean squared error of its outputs against the baseline's over their mean square, on the search part.</param>
/// <param name="Drop">The loss that the budget bounds, as seen on the search part.</param>
/// <param name="Speed">Against the best fp32 form; null when it was not timed.</param>
/// <param name="WeightBytes">Bytes of its constants.</param>
/// <param name="Verdict">What became of it.</param>
public sealed record SearchCandidate(string Name, QuantizationPlan Plan, double Noise, double Drop, SpeedRatio? Speed, long WeightBytes, Verdict Verdict)
{
    /// <summary>What the held-back samples show of it; null when they were not asked.</summary>
    public BudgetProof? Proof { get; init; }
}

/// <summary>A step of the fp32 program, and what stands for it in the chosen one.</summary>
/// <param name="Node">The node.</param>
/// <param name="Operation">What it computes.</param>
/// <param name="SecondsBefore">The time of the fp32 step; 0 for a step that only the chosen program has.</param>
/// <param name="SecondsAfter">The time of what stands for it.</param>
/// <param name="KernelBefore">The fp32 kernel.</param>
/// <param name="KernelAfter">The kernels of what stands for it, longest first.</param>
/// <param name="Precision">fp32, int8, dynamic int8, int8 weights or int4 weights.</param>
/// <param name="Noise">The error (as <see cref="SearchCandidate.Noise"/>) when only this node is quantised; null where that was not tried.</param>
public sealed record SearchedNode(string Node, string Operation, double SecondsBefore, double SecondsAfter, string? KernelBefore, string? KernelAfter, string Precision, double? Noise);

/// <summary>What a search within a budget did and found.</summary>
public sealed record SearchReport
{
    /// <summary>The budget.</summary>
    public required ErrorBudget Budget { get; init; }

    /// <summary>How the samples were split; null for a recipe that was replayed, for which all are held back.</summary>
    public required SampleSplit Split { get; init; }

    /// <summary>All that was looked at, in order.</summary>
    public required IReadOnlyList<SearchCandidate> Candidates { get; init; }

    /// <summary>The index of the chosen one; null when the best fp32 form is handed out.</summary>
    public int? Chosen { get; init; }

    /// <summary>The indices of those that were put to the proof, in order: from the mildest to the fastest, up to the first that failed.</summary>
    public IReadOnlyList<int> Attempts { get; init; } = [];

    /// <summary>The proof of the chosen one, or of the one that failed; null when none came so far.</summary>
    public BudgetProof? Proof { get; init; }

    /// <summary>The steps before and after.</summary>
    public required IReadOnlyList<SearchedNode> Nodes { get; init; }

    /// <summary>The chosen model against the best fp32 form; null when that is the chosen one.</summary>
    public SpeedRatio? SpeedOverFloat { get; init; }

    /// <summary>The seconds of single runs of the baseline in the last timing.</summary>
    public required IReadOnlyList<double> BaselineTimes { get; init; }

    /// <summary>The seconds of single runs of what is handed out, each taken next to the baseline's of the same index.</summary>
    public required IReadOnlyList<double> ChosenTimes { get; init; }

    /// <summary>Bytes of the constants before.</summary>
    public long BaselineBytes { get; init; }

    /// <summary>Bytes of the constants of what is handed out.</summary>
    public long ChosenBytes { get; init; }

    /// <summary>How long the search took, earlier processes included.</summary>
    public TimeSpan Elapsed { get; init; }

    /// <summary>Whether the time ran out before everything was tried.</summary>
    public bool RanOutOfTime { get; init; }

    /// <summary>Whether it began from the state of an earlier process.</summary>
    public bool IsResumed { get; init; }

    /// <summary>The checksum of the fp32 graph that plans are for.</summary>
    public required string GraphChecksum { get; init; }

    /// <summary>The outcome in a sentence.</summary>
    public required string Summary { get; init; }
}
