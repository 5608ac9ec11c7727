using System.Globalization;
using AiOptix.Optimization;

namespace AiOptix.Cli;

/// <summary>What an optimisation changed, what it gained, and the proof.</summary>
internal static class OptimizationReport
{
    /// <summary>Prints it.</summary>
    public static void Print(OptimizationResult result, Terminal terminal)
    {
        terminal.Heading($"Rewrites ({Number(result.Report.NodesBefore)} nodes to {Number(result.Report.NodesAfter)}{(result.Report.Stopped ? ", stopped early" : "")})");
        if (result.Gains.Count == 0) terminal.Line("  none");
        else terminal.Table(["pass", ">patches", "speed with it"], result.Gains.Select(g => (IReadOnlyList<string>)[g.Pass, Number(g.Patches), g.Gain is { } r ? Ratio(r) : "not timed"]));
        terminal.Heading($"Answers against the baseline ({Number(result.Proof.Samples)} samples)");
        terminal.Table(["output", ">largest error", ">of its largest value", ">cosine", ""], result.Proof.Outputs.Select(o => (IReadOnlyList<string>)
            [o.Output, Short(o.MaxAbsolute), Short(o.MaxScaled), o.Cosine.ToString("0.00000000", CultureInfo.InvariantCulture), o.Problem is null ? "holds" : "FAILS"]));
        if (result.Search is { } search) Print(search, terminal);
        terminal.Heading("Speed against the baseline");
        terminal.Facts(
            ("Baseline", Units.Time(TimeSpan.FromSeconds(result.Speed.BaselineSeconds))),
            ("Optimised", Units.Time(TimeSpan.FromSeconds(result.Speed.CandidateSeconds))),
            ("Ratio", $"{Ratio(result.Speed)}, {Number(result.Speed.Pairs)} pairs on {Number(result.Threads)} threads"));
    }

    private static void Print(SearchReport search, Terminal terminal)
    {
        terminal.Heading($"Search within {Budget(search.Budget)} ({Number(search.Split.Calibration.Count)} samples to calibrate, {Number(search.Split.Search.Count)} to search, {Number(search.Split.HeldBack.Count)} held back; {Units.Time(search.Elapsed)})");
        var loss = search.Budget.Scored.IsError ? search.Budget.Scored.Name : "score lost";
        terminal.Table(["form", ">noise", $">{loss}", "over fp32", "weights", "outcome"], search.Candidates.Select((c, i) => (IReadOnlyList<string>)
            [c.Name, Short(c.Noise), double.IsNaN(c.Drop) ? "" : Loss(c.Drop, search.Budget), c.Speed is { } s ? Ratio(s) : "", Units.Bytes(c.WeightBytes), i == search.Chosen ? "CHOSEN" : ModelJson.Words(c.Verdict)]));
        if (search.Attempts.Count > 1)
            terminal.Line("  proofs, from the mildest: " + string.Join("; ", search.Attempts.Select(a => search.Candidates[a]).Select(c => $"{c.Name}: {(c.Proof!.Holds ? "holds" : "does NOT hold")}, at worst {Loss(c.Proof.WorseEnd, search.Budget)}")));
        if (search.Proof is { } proof) Print(proof, search.Budget, terminal);
        terminal.Line($"  {search.Summary}");
    }

    private static void Print(BudgetProof proof, ErrorBudget budget, Terminal terminal)
    {
        var confidence = (proof.Confidence * 100).ToString("0.##", CultureInfo.InvariantCulture);
        terminal.Heading($"Proof on {Number((int)proof.Units)} held-back {(proof.IsError ? "samples: an error bound, which says nothing of accuracy" : "answers")}");
        if (proof.IsError)
            terminal.Facts(("Largest error", $"{Loss(proof.Drop, budget)} ({proof.Metric}), allowed {Loss(proof.Limit, budget)}"), ("Holds for", $"at least {(proof.Coverage * 100).ToString("0.0", CultureInfo.InvariantCulture)} % of such inputs ({confidence} %)"));
        else
            terminal.Facts(
                ($"Score ({proof.Metric})", $"{Loss(proof.BaselineScore, budget)} before, {Loss(proof.Score, budget)} after{(proof.Lost + proof.Gained > 0 ? $"; {Number((int)proof.Lost)} lost, {Number((int)proof.Gained)} gained" : "")}"),
                ("Lost", $"{Loss(proof.Drop, budget)}, at worst {Loss(proof.WorseEnd, budget)} ({confidence} %: {proof.Method}); allowed {Loss(proof.Limit, budget)}"));
        terminal.Line($"  {(proof.Holds ? proof.IsShown ? "PROVEN" : $"NOT PROVEN but allowed: {Number((int)proof.Units)} of the {Number((int)proof.UnitsNeeded)} needed" : "NOT PROVEN")}");
    }

    private static string Budget(ErrorBudget budget) => budget.MaxError is { } error ? $"an error of {Short(error)} ({budget.Scored.Name})" : $"a drop of {Loss(budget.MaxAccuracyDrop!.Value, budget)} ({budget.Scored.Name})";

    private static string Loss(double value, ErrorBudget budget) => budget.Scored.IsBinary ? (value * 100).ToString("0.00", CultureInfo.InvariantCulture) + " %" : budget.Scored.IsError ? Short(value) : value.ToString("G5", CultureInfo.InvariantCulture);

    /// <summary>The first output that does not hold, and why.</summary>
    public static string Problem(Proof proof)
    {
        var failed = proof.Outputs.First(o => o.Problem is not null);
        return $"output '{failed.Output}', {failed.Problem}";
    }

    private static string Ratio(SpeedRatio r) => string.Create(CultureInfo.InvariantCulture, $"{r.Ratio:0.00}x (95 % {r.Low:0.00} to {r.High:0.00})");

    private static string Short(double value) => value == 0 ? "0" : value.ToString("0.0e+0", CultureInfo.InvariantCulture);

    private static string Number(int value) => value.ToString(CultureInfo.InvariantCulture);
}
