using AiOptix.Graphs;
using AiOptix.Passes;

namespace AiOptix.Optimization;

/// <summary>What one pass brought: how often it applied, and the speed of the whole against a program compiled without it.</summary>
/// <param name="Pass">The pass.</param>
/// <param name="Patches">How often it applied.</param>
/// <param name="Gain">Speed of all passes over speed of all but this one; null when it was not timed.</param>
public sealed record PassGain(string Pass, int Patches, SpeedRatio? Gain);

/// <summary>How an output of the result differs from the baseline's, over all samples.</summary>
/// <param name="Output">The output's name.</param>
/// <param name="MaxAbsolute">The largest difference.</param>
/// <param name="MaxScaled">The largest difference over the largest magnitude of its sample's output.</param>
/// <param name="Cosine">The least cosine of a sample.</param>
/// <param name="Problem">What broke the tolerance first, or null.</param>
public sealed record OutputError(string Output, double MaxAbsolute, double MaxScaled, double Cosine, string? Problem);

/// <summary>The proof that the answers hold: baseline and result on the same samples.</summary>
/// <param name="Samples">How many samples were run.</param>
/// <param name="Outputs">The error of each output.</param>
/// <param name="Tolerance">What was allowed.</param>
public sealed record Proof(int Samples, IReadOnlyList<OutputError> Outputs, Tolerance Tolerance)
{
    /// <summary>True when every output of every sample is within the tolerance.</summary>
    public bool Holds => Outputs.All(o => o.Problem is null);
}

/// <summary>An optimised graph with its proof.</summary>
/// <param name="Graph">The optimised graph.</param>
/// <param name="Report">Every patch.</param>
/// <param name="Gains">What each pass brought.</param>
/// <param name="Proof">That the answers hold.</param>
/// <param name="Speed">Baseline against result.</param>
/// <param name="Threads">The number of threads that was timed.</param>
public sealed record OptimizationResult(Graph Graph, PassReport Report, IReadOnlyList<PassGain> Gains, Proof Proof, SpeedRatio Speed, int Threads)
{
    /// <summary>What a search within a budget did; null when there was no budget. If it chose a quantised form, <see cref="Graph"/> is that form and <see cref="Speed"/> its speed; the rest is of the fp32 rewrites.</summary>
    public SearchReport? Search { get; init; }
}
