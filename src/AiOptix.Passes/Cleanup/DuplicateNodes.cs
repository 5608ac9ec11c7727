using AiOptix.Graphs;

namespace AiOptix.Passes.Cleanup;

/// <summary>Of two pure nodes with equal operators and the same inputs keeps the one that runs first.</summary>
public sealed class DuplicateNodes : IPass
{
    /// <inheritdoc/>
    public Patch? Match(Graph graph, Node node)
    {
        if (!node.Operator.IsPure || !node.Operator.IsKnown || node.Operator.Subgraphs.Count > 0) return null;
        if (node.Inputs.OfType<Value>().MinBy(v => v.Users.Count) is not { } rarest || rarest.Users.Count < 2) return null;
        Node? first = null;
        foreach (var other in rarest.Users)
            if (other != node && other.Graph == graph && graph.Precedes(other, node) && Equal(other, node) && (first is null || graph.Precedes(other, first)))
                first = other;
        if (first is null) return null;
        for (var i = 0; i < node.Outputs.Count; i++)
            if (!Patch.CanReplace(node.Outputs[i], first.Outputs[i])) return null;
        var patch = new Patch(graph, $"the same as {first}");
        for (var i = 0; i < node.Outputs.Count; i++) patch.Replace(node.Outputs[i], first.Outputs[i]);
        return patch;
    }

    private static bool Equal(Node a, Node b) =>
        a.Outputs.Count == b.Outputs.Count && a.Inputs.SequenceEqual(b.Inputs) && a.Operator.Equals(b.Operator);
}
