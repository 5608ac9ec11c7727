using AiOptix.Graphs;
using AiOptix.Graphs.Ops;

namespace AiOptix.Passes.Fold;

/// <summary>Gives a Reshape whose target is calculated from shapes a constant one with 0 and -1 where that says the same; the calculation falls away.</summary>
public sealed class ReshapeTargets : IPass
{
    /// <inheritdoc/>
    public Patch? Match(Graph graph, Node node)
    {
        if (node.Operator is not Reshape || node.Input(0) is not { Shape: { } from } source || node.Input(1) is not { IsConstant: false, Elements: not null }) return null;
        if (node.Output.Shape is not { } to || ReshapeTarget.Of(from, to) is not { } target) return null;
        var patch = new Patch(graph, $"the target is always [{string.Join(",", target.Extents.ToInt64())}]");
        return patch.Replace(node.Output, patch.Add(target.Operator, source, patch.Constant(target.Extents)));
    }
}
