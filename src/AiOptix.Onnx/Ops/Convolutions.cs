using AiOptix.Graphs;
using AiOptix.Graphs.Ops;

namespace AiOptix.Onnx;

/// <summary>Convolutions and pools.</summary>
internal static class Convolutions
{
    public static OnnxOperator[] Rows { get; } =
    [
        OnnxOperator.Of<Conv>("Conv", r => r.Emit(Convolution(r), r.Required(0), r.Required(1), r.Input(2)), (w, op) => w.Emit("Conv", Attributes(op)), 11),
        OnnxOperator.Of<ConvTranspose>("ConvTranspose", ReadConvTranspose,
            (w, op) => w.Emit("ConvTranspose", Window(op.Strides, op.Pads, op.Dilations, op.AutoPad, ("group", op.Group), ("output_padding", Optional(op.OutputPadding)),
                ("output_shape", Optional(op.OutputShape)))), 11),
        OnnxOperator.Of<MaxPool>("MaxPool", r => r.Emit(new MaxPool(r.Ints("kernel_shape"), List(r, "strides"), List(r, "pads"), List(r, "dilations"), Pad(r), r.Bool("ceil_mode", false),
                r.Bool("storage_order", false)), r.Required(0)),
            (w, op) => w.Emit("MaxPool", Window(op.Strides, op.Pads, op.Dilations, op.AutoPad, ("kernel_shape", op.Kernel), ("ceil_mode", op.CeilMode ? true : null),
                ("storage_order", op.ColumnMajor ? true : null))), 11),
        OnnxOperator.Of<AveragePool>("AveragePool", r => r.Emit(new AveragePool(r.Ints("kernel_shape"), List(r, "strides"), List(r, "pads"), List(r, "dilations"), Pad(r),
                r.Bool("ceil_mode", false), r.Bool("count_include_pad", false)), r.Required(0)),
            (w, op) => w.Emit("AveragePool", Window(op.Strides, op.Pads, op.Dilations, op.AutoPad, ("kernel_shape", op.Kernel), ("ceil_mode", op.CeilMode ? true : null),
                ("count_include_pad", op.CountIncludePad ? true : null))), op => op.Dilations.Count > 0 || op.CeilMode ? 19 : 11),
        OnnxOperator.Of<LpPool>("LpPool", ReadLpPool,
            (w, op) => w.Emit("LpPool", Window(op.Strides, op.Pads, op.Dilations, op.AutoPad, ("kernel_shape", op.Kernel), ("ceil_mode", op.CeilMode ? true : null), ("p", op.P))),
            op => op.Dilations.Count > 0 || op.CeilMode ? 18 : 11),
        OnnxOperator.Of<GlobalAveragePool>("GlobalAveragePool", r => r.Emit(new GlobalAveragePool(), r.Required(0)), (w, _) => w.Emit("GlobalAveragePool"), 1),
        OnnxOperator.Of<GlobalMaxPool>("GlobalMaxPool", r => r.Emit(new GlobalMaxPool(), r.Required(0)), (w, _) => w.Emit("GlobalMaxPool"), 1),
        OnnxOperator.Of<GlobalLpPool>("GlobalLpPool", r => r.Emit(new GlobalLpPool(Exponent(r)), r.Required(0)), (w, op) => w.Emit("GlobalLpPool", ("p", op.P)), 2),
    ];

    /// <summary>The window of a convolution whose weights are a given input.</summary>
    public static Conv Convolution(NodeReader r, int weights = 1)
    {
        CheckKernel(r, weights);
        return new(List(r, "strides"), List(r, "pads"), List(r, "dilations"), r.Int("group", 1), Pad(r));
    }

    /// <summary>The attributes of a convolution's window.</summary>
    public static (string, object?)[] Attributes(Conv op) => Window(op.Strides, op.Pads, op.Dilations, op.AutoPad, ("group", op.Group));

    private static void ReadConvTranspose(NodeReader r)
    {
        CheckKernel(r);
        var spatial = r.Required(1).Shape is { } s ? s.Rank - 2 : -1;
        var shape = List(r, "output_shape");
        if (shape.Count > 0 && shape.Count == spatial + 2) shape = [.. shape.Skip(2)];
        r.Emit(new ConvTranspose(List(r, "strides"), List(r, "pads"), List(r, "dilations"), r.Int("group", 1), List(r, "output_padding"), shape, Pad(r)),
            r.Required(0), r.Required(1), r.Input(2));
    }

    private static void ReadLpPool(NodeReader r) =>
        r.Emit(new LpPool(r.Ints("kernel_shape"), List(r, "strides"), List(r, "pads"), List(r, "dilations"), Pad(r), r.Bool("ceil_mode", false), Exponent(r)), r.Required(0));

    /// <summary>The exponent is a float in opset 1.</summary>
    private static long Exponent(NodeReader r)
    {
        if (r.Opset >= 2) return r.Int("p", 2);
        var p = r.Float("p", 2);
        return p == MathF.Floor(p) && p >= 1 ? (long)p : throw r.Error($"p = {p} must be a positive whole number");
    }

    /// <summary>Holds the attribute against the weights.</summary>
    public static void CheckKernel(NodeReader r, int weights = 1)
    {
        if (r.OptionalInts("kernel_shape") is { } k && r.Required(weights).Shape?.Concrete is { } w && !w.Dims[Math.Min(2, w.Rank)..].SequenceEqual(k))
            throw r.Error($"kernel_shape [{string.Join(",", k)}] contradicts weights of shape {w}");
    }

    public static ValueList<long> List(NodeReader r, string attribute) => [.. r.OptionalInts(attribute) ?? []];

    public static object? Optional(ValueList<long> list) => list.Count > 0 ? list : null;

    public static AutoPad Pad(NodeReader r) => r.String("auto_pad", "NOTSET") switch
    {
        "NOTSET" or "" => AutoPad.NotSet,
        "SAME_UPPER" => AutoPad.SameUpper,
        "SAME_LOWER" => AutoPad.SameLower,
        "VALID" => AutoPad.Valid,
        var m => throw r.Error($"auto_pad '{m}' must be 'NOTSET', 'SAME_UPPER', 'SAME_LOWER' or 'VALID'"),
    };

    public static (string, object?)[] Window(ValueList<long> strides, ValueList<long> pads, ValueList<long> dilations, AutoPad auto, params ReadOnlySpan<(string, object?)> others) =>
    [
        ("auto_pad", auto switch { AutoPad.NotSet => null, AutoPad.SameUpper => "SAME_UPPER", AutoPad.SameLower => "SAME_LOWER", _ => "VALID" }),
        ("strides", Optional(strides)),
        ("pads", auto == AutoPad.NotSet ? Optional(pads) : null),
        ("dilations", Optional(dilations)),
        .. others,
    ];
}
