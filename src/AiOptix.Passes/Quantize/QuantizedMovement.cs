using AiOptix.Graphs;
using AiOptix.Graphs.Ops;
using AiOptix.Tensors;

namespace AiOptix.Passes.Quantize;

/// <summary>
/// Moves bytes as bytes. QuantizeLinear of a DequantizeLinear with the same scale, zero point and type gives every byte back, also when only an operator stands in between that moves elements or takes the
/// largest ones: those keep the order of bytes. Where the scales differ, such an operator works on the bytes before they are made numbers, and parts that are joined are brought to the scale of the whole.
/// </summary>
public sealed class QuantizedMovement : IPass
{
    /// <inheritdoc/>
    public Patch? Match(Graph graph, Node node)
    {
        if (QuantizedOperand.Behind(node) is not { } result || node.Input(0) is not { } value) return null;
        if (QuantizedOperand.Before(value, graph) is { } same) return same.IsLike(result) ? node.Output.ReplaceBy(same.Bytes, "the bytes are there already") : null;
        if (value.Producer is not { } move || move.Graph != graph || value.SoleUser != node || move.Outputs.Count != 1 && move.Outputs.Skip(1).Any(o => !o.IsUnused)) return null;
        if (move.Operator is Concat) return Join(graph, node, move, result);
        if (!Moves(move) || QuantizedOperand.Before(move.Input(0), graph) is not { IsScalar: true } source) return null;
        var isView = move.Operator is Reshape or Flatten or Squeeze or Unsqueeze or Transpose;
        if (isView && !source.IsLike(result)) return null;
        var patch = new Patch(graph, $"{move.Operator.Name} of bytes");
        Value?[] inputs = [source.Bytes, .. move.Inputs.Skip(1)];
        if (move.Operator is Pad { Mode: PadMode.Constant }) inputs = [inputs[0], inputs[1], patch.Constant(Number(source.Bytes.DType, source.ZeroPoint)), .. inputs.Skip(3)];
        var bytes = patch.Add(move.Operator, inputs);
        return patch.Replace(node.Output, source.IsLike(result) ? bytes : Again(patch, node, bytes, source, result));
    }

    private static Patch? Join(Graph graph, Node node, Node join, QuantizedOperand result)
    {
        if (join.Inputs.Select(i => QuantizedOperand.Before(i, graph)).ToArray() is not { Length: > 0 } parts || parts.Any(p => p is not { IsScalar: true })) return null;
        var patch = new Patch(graph, "Concat of bytes");
        return patch.Replace(node.Output, patch.Add(join.Operator, [.. parts.Select(p => p!.IsLike(result) ? p.Bytes : Again(patch, node, p.Bytes, p, result))]));
    }

    private static Value Again(Patch patch, Node node, Value bytes, QuantizedOperand source, QuantizedOperand result) =>
        patch.Add(node.Operator, patch.Add(new DequantizeLinear(), bytes, source.Scale, source.Zero), result.Scale, result.Zero);

    private static bool Moves(Node node) => node.Operator switch
    {
        Reshape or Flatten or Squeeze or Unsqueeze or Transpose or Slice or Gather or Expand or Tile or MaxPool => true,
        Resize { Mode: ResizeMode.Nearest, Coordinates: not ResizeCoordinates.CropAndResize } => true,
        Pad { Mode: PadMode.Constant } => node.Input(2) is null || node.Input(2).Number() == 0,
        Pad => true,
        _ => false,
    };

    private static Tensor Number(DType type, long value) => type == DType.Int8 ? Tensor.Scalar((sbyte)value) : Tensor.Scalar((byte)value);
}
