using AiOptix.Graphs;
using AiOptix.Graphs.Ops;
using AiOptix.Tensors;

namespace AiOptix.Onnx;

/// <summary>
/// Experimental operators that the default domain once had and that old files still hold, and one that ONNX Runtime writes into it. They are read as what replaced them.
/// </summary>
internal static class Removed
{
    public static OnnxOperator[] Rows { get; } =
    [
        OnnxOperator.ReadOnly("Affine", r => Linear(r, r.Float("alpha", 1), r.Float("beta", 0))),
        OnnxOperator.ReadOnly("Scale", r => Linear(r, r.Float("scale", 1), 0)),
        OnnxOperator.ReadOnly("ImageScaler", ReadImageScaler),
        OnnxOperator.ReadOnly("ScaledTanh", r => Scaled(r, new Tanh(), 1, 1)),
        OnnxOperator.ReadOnly("ParametricSoftplus", r => Scaled(r, new Softplus(), 1, 1)),
        OnnxOperator.ReadOnly("Crop", ReadCrop),
        OnnxOperator.ReadOnly("GivenTensorFill", ReadGivenTensorFill),
        OnnxOperator.ReadOnly("ConstantFill", ReadConstantFill),
        OnnxOperator.ReadOnly("DynamicSlice", r => r.Emit(new Slice(), r.InputsFrom(0))),
        OnnxOperator.ReadOnly("GRUUnit", ReadGruUnit),
        OnnxOperator.ReadOnly("SimplifiedLayerNormalization", Microsoft.FusedNorms.ReadSimplified),
    ];

    private static void Linear(NodeReader r, float factor, float offset)
    {
        var x = r.Required(0);
        if (offset == 0) r.Emit(new Mul(), x, r.Number(factor, x.DType));
        else r.Emit(new Add(), r.Add(new Mul(), x, r.Number(factor, x.DType)), r.Number(offset, x.DType));
    }

    /// <summary>alpha · f(beta · x)</summary>
    private static void Scaled(NodeReader r, Operator function, float alpha, float beta)
    {
        var x = r.Required(0);
        var inner = r.Add(function, r.Add(new Mul(), x, r.Number(r.Float("beta", beta), x.DType)));
        r.Emit(new Mul(), inner, r.Number(r.Float("alpha", alpha), x.DType));
    }

    /// <summary>scale · x + bias, the bias one a channel.</summary>
    private static void ReadImageScaler(NodeReader r)
    {
        var x = r.Required(0);
        var bias = r.OptionalFloats("bias") ?? [];
        var scaled = r.Add(new Mul(), x, r.Number(r.Float("scale", 1), x.DType));
        r.Emit(new Add(), scaled, bias.Length == 0 ? r.Number(0, x.DType) : r.Numbers(bias, x.DType, new Shape(bias.Length, 1, 1)));
    }

    /// <summary>The border is left, top, right, bottom; a scale (height, width) stands in place of right and bottom.</summary>
    private static void ReadCrop(NodeReader r)
    {
        var border = r.Ints("border");
        if (border.Count != 4 || border.Any(b => b < 0)) throw r.Error($"border {border} must be four numbers: left, top, right, bottom");
        var scale = r.OptionalInts("scale");
        if (scale is { Length: not 2 }) throw r.Error($"scale [{string.Join(",", scale)}] must be height and width");
        var ends = scale is null ? new[] { End(border[3]), End(border[2]) } : [border[1] + scale[0], border[0] + scale[1]];
        r.Emit(new Slice(), r.Required(0), r.Constant(border[1], border[0]), r.Constant(ends), r.Constant(2, 3));

        static long End(long cut) => cut == 0 ? long.MaxValue : -cut;
    }

    private static void ReadGivenTensorFill(NodeReader r)
    {
        var values = r.OptionalFloats("values") ?? [];
        var flat = r.Numbers(values, DType.Float32, new Shape(values.Length));
        r.Emit(new Reshape(), flat, FillShape(r));
    }

    private static void ReadConstantFill(NodeReader r)
    {
        var code = r.Int("dtype", (long)DType.Float32);
        var type = code is > 0 and <= (long)DType.Float64 && code != (long)DType.String ? (DType)code : throw r.Error($"attribute 'dtype' has the value {code}, which is no type to fill with");
        r.Emit(new ConstantOfShape(Graphs.Evaluate.ElementTypes.From([r.Float("value", 0)], type, new Shape(1))), FillShape(r));
    }

    /// <summary>The shape of a filled tensor: the attribute, the values of the input, or the input's own shape, with extra axes behind.</summary>
    private static Value FillShape(NodeReader r)
    {
        var extra = r.OptionalInts("extra_shape") is { Length: > 0 } e ? r.Constant(e) : null;
        var asShape = r.Bool("input_as_shape", false);
        var given = r.OptionalInts("shape");
        var shape = r.Input(0) is not { } x ? r.Constant(given ?? throw r.Error("attribute 'shape' is required without an input")) : asShape ? r.Add(new Cast(DType.Int64), x) : r.Add(new ShapeOf(), x);
        return extra is null ? shape : r.Add(new Concat(0), shape, extra);
    }

    /// <summary>One step of a GRU whose gates (reset, update, output) are given before their activation: a sequence that is over keeps its state or drops it.</summary>
    private static void ReadGruUnit(NodeReader r)
    {
        var (hidden, gates, lengths, time) = (r.Required(0), r.Required(1), r.Required(2), r.Required(3));
        if (hidden.Shape is not { Rank: > 0 } s || s[-1].Constant is not { } size) throw r.Error("the size of the state must be known");
        Value Gate(long index) => r.Add(new Slice(), gates, r.Constant(index * size), r.Constant((index + 1) * size), r.Constant(-1));
        var update = r.Add(new Sigmoid(), Gate(1));
        var output = r.Add(new Tanh(), Gate(2));
        var next = r.Add(new Add(), output, r.Add(new Mul(), update, r.Add(new Sub(), hidden, output)));
        var running = r.Add(new Reshape(), r.Add(new Less(), time, lengths), r.Constant(-1, 1));
        r.Emit(new Where(), running, next, r.Bool("drop_states", false) ? r.Number(0, hidden.DType) : hidden);
    }
}
