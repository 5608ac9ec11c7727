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
        terminal.Heading("Speed against the baseline");
        terminal.Facts(
            ("Baseline", Units.Time(TimeSpan.FromSeconds(result.Speed.BaselineSeconds))),
            ("Optimised", Units.Time(TimeSpan.FromSeconds(result.Speed.CandidateSeconds))),
            ("Ratio", $"{Ratio(result.Speed)}, {Number(result.Speed.Pairs)} pairs on {Number(result.Threads)} threads"));
    }

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
