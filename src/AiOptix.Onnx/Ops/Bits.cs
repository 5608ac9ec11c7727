using AiOptix.Graphs.Ops;

namespace AiOptix.Onnx;

/// <summary>Operators on the bits of integers.</summary>
internal static class Bits
{
    public static OnnxOperator[] Rows { get; } =
    [
        Arithmetic.Pair<BitwiseAnd>("BitwiseAnd", 18), Arithmetic.Pair<BitwiseOr>("BitwiseOr", 18), Arithmetic.Pair<BitwiseXor>("BitwiseXor", 18),
        OnnxOperator.Of<BitShift>("BitShift", r => r.Emit(new BitShift(r.String("direction", "") switch
        {
            "LEFT" => true,
            "RIGHT" => false,
            var d => throw r.Error($"direction '{d}' must be 'LEFT' or 'RIGHT'"),
        }), r.Required(0), r.Required(1)), (w, op) => w.Emit("BitShift", ("direction", op.Left ? "LEFT" : "RIGHT")), 11),
    ];
}
