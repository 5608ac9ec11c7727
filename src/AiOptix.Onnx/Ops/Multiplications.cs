using AiOptix.Graphs.Ops;
using AiOptix.Onnx.Microsoft;

namespace AiOptix.Onnx;

/// <summary>Matrix products.</summary>
internal static class Multiplications
{
    public static OnnxOperator[] Rows { get; } =
    [
        OnnxOperator.Of<MatMul>("MatMul", r => r.Emit(new MatMul(), r.Required(0), r.Required(1)), (w, _) => WriteMatMul(w), 1),
        OnnxOperator.Of<Gemm>("Gemm", ReadGemm, (w, op) => w.Emit("Gemm", ("alpha", op.Alpha), ("beta", op.Beta), ("transA", op.TransA), ("transB", op.TransB)), 11),
        OnnxOperator.Of<Det>("Det", r => r.Emit(new Det(), r.Required(0)), (w, _) => w.Emit("Det"), 11),
        OnnxOperator.Of<Einsum>("Einsum", r => r.Emit(new Einsum(r.String("equation", "")), r.InputsFrom(0)), (w, op) => w.Emit("Einsum", ("equation", op.Equation)), 12),
    ];

    private static void WriteMatMul(NodeWriter w)
    {
        if (w.ForOnnxRuntime && BlockedWeights.Of(w.Node) is { } weights) weights.Write(w);
        else w.Emit("MatMul");
    }

    private static void ReadGemm(NodeReader r)
    {
        r.Ignore("broadcast");
        r.Emit(new Gemm(r.Float("alpha", 1), r.Float("beta", 1), r.Bool("transA", false), r.Bool("transB", false)), r.Required(0), r.Required(1), r.Input(2));
    }
}
