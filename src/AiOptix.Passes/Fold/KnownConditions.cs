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
            for (var i = 0; i < node.Outputs.Count; i++)
            {
                var (old, result) = (node.Outputs[i], results[i]);
                var isShared = results.Take(i).Contains(result);
                if (old.OutputUses > 0 && (isShared || !Patch.CanReplace(old, result))) result = patch.Add(new Identity(), result);
                if (!Fits(old.Type, result.Type))
                {
                    patch.Discard();
                    return null;
                }
                patch.Replace(old, result);
            }
            return patch;
        }
        catch (InvalidGraphException)
        {
            patch.Discard();
            return null;
        }
    }

    /// <summary>Whether the branch says at least as much of a value as the node does.</summary>
    private static bool Fits(GraphType? old, GraphType? result) => (old, result) switch
    {
        (TensorType a, TensorType b) => a.DType == b.DType && (a.Shape is null || a.Shape.Rank == b.Shape?.Rank),
        _ => old is not null && old.Equals(result),
    };
}
