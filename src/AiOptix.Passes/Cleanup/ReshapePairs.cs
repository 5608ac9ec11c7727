using AiOptix.Graphs;
using AiOptix.Graphs.Ops;

namespace AiOptix.Passes.Cleanup;

/// <summary>
/// Merges two neighbouring nodes that only give the same elements another shape (Reshape, Flatten, Squeeze, Unsqueeze) into one Reshape, or into
/// none when the first shape is back.
/// </summary>
public sealed class ReshapePairs : IPass
{
    /// <inheritdoc/>
    public Patch? Match(Graph graph, Node node)
    {
        if (!Reshapes(node) || node.Input(0)?.Producer is not { } inner || inner.Graph != graph || !Reshapes(inner) || inner.Input(0) is not { } source) return null;
        if (source.SameType(node.Output)) return node.Output.ReplaceBy(source, $"undoes {inner}");
        if (source.Shape is not { } from || node.Output.Shape is not { } to || ReshapeTarget.Of(from, to) is not { } target) return null;
        var patch = new Patch(graph, $"one shape with {inner}");
        return patch.Replace(node.Output, patch.Add(target.Operator, source, patch.Constant(target.Extents)));
    }

    private static bool Reshapes(Node node) => node.Operator is Reshape or Flatten or Squeeze or Unsqueeze;
}
