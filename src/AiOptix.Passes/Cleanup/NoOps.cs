using AiOptix.Graphs;
using AiOptix.Graphs.Ops;
using AiOptix.Tensors;

namespace AiOptix.Passes.Cleanup;

/// <summary>Removes nodes that hand their input through: Identity, Dropout out of training, a Cast to the same type, a Sum, Mean, Max or Min of one input.</summary>
public sealed class NoOps : IPass
{
    /// <inheritdoc/>
    public Patch? Match(Graph graph, Node node)
    {
        if (node.Input(0) is not { } input) return null;
        var idle = node.Operator switch
        {
            Identity => true,
            Dropout => node.Outputs.Skip(1).All(o => o.IsUnused) && IsFalse(node.Input(2)),
            Cast c => input.DType == c.To && node.Outputs.Count == 1,
            CastLike => node.Input(1) is { } like && input.DType != DType.Undefined && like.DType == input.DType,
            Variadic => node.Inputs.Count == 1,
            _ => false,
        };
        return idle ? node.Output.ReplaceBy(input, $"{node.Operator.Name} changes nothing") : null;
    }

    private static bool IsFalse(Value? flag) => flag is null || flag.Constant is { DType: DType.Bool, Count: 1 } t && t.Bytes[0] == 0;
}
