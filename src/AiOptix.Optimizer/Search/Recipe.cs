using System.Text.Json;
using System.Text.Json.Nodes;
using AiOptix.Passes.Quantize;
using AiOptix.Tensors;

namespace AiOptix.Optimization;

/// <summary>A decision of a search as JSON, complete: applied to the same model on another machine it gives the same file, without calibration data.</summary>
/// <param name="GraphChecksum">The checksum of the rewritten fp32 graph that it is for.</param>
/// <param name="Name">What the search called it.</param>
/// <param name="Plan">What is quantised, and how; null when the search chose the fp32 form.</param>
public sealed record Recipe(string GraphChecksum, string Name, QuantizationPlan? Plan)
{
    private const int Version = 1;

    /// <summary>The proofs that the search tried, in order; for who reads it, replaying needs none of them.</summary>
    public IReadOnlyList<RecipeAttempt> Attempts { get; init; } = [];

    /// <summary>What a search decided.</summary>
    public static Recipe Of(SearchReport report) => new(report.GraphChecksum, report.Chosen is { } c ? report.Candidates[c].Name : "fp32", report.Chosen is { } i ? report.Candidates[i].Plan : null)
    {
        Attempts = [.. report.Attempts.Select(a => report.Candidates[a]).Select(a => new RecipeAttempt(a.Name, a.Proof!.Holds, a.Proof.Drop, a.Proof.WorseEnd))],
    };

    /// <summary>As JSON.</summary>
    public JsonObject ToJson() => new()
    {
        ["version"] = Version,
        ["graph"] = GraphChecksum,
        ["name"] = Name,
        ["plan"] = Plan is null ? null : Json(Plan),
        ["attempts"] = new JsonArray([.. Attempts.Select(a => (JsonNode)new JsonObject { ["name"] = a.Name, ["holds"] = a.Holds, ["drop"] = Finite(a.Drop), ["worse_end"] = Finite(a.WorseEnd) })]),
    };

    /// <summary>Reads a recipe.</summary>
    /// <param name="json">The text.</param>
    /// <param name="source">Where it is from, for messages.</param>
    /// <exception cref="ModelFormatException">It is none.</exception>
    public static Recipe Parse(string json, string source)
    {
        try
        {
            var root = JsonNode.Parse(json) as JsonObject ?? throw new FormatException("it is no JSON object");
            var version = Part(root, "version").GetValue<int>();
            if (version != Version) throw new FormatException($"version {version} is not known; expected {Version}");
            return new(Part(root, "graph").GetValue<string>(), Part(root, "name").GetValue<string>(), root["plan"] is JsonObject plan ? Plans(plan) : null)
            {
                Attempts = [.. (root["attempts"] as JsonArray ?? []).Select(a => a as JsonObject ?? throw new FormatException("an attempt is no JSON object"))
                    .Select(a => new RecipeAttempt(Part(a, "name").GetValue<string>(), Part(a, "holds").GetValue<bool>(), Real(a["drop"]), Real(a["worse_end"])))],
            };
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or FormatException or ArgumentException or OverflowException)
        {
            throw new ModelFormatException($"{source} is not a recipe: {e.Message}", e);
        }
    }

    /// <summary>A plan as JSON.</summary>
    internal static JsonObject Json(QuantizationPlan plan) => new()
    {
        ["followers"] = plan.Followers,
        ["float_results"] = plan.FloatResults,
        ["block_size"] = plan.BlockSize,
        ["nodes"] = new JsonObject(plan.Nodes.OrderBy(n => n.Key, StringComparer.Ordinal).Select(n => KeyValuePair.Create(n.Key, (JsonNode?)n.Value.ToString()))),
        ["ranges"] = new JsonObject(plan.Ranges.OrderBy(r => r.Key, StringComparer.Ordinal).Select(r => KeyValuePair.Create(r.Key, (JsonNode?)new JsonArray(r.Value.Low, r.Value.High)))),
        ["means"] = Lists(plan.Means),
        ["smoothing"] = Lists(plan.Smoothing),
    };

    private static QuantizationPlan Plans(JsonObject json) => new()
    {
        Followers = Part(json, "followers").GetValue<bool>(),
        FloatResults = Part(json, "float_results").GetValue<bool>(),
        BlockSize = Part(json, "block_size").GetValue<int>() is var size and > 0 ? size : throw new FormatException("the block size must be positive"),
        Nodes = Entries(json, "nodes", n => Enum.TryParse<QuantizedForm>(n.GetValue<string>(), out var form) && Enum.IsDefined(form) ? form : throw new FormatException($"there is no form '{n}'")),
        Ranges = Entries(json, "ranges", r => Numbers(r) is [var low, var high] ? new ActivationRange((float)low, (float)high) : throw new FormatException("a range has two ends")),
        Means = Entries(json, "means", Numbers),
        Smoothing = Entries(json, "smoothing", Numbers),
    };

    private static JsonObject Lists(IReadOnlyDictionary<string, double[]> lists) =>
        new(lists.OrderBy(l => l.Key, StringComparer.Ordinal).Select(l => KeyValuePair.Create(l.Key, (JsonNode?)new JsonArray([.. l.Value.Select(v => (JsonNode)JsonValue.Create(v))]))));

    /// <summary>JSON has no infinity: null stands for it.</summary>
    private static JsonNode? Finite(double value) => double.IsFinite(value) ? JsonValue.Create(value) : null;

    private static double Real(JsonNode? node) => node?.GetValue<double>() ?? double.PositiveInfinity;

    private static JsonNode Part(JsonObject json, string name) => json[name] ?? throw new FormatException($"'{name}' is missing");

    private static Dictionary<string, T> Entries<T>(JsonObject json, string name, Func<JsonNode, T> read) =>
        Part(json, name).AsObject().ToDictionary(e => e.Key, e => read(e.Value ?? throw new FormatException($"'{e.Key}' in '{name}' is empty")), StringComparer.Ordinal);

    private static double[] Numbers(JsonNode list) => [.. list.AsArray().Select(v => (v ?? throw new FormatException("a number is missing")).GetValue<double>())];
}

/// <summary>A form that a search put to the proof.</summary>
/// <param name="Name">What the search called it.</param>
/// <param name="Holds">Whether the held-back samples showed it to be within the budget.</param>
/// <param name="Drop">The loss that was seen.</param>
/// <param name="WorseEnd">The worse end of its interval.</param>
public sealed record RecipeAttempt(string Name, bool Holds, double Drop, double WorseEnd);
