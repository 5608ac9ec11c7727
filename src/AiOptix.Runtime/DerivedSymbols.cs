using AiOptix.Graphs;

namespace AiOptix.Runtime;

/// <summary>The symbols that stand for long expressions: known as soon as what they are made of is.</summary>
/// <param name="definitions">The symbols, and what they stand for.</param>
public sealed class DerivedSymbols(IEnumerable<(string Symbol, Dim Extent)> definitions)
{
    private readonly (string Symbol, Dim Extent, string[] Symbols)[] definitions = [.. definitions.Select(d => (d.Symbol, d.Extent, d.Extent.Symbols.ToArray()))];

    /// <summary>Adds the symbols that follow from those known.</summary>
    public void Close(HashSet<string> known)
    {
        for (var grown = true; grown;)
        {
            grown = false;
            foreach (var (symbol, _, symbols) in definitions)
                if (symbols.All(known.Contains)) grown |= known.Add(symbol);
        }
    }

    /// <summary>Gives values to the symbols that follow from those that have one.</summary>
    internal void Evaluate(Dictionary<string, long> values)
    {
        for (var grown = definitions.Length > 0; grown;)
        {
            grown = false;
            foreach (var (symbol, extent, symbols) in definitions)
                if (!values.ContainsKey(symbol) && Array.TrueForAll(symbols, values.ContainsKey)) grown |= values.TryAdd(symbol, extent.Evaluate(values));
        }
    }

    /// <summary>The values with those of the symbols that follow from them.</summary>
    internal IReadOnlyDictionary<string, long> Completed(IReadOnlyDictionary<string, long> values)
    {
        if (Array.TrueForAll(definitions, d => values.ContainsKey(d.Symbol) || !Array.TrueForAll(d.Symbols, values.ContainsKey))) return values;
        var all = new Dictionary<string, long>(values, StringComparer.Ordinal);
        Evaluate(all);
        return all;
    }
}
