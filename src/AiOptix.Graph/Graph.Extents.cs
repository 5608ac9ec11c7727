namespace AiOptix.Graphs;

/// <content>What becomes known of extents that a shape rule could not tell.</content>
public sealed partial class Graph
{
    /// <summary>True when the rank of a tensor, here or in a subgraph, is not known: it may depend on extents, as where a branch drops an axis whose extent is 1.</summary>
    public bool HasOpenRanks => AllNodes.Any(n => n.Outputs.Any(o => o.Type is TensorType { Shape: null }));

    /// <summary>A copy for inputs of known shapes: numbers in the place of symbols, here and in subgraphs, and what follows from them.</summary>
    /// <param name="extents">The values of the symbols.</param>
    /// <exception cref="Tensors.InvalidGraphException">Some part of the graph contradicts these extents.</exception>
    public Graph Settle(IReadOnlyDictionary<string, long> extents)
    {
        var copy = Clone();
        foreach (var symbol in inputs.SelectMany(i => i.Shape?.Symbols ?? []).Distinct(StringComparer.Ordinal))
            if (extents.TryGetValue(symbol, out var extent)) copy.Substitute(symbol, extent);
        copy.InferAll();
        return copy;
    }

    /// <summary>Puts an extent in the place of a symbol everywhere: in this graph, those around it and those inside.</summary>
    internal void Substitute(string symbol, Dim extent)
    {
        var root = this;
        while (root.Parent is { } parent) root = parent;
        foreach (var (key, _) in root.abbreviations.Where(a => a.Value.SymbolName == symbol).ToArray()) root.abbreviations[key] = extent;
        var replacement = new Dictionary<string, Dim>(StringComparer.Ordinal) { [symbol] = extent };
        foreach (var (key, value) in root.abbreviations.Where(a => a.Key.Symbols.Contains(symbol)).ToArray())
        {
            root.abbreviations.Remove(key);
            root.abbreviations.TryAdd(key.Substitute(replacement), value);
        }
        root.SubstituteHere(symbol, replacement);
    }

    private void SubstituteHere(string symbol, Dictionary<string, Dim> replacement)
    {
        foreach (var v in values.Values)
        {
            if (v.Shape is { } s && s.Symbols.Contains(symbol)) v.Type = v.TensorType! with { Shape = s.Substitute(replacement) };
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
