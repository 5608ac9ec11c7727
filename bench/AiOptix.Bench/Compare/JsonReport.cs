using System.Text.Json;
using System.Text.Json.Nodes;

namespace AiOptix.Bench.Compare;

/// <summary>What a machine reads: everything that was measured, round by round.</summary>
internal static class JsonReport
{
    private static readonly JsonSerializerOptions indented = new() { WriteIndented = true, Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>Writes the file: under <c>bench/results/&lt;cpu&gt;/</c> when it is a bare name. It appears when it is complete.</summary>
    /// <returns>The path.</returns>
    internal static string Write(string file, JsonObject document)
    {
        var path = Path.GetFileName(file) == file ? Path.Combine(Repository.Root, "bench", "results", Machine.Slug, file) : Path.GetFullPath(file);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        var temporary = path + ".tmp";
        File.WriteAllText(temporary, document.ToJsonString(indented) + "\n");
        File.Move(temporary, path, overwrite: true);
        return path;
    }

    /// <summary>The document of a comparison.</summary>
    internal static JsonObject Document(CompareOptions options, IReadOnlyList<Comparison> comparisons, IReadOnlyList<Summary> summaries)
    {
        var document = Head();
        document["seed"] = options.Seed;
        document["rounds"] = options.Rounds;
        document["extents"] = new JsonObject(options.Extents.Select(e => KeyValuePair.Create<string, JsonNode?>(e.Key, e.Value)));
        document["summaries"] = new JsonArray([.. summaries.Select(Of)]);
        document["comparisons"] = new JsonArray([.. comparisons.Select(Of)]);
        return document;
    }

    /// <summary>A document that says what its figures hold for.</summary>
    internal static JsonObject Head() => new()
    {
        ["versions"] = new JsonObject { ["aiOptix"] = Versions.Optix, ["onnxRuntime"] = Versions.Ort, ["dotNet"] = Versions.DotNet },
        ["machine"] = new JsonObject { ["cpu"] = Machine.Cpu, ["cpus"] = Environment.ProcessorCount, ["target"] = Machine.Target, ["os"] = System.Runtime.InteropServices.RuntimeInformation.OSDescription },
        ["date"] = DateTime.UtcNow.ToString("yyyy-MM-dd", System.Globalization.CultureInfo.InvariantCulture),
    };

    private static JsonObject Of(Summary s) => new()
    {
        ["threads"] = s.Threads,
        ["geomean"] = s.Overall.Models == 0 ? null : Rounded(s.Overall.Ratio),
        ["models"] = s.Overall.Models,
        ["least"] = s.Least is null ? null : new JsonObject { ["model"] = s.Least.Model.Name, ["ratio"] = Rounded(s.Least.Ratio.Median) },
        ["kinds"] = new JsonObject(s.Groups.Select(g => KeyValuePair.Create<string, JsonNode?>(g.Name, new JsonObject { ["geomean"] = Rounded(g.Ratio), ["models"] = g.Models }))),
        ["unsupported"] = Names(s.Unsupported),
        ["failed"] = Names(s.Failed),
        ["notRunByPeer"] = Names(s.NoPeer),
    };

    private static JsonObject Of(Comparison c)
    {
        var o = new JsonObject { ["model"] = c.Model.Name, ["threads"] = c.Threads, ["outcome"] = JsonNamingPolicy.CamelCase.ConvertName(c.Outcome.ToString()) };
        if (c.Reason is not null) o["reason"] = c.Reason;
        if (c.Rounds.Count == 0) return o;
        o["kind"] = c.Kind;
        o["aiOptixMicroseconds"] = Rounded(c.OptixTime);
        o["onnxRuntimeMicroseconds"] = Rounded(c.OrtTime);
        o["ratio"] = Of(c.Ratio);
        o["difference"] = double.IsFinite(c.Agreement!.Largest) ? c.Agreement.Largest : "infinite";
        if (c.Agreement.OnlyInPieces is { } whole) o["agreesOnlyInPieces"] = whole;
        if (c.Optix is not null) o["aiOptix"] = Of(c.Optix);
        if (c.Saved is not null) o["saved"] = Of(c.Saved);
        if (c.Ort is not null) o["onnxRuntime"] = Of(c.Ort);
        o["rounds"] = new JsonArray([.. c.Rounds.Select(r => new JsonArray(Rounded(r.Optix), Rounded(r.Ort)))]);
        return o;
    }

    private static JsonObject Of(Footprint f) => new()
    {
        ["loadMilliseconds"] = Rounded(f.LoadMilliseconds), ["firstMilliseconds"] = Rounded(f.FirstMilliseconds), ["steadyMilliseconds"] = Rounded(f.SteadyMilliseconds), ["peakBytes"] = f.PeakBytes,
    };

    /// <summary>An estimate with its interval.</summary>
    internal static JsonObject Of(Estimate e) => new() { ["median"] = Rounded(e.Median), ["low"] = Rounded(e.Low), ["high"] = Rounded(e.High) };

    private static JsonArray Names(IEnumerable<string> names) => new([.. names.Select(n => JsonValue.Create(n))]);

    /// <summary>Five significant digits: no timing has more.</summary>
    internal static double Rounded(double value) => value == 0 || !double.IsFinite(value) ? 0 : Math.Round(value, Math.Clamp(4 - (int)Math.Floor(Math.Log10(Math.Abs(value))), 0, 15));
}
