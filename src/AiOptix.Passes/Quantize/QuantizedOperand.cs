using AiOptix.Graphs;
using AiOptix.Graphs.Ops;
using AiOptix.Tensors;

namespace AiOptix.Passes.Quantize;

/// <summary>Bytes with the scale and zero point that make numbers of them: what stands before a DequantizeLinear or behind a QuantizeLinear.</summary>
/// <param name="Bytes">int8 or uint8; behind a QuantizeLinear its result.</param>
/// <param name="Scale">A float32 constant.</param>
/// <param name="Zero">The zero point, a constant; null when it is left out.</param>
/// <param name="Axis">The axis of scales that are not one for all.</param>
internal sealed record QuantizedOperand(Value Bytes, Value Scale, Value? Zero, long Axis)
{
    /// <summary>One scale serves all.</summary>
    public bool IsScalar => Scale.Constant!.Count == 1;

    /// <summary>What a DequantizeLinear that makes a value reads; null when none to float32 with constant scales does.</summary>
    public static QuantizedOperand? Before(Value? value, Graph graph) =>
        value.MadeBy<DequantizeLinear>(graph) is { } node && node.Operator is DequantizeLinear { BlockSize: 0, To: null or DType.Float32 } op ? Of(node, node.Inputs[0]!, op.Axis) : null;

    /// <summary>What a QuantizeLinear makes; null when its scale is not one constant for all.</summary>
    public static QuantizedOperand? Behind(Node node) =>
        node.Operator is QuantizeLinear { BlockSize: 0, Precision: null or DType.Float32 } op && Of(node, node.Output, op.Axis) is { IsScalar: true } operand ? operand : null;

    /// <summary>The zero point; 0 as a constant where it is left out.</summary>
    public Value ZeroIn(Patch patch) => Zero ?? patch.Constant(Tensor.Allocate(Bytes.DType, Scale.Constant!.Shape, zeroed: true));

    /// <summary>The zero point of an operand with one for all.</summary>
    public long ZeroPoint => Zero?.Constant!.ToInt64()[0] ?? 0;

    /// <summary>Same scale and zero point for all, same type.</summary>
    public bool IsLike(QuantizedOperand other) =>
        IsScalar && other.IsScalar && Bytes.DType == other.Bytes.DType && Scale.Constant!.Span<float>()[0] == other.Scale.Constant!.Span<float>()[0] && ZeroPoint == other.ZeroPoint;

    private static QuantizedOperand? Of(Node node, Value bytes, long axis)
    {
        if (bytes.DType is not (DType.Int8 or DType.UInt8) || node.Input(1) is not { DType: DType.Float32, Constant: { Shape.Rank: <= 1 } scales } scale) return null;
        if (node.Input(2) is { } z && z.Constant?.Count != scales.Count) return null;
        foreach (var s in scales.Span<float>())
            if (!float.IsNormal(s) || s < 0) return null;
        return new(bytes, scale, node.Input(2), axis);
    }
}
