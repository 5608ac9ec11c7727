using CultureInfo = System.Globalization.CultureInfo;
using System.Text.Json.Nodes;
using AiOptix.Bench.Compare;
using Spectre.Console;

namespace AiOptix.Bench.Open;

/// <summary>What is said of openings, to people and to machines.</summary>
internal static class OpenReport
{
    /// <summary>The table: milliseconds, and how many times faster than ONNX Runtime.</summary>
    internal static void Table(IReadOnlyList<Opening> openings, int threads)
    {
        var table = new Table().Border(TableBorder.Simple).Title(string.Create(CultureInfo.InvariantCulture, $"milliseconds until a session is there, {threads} threads"));
        table.AddColumn("model");
        foreach (var column in new[] { "MB", "ORT, fresh", "plain", "ratio", "saved", "ratio", "ORT, warm", "plain", "ratio", "saved", "ratio" }) table.AddColumn(new TableColumn(column).RightAligned());
        foreach (var o in openings) table.AddRow([new Text(o.Model.Name), Cell(o.Bytes / 1e6), .. Cells(o.Fresh), .. Cells(o.Warm)]);
        Report.Terminal().Write(table);
    }

    /// <summary>The line at the end.</summary>
    internal static string Closing(IReadOnlyList<Opening> openings)
    {
        var (fresh, warm) = (openings.MinBy(o => o.Fresh.SavedRatio.Median)!, openings.MinBy(o => o.Warm.SavedRatio.Median)!);
        return string.Create(CultureInfo.InvariantCulture, $"saved: least {fresh.Fresh.SavedRatio.Median:F2} over ONNX Runtime ({fresh.Model.Name}), fresh process; least {warm.Warm.SavedRatio.Median:F2} ({warm.Model.Name}), warm");
    }

    /// <summary>Everything that was measured.</summary>
    internal static JsonObject Document(IReadOnlyList<Opening> openings, CompareOptions options)
    {
        var document = JsonReport.Head();
        document["seed"] = options.Seed;
        document["rounds"] = options.Rounds;
        document["threads"] = options.Threads[0];
        document["models"] = new JsonArray([.. openings.Select(o => new JsonObject { ["model"] = o.Model.Name, ["bytes"] = o.Bytes, ["fresh"] = Of(o.Fresh), ["warm"] = Of(o.Warm) })]);
        return document;
    }

    private static IEnumerable<Text> Cells(OpenTimes times) => [Cell(times.Ort), Cell(times.Plain), Ratio(times.PlainRatio), Cell(times.Saved), Ratio(times.SavedRatio)];

    private static Text Cell(double value) => new(value.ToString("F1", CultureInfo.InvariantCulture));

    private static Text Ratio(Estimate ratio) => new(ratio.Median.ToString("F2", CultureInfo.InvariantCulture));

    private static JsonObject Of(OpenTimes t) => new()
    {
        ["onnxRuntimeMilliseconds"] = JsonReport.Rounded(t.Ort),
        ["plainMilliseconds"] = JsonReport.Rounded(t.Plain),
        ["savedMilliseconds"] = JsonReport.Rounded(t.Saved),
        ["plainRatio"] = JsonReport.Of(t.PlainRatio),
        ["savedRatio"] = JsonReport.Of(t.SavedRatio),
        ["rounds"] = new JsonArray([.. t.Rounds.Select(r => new JsonArray(JsonReport.Rounded(r.Ort), JsonReport.Rounded(r.Plain), JsonReport.Rounded(r.Saved)))]),
    };
}
