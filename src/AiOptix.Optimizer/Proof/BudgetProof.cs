namespace AiOptix.Optimization;

/// <summary>What held-back samples show of a model against its baseline.</summary>
/// <param name="Metric">What was scored.</param>
/// <param name="IsError">Whether it is an error against the baseline's answers.</param>
/// <param name="Units">How many held-back samples, or rows of such, were scored.</param>
/// <param name="BaselineScore">The baseline's mean score; 0 for an error.</param>
/// <param name="Score">The model's mean score; for an error the largest.</param>
/// <param name="Lost">Answers that were right and became wrong; 0 where scores are numbers.</param>
/// <param name="Gained">Answers that were wrong and became right.</param>
/// <param name="Drop">The loss that was seen: the mean score's, or the largest error.</param>
/// <param name="WorseEnd">The worse end of its interval; for an error the largest one.</param>
/// <param name="Coverage">For an error, the share of inputs that it holds for at least, at the confidence.</param>
/// <param name="Limit">The budget.</param>
/// <param name="Confidence">Such as 0.95.</param>
/// <param name="Method">How the worse end was found.</param>
/// <param name="UnitsNeeded">How many units the claim needs at least.</param>
/// <param name="AllowsLittleData">Whether fewer were to be enough.</param>
public sealed record BudgetProof(
    string Metric, bool IsError, long Units, double BaselineScore, double Score, long Lost, long Gained, double Drop, double WorseEnd, double Coverage, double Limit, double Confidence, string Method, long UnitsNeeded, bool AllowsLittleData)
{
    /// <summary>Whether the worse end is within the budget; where less data than needed was allowed, whether the loss that was seen is.</summary>
    public bool Holds => (IsShown ? WorseEnd : Drop) <= Limit;

    /// <summary>Whether it rests on the worse end of the interval, as it should.</summary>
    public bool IsShown => HasEnoughData || !AllowsLittleData;

    /// <summary>Whether there were as many units as the claim needs.</summary>
    public bool HasEnoughData => Units >= UnitsNeeded;

    /// <summary>Scores of the same units become a proof.</summary>
    internal static BudgetProof Of(ErrorBudget budget, IReadOnlyList<double> baseline, IReadOnlyList<double> scores)
    {
        var (metric, n) = (budget.Scored, scores.Count);
        BudgetProof Make(double drop, double worse, string method, long lost = 0, long gained = 0, double coverage = 0) => new(metric.Name, metric.IsError, n, metric.IsError ? 0 : baseline.DefaultIfEmpty(0).Average(),
            metric.IsError ? drop : scores.DefaultIfEmpty(0).Average(), lost, gained, drop, worse, coverage, budget.Limit, budget.Confidence, method, budget.UnitsNeeded, budget.AllowLittleData);
        if (metric.IsError)
        {
            var largest = scores.DefaultIfEmpty(double.PositiveInfinity).Max();
            return Make(largest, largest, "largest of all samples; the share from order statistics (Wilks, 1941)", coverage: n == 0 ? 0 : Math.Pow(1 - budget.Confidence, 1.0 / n));
        }
        var differences = baseline.Zip(scores, (b, s) => b - s).ToArray();
        if (!metric.IsBinary) return Make(differences.DefaultIfEmpty(0).Average(), PairedDrop.WorseEnd(differences, budget.Confidence, budget.Seed), "paired bootstrap of the mean difference, one-sided");
        var (lost, gained) = (differences.LongCount(d => d > 0), differences.LongCount(d => d < 0));
        var exact = lost + gained < PairedDrop.FewDiffer;
        return Make(n == 0 ? 0 : (double)(lost - gained) / n, PairedDrop.WorseEnd(lost, gained, n, budget.Confidence),
            exact ? "Clopper-Pearson limit of the answers lost, one-sided" : "Tango score interval for paired shares, one-sided", lost, gained);
    }
}
