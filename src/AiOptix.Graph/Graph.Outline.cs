namespace AiOptix.Graphs;

/// <content>Subgraphs as graphs of their own.</content>
public sealed partial class Graph
{
    /// <summary>The values of graphs around this one that it, or a subgraph of it, reads or hands out; each once, constants included.</summary>
    public IReadOnlyList<Value> Captures()
    {
        var inside = new HashSet<Graph> { this };
        var found = new List<Value>();
        var seen = new HashSet<Value>();
        Collect(this);
        return found;

        void Collect(Graph graph)
        {
            inside.Add(graph);
            foreach (var node in graph.nodes)
            {
                foreach (var input in node.Inputs) Note(input);
                foreach (var sub in node.Operator.Subgraphs) Collect(sub);
            }
            foreach (var output in graph.outputs) Note(output);
        }

        void Note(Value? value)
        {
            if (value is not null && !inside.Contains(value.Graph) && seen.Add(value)) found.Add(value);
        }
    }

    /// <summary>
    /// A copy that stands alone: what it captured are further inputs, behind its own, captured constants are its own constants. Types are inferred anew, so that every extent follows
    /// from the shapes of its inputs.
    /// </summary>
    /// <returns>The copy, and the values that its further inputs stand for.</returns>
    public (Graph Graph, IReadOnlyList<Value> Captured) Outline()
    {
        var root = this;
        while (root.Parent is { } parent) root = parent;
        var map = new Dictionary<Value, Value>();
        var copy = new Graph(Name) { freshNames = root.freshNames, freshSymbols = root.freshSymbols, isOutlined = true };
        foreach (var name in root.reservedSymbols) copy.reservedSymbols.Add(name);
        foreach (var name in values.Keys) copy.Reserve(name);
        foreach (var i in inputs)
        {
            copy.Release(i.Name);
            map[i] = copy.AddInput(i.Name, copy.Plain(i.Type));
        }
        var captures = Captures();
        foreach (var c in captures.Where(c => c.IsConstant)) map[c] = copy.AddConstant(c.Constant!, c.Name);
        Value[] captured = [.. captures.Where(c => !c.IsConstant)];
        foreach (var c in captured) map[c] = copy.AddInput(copy.Unique(c.Name), copy.Plain(c.Type));
        foreach (var name in values.Keys) copy.Release(name);
        CopyInto(copy, map);
        copy.InferAll();
        return (copy, captured);
    }

    // An extent of an input that is no plain symbol could not be solved for: it gets one of its own.
    private GraphType? Plain(GraphType? type) =>
        type is TensorType { Shape: { } shape } t ? t with { Shape = new([.. shape.Select(d => d.IsConstant || d.SymbolName is not null ? d : FreshSymbol())]) } : type;
}
