using AiOptix.Graphs;
using AiOptix.Graphs.Ops;

namespace AiOptix.Passes.Quantize;

/// <summary>
/// Moves bytes as bytes: QuantizeLinear of a DequantizeLinear with the same scale, zero point and type gives every byte back, also when only a Reshape, Flatten, Squeeze,
/// Unsqueeze or Transpose stands in between.
/// </summary>
public sealed class QuantizedMovement : IPass
{
    /// <inheritdoc/>
    public Patch? Match(Graph graph, Node node)
    {
        if (QuantizedOperand.Behind(node) is not { } result || node.Input(0) is not { } value) return null;
        if (QuantizedOperand.Before(value, graph) is { } same) return same.IsLike(result) ? node.Output.ReplaceBy(same.Bytes, "the bytes are there already") : null;
        if (value.Producer is not { Operator: Reshape or Flatten or Squeeze or Unsqueeze or Transpose } move || move.Graph != graph || value.SoleUser != node) return null;
        if (QuantizedOperand.Before(move.Input(0), graph) is not { } source || !source.IsLike(result)) return null;
        var patch = new Patch(graph, $"{move.Operator.Name} of bytes");
        return patch.Replace(node.Output, patch.Add(move.Operator, [source.Bytes, .. move.Inputs.Skip(1)]));
    }
}
