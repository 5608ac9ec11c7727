using AiOptix.Graphs;
using AiOptix.Graphs.Ops;
using AiOptix.Tensors;

namespace AiOptix.Passes.Fold;

/// <summary>An If whose condition is constant becomes the branch that runs. Exporters write such nodes where they did not follow a shape: "squeeze if the extent is 1".</summary>
public sealed class KnownConditions : IPass
{
    /// <inheritdoc/>
    public Patch? Match(Graph graph, Node node)
    {
        if (node.Operator is not If branches || node.Inputs[0]!.Constant is not { DType: DType.Bool, Count: 1 } condition) return null;
        var isTrue = condition.Bytes[0] != 0;
        var branch = isTrue ? branches.Then : branches.Else;
        if (branch.Nodes.Any(n => n.Contradiction is not null)) return null;
        var patch = new Patch(graph, $"the condition is always {(isTrue ? "true" : "false")}");
        try
        {
            var results = patch.Inline(branch);
            return patch.ReplaceOutputs(node, i => results[i]) ? patch : null;
        }
        catch (InvalidGraphException)
        {
            patch.Discard();
            return null;
        }
    }
}
