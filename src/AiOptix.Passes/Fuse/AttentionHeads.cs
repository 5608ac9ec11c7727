using AiOptix.Graphs;
using AiOptix.Graphs.Ops;

namespace AiOptix.Passes.Fuse;

/// <summary>
/// An Attention over [batch · heads, length, size], as exporters of the batched product wrote it, becomes one over [batch, heads, length, size] where queries, keys and values
/// had these axes before a Reshape joined them and the result has them again behind one: then heads can be read and written where they lie.
/// </summary>
public sealed class AttentionHeads : IPass
{
    /// <inheritdoc/>
    public Patch? Match(Graph graph, Node node)
    {
        if (node.Operator is not Reshape || node.Input(0).MadeOnlyFor<Attention>(node) is not { Inputs: [{ } query, { } key, { } value] } attention) return null;
        if ((Attention)attention.Operator is not { QueryHeads: 1, KeyHeads: 1 } op || attention.Outputs.Skip(1).Any(o => !o.IsUnused)) return null;
        if (Apart(query, graph) is not { Shape: { } q } queries || Apart(key, graph) is not { Shape: { } k } keys || Apart(value, graph) is not { Shape: { } v } values) return null;
        if (!q[0].Equals(k[0]) || !q[0].Equals(v[0]) || !q[1].Equals(k[1]) || !q[1].Equals(v[1])) return null;
        if (node.Output.Shape is not { Rank: 4 } y || !y.Equals(new(q[0], q[1], q[2], v[3]))) return null;
        var patch = new Patch(graph, "heads of their own");
        return patch.Replace(node.Output, patch.Add(op with { QueryHeads = null, KeyHeads = null }, queries, keys, values));
    }

    /// <summary>A value before its first two axes were joined.</summary>
    private static Value? Apart(Value joined, Graph graph) =>
        joined is { Shape: { Rank: 3 } to } && joined.MadeBy<Reshape>(graph)?.Input(0) is { Shape: { Rank: 4 } from } source
        && to.Equals(new(from[0] * from[1], from[2], from[3])) ? source : null;
}
