using System.CommandLine;
using System.Globalization;
using System.Text;
using System.Text.Json.Nodes;

namespace AiOptix.Bench.Compare;

/// <summary>The README's tables of comparisons, from the newest files under <c>bench/results</c>.</summary>
internal static class ReadmeTables
{
    private const string Begin = "<!-- comparisons -->\n", End = "<!-- end of comparisons -->";
    private static readonly (string Suffix, string Title)[] kinds = [("shared-models", "real models"), ("zoo", "well-known architectures, seeded weights"), ("light", "the ONNX project's light models, weights drawn"), ("int8", "the same written in static int8, both engines on the same files")];

    /// <summary><c>readme</c>.</summary>
    internal static Command Command()
    {
        var command = new Command("readme", "Writes the README's tables of comparisons from the newest results.");
        command.SetAction(_ =>
        {
            var file = Path.Combine(Repository.Root, "README.md");
            var text = File.ReadAllText(file);
            var (from, to) = Place(text);
            File.WriteAllText(file, text[..from] + Tables(Path.Combine(Repository.Root, "bench", "results")) + text[to..]);
        });
        return command;
    }

    /// <summary>What stands in a text between the marks.</summary>
    internal static string Current(string text)
    {
        var (from, to) = Place(text);
        return text[from..to];
    }

    /// <summary>The tables that the results give.</summary>
    internal static string Tables(string results)
    {
        var text = new StringBuilder();
        foreach (var folder in Directory.GetDirectories(results).Order(StringComparer.Ordinal))
            foreach (var (suffix, title) in kinds)
                if (Directory.GetFiles(folder, $"*-{suffix}.json").Order(StringComparer.Ordinal).LastOrDefault() is { } file)
                    Append(text, JsonNode.Parse(File.ReadAllText(file))!, title, $"bench/results/{Path.GetFileName(folder)}/{Path.GetFileName(file)}");
        return text.ToString();
    }

    private static (int From, int To) Place(string text)
    {
        var (from, to) = (text.IndexOf(Begin, StringComparison.Ordinal), text.IndexOf(End, StringComparison.Ordinal));
        return from >= 0 && to > from ? (from + Begin.Length, to) : throw new InvalidOperationException("the README has no place for comparisons");
    }

    private static void Append(StringBuilder text, JsonNode document, string title, string file)
    {
        var summaries = document["summaries"]!.AsArray();
        int[] threads = [.. summaries.Select(s => s!["threads"]!.GetValue<int>())];
        var machine = document["machine"]!;
        text.Append(CultureInfo.InvariantCulture, $"\n{char.ToUpperInvariant(title[0])}{title[1..]}, on {machine["cpu"]} ({machine["cpus"]} cores), ONNX Runtime {document["versions"]!["onnxRuntime"]}, {document["date"]}: how many times faster, geometric means ([all figures]({file})).\n\n");
        text.Append(CultureInfo.InvariantCulture, $"| kind |{string.Concat(threads.Select(t => $" {t} thread{(t == 1 ? "" : "s")} | models |"))}\n|---|{string.Concat(threads.Select(_ => "---|---|"))}\n");
        foreach (var kind in summaries.SelectMany(s => s!["kinds"]!.AsObject().Select(k => k.Key)).Distinct())
            text.Append(CultureInfo.InvariantCulture, $"| {kind} |{string.Concat(summaries.Select(s => s!["kinds"]![kind] is { } k ? $" {Ratio(k["geomean"])} | {k["models"]} |" : " – | 0 |"))}\n");
        text.Append(CultureInfo.InvariantCulture, $"| all |{string.Concat(summaries.Select(s => $" {Ratio(s!["geomean"])} | {s["models"]} |"))}\n");
        text.Append("\n<details>\n<summary>By model</summary>\n\n").Append(CultureInfo.InvariantCulture, $"| model |{string.Concat(threads.Select(t => $" {t} thread{(t == 1 ? "" : "s")}, 95 % interval |"))}\n|---|{string.Concat(threads.Select(_ => "---|"))}\n");
        foreach (var model in document["comparisons"]!.AsArray().Where(c => c!["ratio"] is not null).GroupBy(c => c!["model"]!.GetValue<string>(), StringComparer.Ordinal))
        {
            var cells = threads.Select(t => model.FirstOrDefault(c => c!["threads"]!.GetValue<int>() == t)?["ratio"] is { } r ? $" {Ratio(r["median"])} ({Ratio(r["low"])} to {Ratio(r["high"])}) |" : " – |");
            text.Append(CultureInfo.InvariantCulture, $"| {model.Key} |{string.Concat(cells)}\n");
        }
        text.Append("\n</details>\n");
    }

    private static string Ratio(JsonNode? ratio) => ratio!.GetValue<double>().ToString("0.00", CultureInfo.InvariantCulture);
}
