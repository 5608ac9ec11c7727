using System.Globalization;
using System.Text.Json.Nodes;
using AiOptix.Optimization;
using AiOptix.Tuning;

namespace AiOptix.Cli;

/// <summary><c>optix bench --kernels</c>: every kernel for a problem beside the one that the cost model picks.</summary>
internal static class KernelReport
{
    /// <summary>The problems that an argument stands for: itself, a line each of a text file, or those of a model.</summary>
    /// <exception cref="UsageException">It is no problem.</exception>
    public static IReadOnlyList<string> Problems(string argument, Terminal terminal)
    {
        if (!File.Exists(argument) && !Directory.Exists(argument)) return [Checked(argument)];
        if (argument.EndsWith(".txt", StringComparison.OrdinalIgnoreCase))
            return [.. File.ReadAllLines(argument).Select(l => l.Trim()).Where(l => l.Length > 0 && l[0] != '#').Select(Checked).Distinct()];
        var model = Model.Load(argument);
        terminal.Notice(model);
        return KernelBench.ProblemsOf(model);
    }

    /// <summary>Times each problem and prints it.</summary>
    /// <returns><see cref="ExitCode.PickLags"/> when a pick lags.</returns>
    public static int Run(IReadOnlyList<string> problems, TimeSpan time, bool json, Terminal terminal, CancellationToken cancellation)
    {
        var peaks = MachineReport.Create().Measure();
        var all = new List<KernelComparison>();
        foreach (var problem in problems)
        {
            var comparison = KernelBench.Compare(problem, time, cancellation);
            all.Add(comparison);
            if (!json) Print(comparison, peaks, terminal);
        }
        if (json) terminal.Json(new JsonArray([.. all.Select(c => (JsonNode)ToJson(c, peaks))]));
        var lagging = all.Where(c => c.IsLagging).OrderByDescending(c => c.Lag).ToArray();
        foreach (var c in lagging)
            terminal.Error.WriteLine($"optix: {c.Problem}: {c.Best.Name} is {Percent(c.Lag)} faster than the pick, {c.Pick}");
        return lagging.Length > 0 ? ExitCode.PickLags : ExitCode.Done;
    }

    private static string Checked(string problem)
    {
        try
        {
            return KernelBench.Normalize(problem);
        }
        catch (FormatException e)
        {
            throw new UsageException(e.Message);
        }
    }

    private static void Print(KernelComparison c, MachinePeaks peaks, Terminal terminal)
    {
        terminal.Heading($"{c.Problem}: {Units.Count(c.Operations)}flop{(c.IsLagging ? $", the pick lags by {Percent(c.Lag)}" : "")}");
        terminal.Table(["", "kernel", ">time", ">predicted", ">against the pick", ">95 % interval", ">Gflop/s", ">of peak"], c.Candidates.Select(t => (IReadOnlyList<string>)[
            t.Name == c.Pick ? "pick" : t.Name == c.Best.Name ? "best" : "", t.Name, Time(t.Seconds), double.IsFinite(t.PredictedSeconds) ? Time(t.PredictedSeconds) : "", Units.Three(t.Speed.Ratio), Interval(t.Speed),
            Units.Three(c.Operations / t.Seconds * 1e-9), Percent(c.Operations / t.Seconds * 1e-9 / Peak(c, peaks))]));
        terminal.Line();
    }

    private static JsonObject ToJson(KernelComparison c, MachinePeaks peaks) => new()
    {
        ["problem"] = c.Problem,
        ["operations"] = c.Operations,
        ["peak_gops"] = Peak(c, peaks),
        ["pick"] = c.Pick,
        ["best"] = c.Best.Name,
        ["lag"] = c.Lag,
        ["kernels"] = new JsonArray([.. c.Candidates.Select(t => (JsonNode)new JsonObject
        {
            ["name"] = t.Name,
            ["seconds"] = t.Seconds,
            ["predicted_seconds"] = double.IsFinite(t.PredictedSeconds) ? t.PredictedSeconds : null,
            ["ratio"] = t.Speed.Ratio,
            ["low"] = t.Speed.Low,
            ["high"] = t.Speed.High,
            ["pairs"] = t.Speed.Pairs,
        })]),
    };

    private static double Peak(KernelComparison c, MachinePeaks peaks) => c.IsInteger ? peaks.Int8Gops : peaks.Float32Gflops;

    private static string Interval(SpeedRatio ratio) => ratio.Pairs switch
    {
        0 => "",
        1 => "run once",
        _ => $"{Units.Three(ratio.Low)} to {Units.Three(ratio.High)}",
    };

    private static string Time(double seconds) => Units.Time(TimeSpan.FromTicks((long)(seconds * TimeSpan.TicksPerSecond)));

    private static string Percent(double part) => string.Create(CultureInfo.InvariantCulture, $"{part * 100:0} %");
}
