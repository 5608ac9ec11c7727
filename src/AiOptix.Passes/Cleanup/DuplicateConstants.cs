using AiOptix.Graphs;

namespace AiOptix.Passes.Cleanup;

/// <summary>
/// Keeps one of several equal constants that say how a model is built (axes, shapes, an epsilon), so that nodes which use them compare equal. Weights are never
/// merged: that two of them are equal may not hold for the next training (<see cref="Graph.FindConstant"/>).
/// </summary>
public sealed class DuplicateConstants : IPass
{
    /// <inheritdoc/>
    public Patch? Match(Graph graph, Node node)
    {
        foreach (var input in node.Inputs)
            if (input?.Constant is { } tensor && input.Graph == graph && graph.FindConstant(tensor) is { } first && first != input && Patch.CanReplace(input, first))
                return new Patch(graph, $"'{input.Name}' is '{first.Name}'").Replace(input, first);
        return null;
    }
}
