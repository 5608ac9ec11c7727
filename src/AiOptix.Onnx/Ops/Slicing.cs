using AiOptix.Graphs;
using AiOptix.Graphs.Ops;
using AiOptix.Tensors;

namespace AiOptix.Onnx;

/// <summary>Operators that join, cut and pad.</summary>
internal static class Slicing
{
    public static OnnxOperator[] Rows { get; } =
    [
        OnnxOperator.Of<Concat>("Concat", r => r.Emit(new Concat(r.OptionalInt("axis") ?? (r.Opset < 4 ? 1 : throw r.Error("attribute 'axis' is required"))), r.InputsFrom(0)),
            (w, op) => w.Emit("Concat", ("axis", op.Axis)), op => op.Axis < 0 ? 11 : 4),
        OnnxOperator.Of<Split>("Split", ReadSplit, (w, op) => w.Emit("Split", ("axis", op.Axis), ("num_outputs", w.Opset >= 18 && w.Node.Input(1) is null ? (long)w.Outputs.Length : null)), 13),
        OnnxOperator.Of<Slice>("Slice", ReadSlice, (w, _) => w.Emit("Slice"), 11),
        OnnxOperator.Of<Pad>("Pad", ReadPad, WritePad, op => op.Mode == PadMode.Wrap ? 19 : 18),
    ];

    private static void ReadSplit(NodeReader r)
    {
        if (r.OptionalInt("num_outputs") is { } n && n != r.OutputCount) throw r.Error($"num_outputs is {n}, but the node has {r.OutputCount} outputs");
        var sizes = r.Opset < 13 && r.OptionalInts("split") is { Length: > 0 } given ? r.Constant(given) : r.Input(1);
        // An empty second input is one too many beside num_outputs, so none is left.
        r.Emit(new Split(r.Int("axis", 0)), sizes is null ? [r.Required(0)] : [r.Required(0), sizes]);
    }

    private static void ReadSlice(NodeReader r)
    {
        if (r.Opset >= 10)
        {
            r.Emit(new Slice(), r.InputsFrom(0));
            return;
        }
        var starts = r.Constant(r.Ints("starts").Span);
        r.Emit(new Slice(), r.Required(0), starts, r.Constant(r.Ints("ends").Span), r.OptionalInts("axes") is { } axes ? r.Constant(axes) : null);
    }

    private static void ReadPad(NodeReader r)
    {
        var mode = r.String("mode", "constant") switch
        {
            "constant" => PadMode.Constant,
            "reflect" => PadMode.Reflect,
            "edge" => PadMode.Edge,
            "wrap" => PadMode.Wrap,
            var m => throw r.Error($"mode '{m}' must be 'constant', 'reflect', 'edge' or 'wrap'"),
        };
        if (r.Opset >= 11)
        {
            r.Emit(new Pad(mode), r.InputsFrom(0));
            return;
        }
        var pads = r.Constant(r.Ints(r.Opset < 2 ? "paddings" : "pads").Span);
        var value = r.Float("value", 0);
        r.Emit(new Pad(mode), r.Required(0), pads, value == 0 ? null : r.Number(value, r.Required(0).DType));
    }

    private static void WritePad(NodeWriter w, Pad op) => w.Emit("Pad", ("mode", op.Mode switch
    {
        PadMode.Constant => null,
        PadMode.Reflect => "reflect",
        PadMode.Edge => "edge",
        _ => "wrap",
    }));
}
