using AiOptix.Graphs;

namespace AiOptix.Passes;

/// <summary>
/// A portable rewrite: the same mathematics in fewer or cheaper operators. A pass has no state and changes nothing itself; it proposes a patch, the driver
/// verifies and applies it. Repeated on its own results it must come to an end.
/// </summary>
public interface IPass
{
    /// <summary>The name in reports: that of the class.</summary>
    string Name => GetType().Name;

    /// <summary>Looks at one node, most often the last one of a pattern.</summary>
    /// <param name="graph">The graph that the node belongs to.</param>
    /// <param name="node">The node.</param>
    /// <returns>The rewrite, or null when there is nothing to do here.</returns>
    Patch? Match(Graph graph, Node node);
}
