using System.Globalization;
using Spectre.Console;

namespace AiOptix.Bench.Compare;

/// <summary>What a person sees.</summary>
internal static class Report
{
    /// <summary>The machine and the versions.</summary>
    internal static void Head(CompareOptions options) =>
        Console.WriteLine($"AI Optix {Versions.Optix}, ONNX Runtime {Versions.Ort}, .NET {Versions.DotNet}; {Machine.Cpu}, {Environment.ProcessorCount} CPUs; seed {options.Seed}, {options.Rounds} rounds");

    /// <summary>One line while the comparison runs, so that a long one shows that it is alive.</summary>
    internal static void Progress(Comparison c) => Console.Error.WriteLine(c.Rounds.Count == 0
        ? $"{c.Model.Name}, {c.Threads} threads: {c.Outcome}: {c.Reason}"
        : string.Create(CultureInfo.InvariantCulture, $"{c.Model.Name}, {c.Threads} threads: {c.Ratio.Median:F2}{(c.Reason is null ? "" : $" FAIL {c.Reason}")}"));

    /// <summary>The table of a thread count and the lines under it.</summary>
    internal static void Table(Summary summary, IReadOnlyList<Comparison> comparisons)
    {
        var table = new Table().Border(TableBorder.Simple).Title(string.Create(CultureInfo.InvariantCulture, $"{summary.Threads} threads"));
        foreach (var left in new[] { "model", "kind" }) table.AddColumn(left);
        foreach (var right in new[] { "AI Optix", "ORT", "ratio", "95 %", "load", "saved", "ORT load", "first", "peak", "ORT peak", "difference" }) table.AddColumn(new TableColumn(right).RightAligned());
        foreach (var c in comparisons) table.AddRow([.. Cells(c).Select(cell => new Text(cell))]);
        Terminal().Write(table);
        foreach (var c in comparisons.Where(c => c.Reason is not null)) Console.WriteLine($"{(c.Outcome == Outcome.Failed ? "FAIL" : c.Outcome)} {c.Model.Name}: {c.Reason}");
        foreach (var line in summary.Details()) Console.WriteLine(line);
    }

    /// <summary>Where tables go: wide and plain when nobody watches.</summary>
    internal static IAnsiConsole Terminal()
    {
        var plain = Console.IsOutputRedirected;
        var console = AnsiConsole.Create(new AnsiConsoleSettings
        {
            Out = new AnsiConsoleOutput(Console.Out),
            Ansi = plain ? AnsiSupport.No : AnsiSupport.Detect,
            ColorSystem = plain ? ColorSystemSupport.NoColors : ColorSystemSupport.Detect,
        });
        if (plain) console.Profile.Width = 200;
        return console;
    }

    private static IEnumerable<string> Cells(Comparison c)
    {
        yield return c.Model.Name;
        if (c.Rounds.Count == 0)
        {
            yield return c.Outcome switch { Outcome.Unsupported => "unsupported", Outcome.NoPeer => "no peer", _ => "FAIL" };
            for (var i = 0; i < 11; i++) yield return "";
            yield break;
        }
        var ratio = c.Ratio;
        yield return c.Kind!;
        yield return Time(c.OptixTime);
        yield return Time(c.OrtTime);
        yield return string.Create(CultureInfo.InvariantCulture, $"{ratio.Median:F2}");
        yield return string.Create(CultureInfo.InvariantCulture, $"{ratio.Low:F2}..{ratio.High:F2}");
        yield return c.Optix is null ? "" : Time(1000 * c.Optix.LoadMilliseconds);
        yield return c.Saved is null ? "" : Time(1000 * c.Saved.LoadMilliseconds);
        yield return c.Ort is null ? "" : Time(1000 * c.Ort.LoadMilliseconds);
        yield return c.Optix is null ? "" : string.Create(CultureInfo.InvariantCulture, $"{c.Optix.FirstMilliseconds / c.Optix.SteadyMilliseconds:F1}×");
        yield return c.Optix is null ? "" : Megabytes(c.Optix.PeakBytes);
        yield return c.Ort is null ? "" : Megabytes(c.Ort.PeakBytes);
        yield return string.Create(CultureInfo.InvariantCulture, $"{c.Agreement!.Largest:0.0e+0}{(c.Outcome == Outcome.Failed ? " FAIL" : c.Agreement.OnlyInPieces is null ? "" : " in pieces")}");
    }

    private static string Time(double microseconds) => microseconds switch
    {
        < 1e3 => string.Create(CultureInfo.InvariantCulture, $"{microseconds:F1} µs"),
        < 1e6 => string.Create(CultureInfo.InvariantCulture, $"{microseconds / 1e3:F2} ms"),
        _ => string.Create(CultureInfo.InvariantCulture, $"{microseconds / 1e6:F2} s"),
    };

    private static string Megabytes(long bytes) => string.Create(CultureInfo.InvariantCulture, $"{bytes / 1e6:F1} MB");
}
