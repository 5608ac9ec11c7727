using AiOptix.Graphs.Ops;

namespace AiOptix.Onnx;

/// <summary>Comparison, logic and choice.</summary>
internal static class Comparisons
{
    public static OnnxOperator[] Rows { get; } =
    [
        Arithmetic.Pair<Equal>("Equal", 11), Arithmetic.Pair<Less>("Less", 9), Arithmetic.Pair<Greater>("Greater", 9),
        OnnxOperator.Of<LessOrEqual>("LessOrEqual", r => Arithmetic.EmitPair(r, new LessOrEqual()), (w, _) => WriteOrEqual(w, "Less"), 11),
        OnnxOperator.Of<GreaterOrEqual>("GreaterOrEqual", r => Arithmetic.EmitPair(r, new GreaterOrEqual()), (w, _) => WriteOrEqual(w, "Greater"), 11),
        Arithmetic.Pair<And>("And", 7), Arithmetic.Pair<Or>("Or", 7), Arithmetic.Pair<Xor>("Xor", 7),
        OnnxOperator.Of<Where>("Where", r => r.Emit(new Where(), r.Required(0), r.Required(1), r.Required(2)), (w, _) => w.Emit("Where"), 9),
    ];

    /// <summary>Opset 12 has an operator of its own; before, two answers are joined, so that NaN still gives false.</summary>
    private static void WriteOrEqual(NodeWriter w, string strict)
    {
        if (w.Opset >= 12) w.Emit(strict + "OrEqual");
        else w.Emit("Or", [w.Step(strict, w.Inputs), w.Step("Equal", w.Inputs)], w.Outputs);
    }
}
