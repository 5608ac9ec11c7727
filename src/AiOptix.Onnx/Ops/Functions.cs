using AiOptix.Graphs;
using AiOptix.Graphs.Ops;
using AiOptix.Tensors;

namespace AiOptix.Onnx;

/// <summary>Mathematical functions of one operand without attributes.</summary>
internal static class Functions
{
    public static OnnxOperator[] Rows { get; } =
    [
        Row<Abs>("Abs", 6), Row<Neg>("Neg", 6), Row<Sign>("Sign", 9),
        Row<Exp>("Exp", 6), Row<Log>("Log", 6), Row<Sqrt>("Sqrt", 6), Row<Reciprocal>("Reciprocal", 6),
        Row<Floor>("Floor", 6), Row<Ceil>("Ceil", 6), Row<Round>("Round", 11),
        Row<Sin>("Sin", 7), Row<Cos>("Cos", 7), Row<Tan>("Tan", 7), Row<Asin>("Asin", 7), Row<Acos>("Acos", 7), Row<Atan>("Atan", 7),
        Row<Sinh>("Sinh", 9), Row<Cosh>("Cosh", 9), Row<Asinh>("Asinh", 9), Row<Acosh>("Acosh", 9), Row<Atanh>("Atanh", 9),
        Row<Tanh>("Tanh", 6), OnnxOperator.Of<Erf>("Erf", ReadErf, (w, _) => w.Emit("Erf"), 9),
        Row<Identity>("Identity", 1), Row<Not>("Not", 1), Row<BitwiseNot>("BitwiseNot", 18), Row<IsNaN>("IsNaN", 9),
        OnnxOperator.Of<IsInf>("IsInf", r => r.Emit(new IsInf(r.Bool("detect_negative", true), r.Bool("detect_positive", true)), r.Required(0)),
            (w, op) => w.Emit("IsInf", ("detect_negative", op.DetectNegative ? null : 0L), ("detect_positive", op.DetectPositive ? null : 0L)), 10),
    ];

    /// <summary>Version 9 takes integers as well, whose results are cut off.</summary>
    private static void ReadErf(NodeReader r)
    {
        var x = r.Required(0);
        if (x.DType.IsInteger()) r.Emit(new Cast(x.DType), r.Add(new Erf(), r.Add(new Cast(DType.Float64), x)));
        else r.Emit(new Erf(), x);
    }

    /// <summary>An operator whose attributes, if old versions have any, mean nothing.</summary>
    public static OnnxOperator Row<T>(string name, long minOpset) where T : Operator, new() => OnnxOperator.Of<T>(name, r =>
    {
        r.Ignore("consumed_inputs");
        r.Emit(new T(), r.Required(0));
    }, (w, _) => w.Emit(name), minOpset);
}
