using AiOptix.Graphs;

namespace AiOptix.Passes.Cleanup;

/// <summary>Removes nodes whose results nobody uses, and what only they used.</summary>
public sealed class DeadNodes : IPass
{
    /// <inheritdoc/>
    public Patch? Match(Graph graph, Node node) =>
        node.Outputs.Count > 0 && node.Outputs.All(o => o.IsUnused) ? new Patch(graph, "nobody uses it").Remove(node) : null;
}
