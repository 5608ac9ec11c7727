namespace AiOptix.Graphs;

/// <summary>What people and exporters note on a graph, a node or a value. It changes no answer; it lasts as long as what it stands on.</summary>
/// <param name="Documentation">Free text.</param>
/// <param name="Properties">Free key-value pairs.</param>
public sealed record Annotation(string Documentation, IReadOnlyDictionary<string, string> Properties)
{
    /// <summary>Nothing is noted.</summary>
    public static Annotation None { get; } = new("", new Dictionary<string, string>());

    /// <summary>True when nothing is noted.</summary>
    public bool IsEmpty => Documentation.Length == 0 && Properties.Count == 0;
}
