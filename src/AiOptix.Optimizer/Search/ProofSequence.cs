namespace AiOptix.Optimization;

/// <summary>
/// Which forms are put to the proof, in which order: from the mildest to the fastest, each measured better than all that are milder. Every one is proven at full confidence as long as all before it held;
/// the first that fails ends the sequence, and the last that held is handed out. The order comes from the search part of the samples alone and is settled before the first look at the held-back ones, so
/// that the chance of handing out a wrong form stays that of a single proof (fixed-sequence testing: Maurer, Hothorn and Lehmacher 1995; Westfall and Krishen 2001). Beginning with the mildest means that a failure of the
/// fastest leaves a milder one proven, and costs no share of the confidence, and so no samples, as a correction for repeated looks would.
/// </summary>
internal static class ProofSequence
{
    /// <summary>The most proofs: each takes a run over all held-back samples.</summary>
    public const int Most = 4;

    /// <summary>The indices of the candidates in the order of their proofs.</summary>
    /// <param name="candidates">All that the search looked at.</param>
    /// <param name="budget">What is bounded, and what is made least of.</param>
    /// <param name="leastGain">How many times better a form must be than the one before it.</param>
    public static IReadOnlyList<int> Of(IReadOnlyList<SearchCandidate> candidates, ErrorBudget budget, double leastGain)
    {
        var front = new List<int>();
        var eligible = Enumerable.Range(0, candidates.Count).Where(i => candidates[i].Verdict is Verdict.Fits or Verdict.NotBetter);
        foreach (var i in eligible.OrderBy(i => budget.Scored.IsError ? candidates[i].Drop : candidates[i].Noise).ThenBy(i => -Worth(candidates[i])).ThenBy(i => i))
            if (front.Count == 0 || Worth(candidates[i]) >= Worth(candidates[front[^1]]) * (budget.Objective == Objective.Size ? 1 : leastGain) && Worth(candidates[i]) > Worth(candidates[front[^1]])) front.Add(i);
        return front.Count <= Most ? front : [.. Enumerable.Range(0, Most).Select(k => front[k * (front.Count - 1) / (Most - 1)])];

        double Worth(SearchCandidate c) => budget.Objective == Objective.Size ? 1.0 / c.WeightBytes : c.Speed!.Ratio;
    }
}
