using AiOptix.Graphs.Ops;
using AiOptix.Tensors;

namespace AiOptix.Onnx;

/// <summary>Operators that make tensors out of attributes.</summary>
internal static class Constants
{
    public static OnnxOperator[] Rows { get; } =
    [
        OnnxOperator.ReadOnly("Constant", r => r.EmitConstant(Content(r))),
        OnnxOperator.Of<ConstantOfShape>("ConstantOfShape", r => r.Emit(r.OptionalTensor("value") is { } v ? new ConstantOfShape(v) : new ConstantOfShape(), r.Required(0)),
            (w, op) => w.Emit("ConstantOfShape", ("value", op.Value.Tensor)), 9),
        OnnxOperator.Of<NumericRange>("Range", r => r.Emit(new NumericRange((DType)r.Int("stash_type", (long)DType.Float32)), r.Required(0), r.Required(1), r.Required(2)),
            (w, op) => w.Emit("Range", ("stash_type", op.StashType != DType.Float32 ? op.StashType : null)), op => op.StashType != DType.Float32 ? 27 : 11),
        OnnxOperator.Of<EyeLike>("EyeLike", r => r.Emit(new EyeLike((DType?)r.OptionalInt("dtype"), r.Int("k", 0)), r.Required(0)),
            (w, op) => w.Emit("EyeLike", ("dtype", op.DType), ("k", op.Offset)), 9),
    ];

    private static Tensor Content(NodeReader r)
    {
        if (r.OptionalTensor("value") is { } dense) return dense;
        if (r.OptionalTensor("sparse_value") is { } sparse) return sparse;
        if (r.OptionalFloat("value_float") is { } f) return Tensor.Scalar(f);
        if (r.OptionalInt("value_int") is { } i) return Tensor.Scalar(i);
        if (r.Has("value_string")) return Tensor.FromStrings([r.String("value_string", "")], Shape.Scalar);
        if (r.OptionalFloats("value_floats") is { } floats) return Tensor.Vector<float>(floats);
        if (r.OptionalInts("value_ints") is { } ints) return Tensor.Vector<long>(ints);
        if (r.OptionalStrings("value_strings") is { } strings) return Tensor.FromStrings(strings, new Shape(strings.Length));
        throw r.Error("one of the attributes value, sparse_value, value_float, value_floats, value_int, value_ints, value_string, value_strings is required");
    }
}
