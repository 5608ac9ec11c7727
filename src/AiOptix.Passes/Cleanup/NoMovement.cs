using AiOptix.Graphs;
using AiOptix.Graphs.Ops;

namespace AiOptix.Passes.Cleanup;

/// <summary>Removes nodes that move elements to where they are: a Reshape to the same shape, a whole Slice, a Concat of one input, Pads of 0 and their like.</summary>
public sealed class NoMovement : IPass
{
    /// <inheritdoc/>
    public Patch? Match(Graph graph, Node node)
    {
        if (node.Input(0) is not { } input || node.Outputs.Count != 1) return null;
        var idle = node.Operator switch
        {
            Reshape or Flatten or Squeeze or Unsqueeze or Expand or Tile => input.SameType(node.Output),
            Transpose t => IsIdentity(t, input),
            Concat => node.Inputs.Count == 1,
            Slice => input.SameType(node.Output) && (node.Input(4) is null || node.Input(4).Integers()?.All(s => s == 1) == true),
            Pad => node.Input(1).Integers()?.All(p => p == 0) == true,
            _ => false,
        };
        return idle ? node.Output.ReplaceBy(input, $"{node.Operator.Name} moves nothing") : null;
    }

    private static bool IsIdentity(Transpose transpose, Value input) =>
        input.Shape is { } s && transpose.PermutationOf(s.Rank) is var p && p.Select((a, i) => a == i).All(same => same);
}
