using AiOptix.Graphs;
using AiOptix.Graphs.Ops;

namespace AiOptix.Passes.Fuse;

/// <summary>
/// Lets an Attention read shared keys and values where they lie: both inputs are repeated for every head of a group (Unsqueeze, Expand or Tile, Reshape from
/// [batch, shared, length, size] over [batch, shared, group, length, size] to [batch, heads, length, size]), which Attention does by itself.
/// </summary>
public sealed class GroupedQueryFusion : IPass
{
    /// <inheritdoc/>
    public Patch? Match(Graph graph, Node node)
    {
        if (node.Operator is not Attention op || node.Input(0) is not { Shape.Rank: 4 } || node.Input(4) is not null || node.Outputs.Skip(1).Any(o => !o.IsUnused)) return null;
        if (Shared(node.Input(1), graph) is not var (keys, group) || Shared(node.Input(2), graph) is not var (values, other) || group != other) return null;
        var patch = new Patch(graph, $"{group} heads share keys and values");
        return patch.Replace(node.Output, patch.Add(op, [node.Inputs[0], keys, values, .. node.Inputs.Skip(3)]));
    }

    private static (Value Value, long Group)? Shared(Value? repeated, Graph graph)
    {
        if (repeated.MadeBy<Reshape>(graph)?.Input(0) is not { Shape: { Rank: 5 } wide } copies || (copies.MadeBy<Expand>(graph) ?? copies.MadeBy<Tile>(graph)) is not { } repeat) return null;
        if (repeat.Input(0) is not { Shape: { Rank: 5 } narrow } single || (single.MadeBy<Unsqueeze>(graph) ?? single.MadeBy<Reshape>(graph))?.Input(0) is not { Shape: { Rank: 4 } s } source) return null;
        if (wide[2].Constant is not { } group || narrow[2].Constant != 1 || repeated!.Shape is not { Rank: 4 } r) return null;
        SymbolicShape Of(Dim copies) => new(s[0], s[1], copies, s[2], s[3]);
        return narrow.Equals(Of(1)) && wide.Equals(Of(group)) && r.Equals(new SymbolicShape(s[0], s[1] * group, s[2], s[3])) ? (source, group) : null;
    }
}
