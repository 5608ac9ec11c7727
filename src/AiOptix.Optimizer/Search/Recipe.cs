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

    /// <summary>What a search decided.</summary>
    public static Recipe Of(SearchReport report) => new(report.GraphChecksum, report.Chosen is { } c ? report.Candidates[c].Name : "fp32", report.Chosen is { } i ? report.Candidates[i].Plan : null);

    /// <summary>As JSON.</summary>
    public JsonObject ToJson() => new() { ["version"] = Version, ["graph"] = GraphChecksum, ["name"] = Name, ["plan"] = Plan is null ? null : Json(Plan) };

    /// <summary>Reads a recipe.</summary>
    /// <param name="json">The text.</param>
    /// <param name="source">Where it is from, for messages.</param>
    /// <exception cref="ModelFormatException">It is none.</exception>
    public static Recipe Parse(string json, string source)
    {
        try
        {
            var root = JsonNode.Parse(json)!.AsObject();
            if ((int)root["version"]! != Version) throw new ModelFormatException($"{source}: recipe version {root["version"]} is not known; expected {Version}");
            return new((string)root["graph"]!, (string)root["name"]!, root["plan"] is JsonObject plan ? Plans(plan) : null);
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or FormatException or NullReferenceException or ArgumentException or KeyNotFoundException or OverflowException)
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
        Followers = (bool)json["followers"]!,
        FloatResults = (bool)json["float_results"]!,
        BlockSize = (int)json["block_size"]! is var size and > 0 ? size : throw new FormatException("the block size must be positive"),
        Nodes = json["nodes"]!.AsObject().ToDictionary(n => n.Key, n => Enum.Parse<QuantizedForm>((string)n.Value!), StringComparer.Ordinal),
        Ranges = json["ranges"]!.AsObject().ToDictionary(r => r.Key, r => new ActivationRange((float)r.Value![0]!, (float)r.Value[1]!), StringComparer.Ordinal),
        Means = Lists(json["means"]!.AsObject()),
        Smoothing = Lists(json["smoothing"]!.AsObject()),
    };

    private static JsonObject Lists(IReadOnlyDictionary<string, double[]> lists) =>
        new(lists.OrderBy(l => l.Key, StringComparer.Ordinal).Select(l => KeyValuePair.Create(l.Key, (JsonNode?)new JsonArray([.. l.Value.Select(v => (JsonNode)JsonValue.Create(v))]))));

    private static Dictionary<string, double[]> Lists(JsonObject lists) => lists.ToDictionary(l => l.Key, l => l.Value!.AsArray().Select(v => (double)v!).ToArray(), StringComparer.Ordinal);
}
