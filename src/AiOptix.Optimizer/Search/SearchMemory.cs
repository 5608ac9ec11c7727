using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using AiOptix.Tensors;

namespace AiOptix.Optimization;

/// <summary>
/// What a search has found out so far, number lists by name, in a file that is replaced as a whole after every finding: a search that was ended, however roughly, is told of all
/// that it knew when it is started again on the same model, samples and options, and decides the same.
/// </summary>
internal sealed class SearchMemory
{
    private readonly string? path;
    private readonly string fingerprint;
    private readonly Dictionary<string, double[]> found = new(StringComparer.Ordinal);

    /// <summary>Opens a memory.</summary>
    /// <param name="path">The file; null remembers nothing beyond the process.</param>
    /// <param name="fingerprint">What the search is of; a file of another one is not read, and is replaced.</param>
    public SearchMemory(string? path, string fingerprint)
    {
        (this.path, this.fingerprint) = (path, fingerprint);
        if (path is null || !File.Exists(path)) return;
        try
        {
            var root = JsonNode.Parse(File.ReadAllText(path)) as JsonObject ?? throw new FormatException("it is no JSON object");
            if (root["search"]?.GetValue<string>() != fingerprint) return;
            Spent = TimeSpan.FromSeconds(root["seconds"]?.GetValue<double>() ?? 0);
            foreach (var (key, list) in root["found"] as JsonObject ?? []) found.Add(key, [.. (list as JsonArray ?? []).Select(n => n is null ? double.PositiveInfinity : n.GetValue<double>())]);
            IsResumed = found.Count > 0;
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or FormatException or ArgumentException or OverflowException)
        {
            throw new ModelFormatException($"{path} is not the state of a search: {e.Message}; delete it to begin anew", e);
        }
    }

    /// <summary>Whether findings of an earlier process were read.</summary>
    public bool IsResumed { get; }

    /// <summary>The time that earlier processes spent.</summary>
    public TimeSpan Spent { get; }

    /// <summary>What is known by a name, or what now is found out.</summary>
    /// <param name="key">The name.</param>
    /// <param name="elapsed">The time that this process spent, for the file.</param>
    /// <param name="find">Finds it out.</param>
    public double[] Get(string key, Func<TimeSpan> elapsed, Func<double[]> find)
    {
        if (found.TryGetValue(key, out var known)) return known;
        found[key] = known = find();
        Write(Spent + elapsed());
        return known;
    }

    /// <summary>Whether it is known.</summary>
    public bool Knows(string key) => found.ContainsKey(key);

    /// <summary>Forgets all: the search is over.</summary>
    public void Delete()
    {
        if (path is not null) File.Delete(path);
    }

    private void Write(TimeSpan spent)
    {
        if (path is null) return;
        var root = new JsonObject
        {
            ["search"] = fingerprint,
            ["seconds"] = spent.TotalSeconds,
            ["found"] = new JsonObject(found.Select(f => KeyValuePair.Create(f.Key, (JsonNode?)new JsonArray([.. f.Value.Select(v => double.IsFinite(v) ? (JsonNode?)JsonValue.Create(v) : null)])))),
        };
        var temporary = string.Create(CultureInfo.InvariantCulture, $"{path}.{Environment.ProcessId}.tmp");
        File.WriteAllText(temporary, root.ToJsonString());
        File.Move(temporary, path, overwrite: true);
    }
}
