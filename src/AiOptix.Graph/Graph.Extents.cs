namespace AiOptix.Graphs;

/// <content>What becomes known of extents that a shape rule could not tell.</content>
public sealed partial class Graph
{
    /// <summary>Puts an extent in the place of a symbol everywhere: in this graph, those around it and those inside.</summary>
    internal void Substitute(string symbol, Dim extent)
    {
        var root = this;
        while (root.Parent is { } parent) root = parent;
        foreach (var (key, _) in root.abbreviations.Where(a => a.Value.SymbolName == symbol).ToArray()) root.abbreviations[key] = extent;
        root.SubstituteHere(symbol, new Dictionary<string, Dim>(StringComparer.Ordinal) { [symbol] = extent });
    }

    private void SubstituteHere(string symbol, Dictionary<string, Dim> replacement)
    {
        foreach (var v in values.Values)
        {
            if (v.Shape is { } s && s.Any(d => d.Symbols.Contains(symbol))) v.Type = v.TensorType! with { Shape = s.Substitute(replacement) };
            if (v.Elements is { } e && e.Any(d => d.Symbols.Contains(symbol))) v.Elements = [.. e.Select(d => d.Substitute(replacement))];
        }
        foreach (var (key, c) in constraints.Where(c => c.Key.Item1.Symbols.Contains(symbol) || c.Key.Item2.Symbols.Contains(symbol)).ToArray())
        {
            constraints.Remove(key);
            var (left, right) = (c.Left.Substitute(replacement), c.Right.Substitute(replacement));
            if (!left.Equals(right)) constraints.TryAdd((left, right), c with { Left = left, Right = right });
        }
        foreach (var sub in nodes.SelectMany(n => n.Operator.Subgraphs)) sub.SubstituteHere(symbol, replacement);
    }
}
