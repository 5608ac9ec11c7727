using AiOptix.Graphs;
using AiOptix.Graphs.Ops;
using static AiOptix.Onnx.Microsoft.Shorthands;

namespace AiOptix.Onnx.Microsoft;

/// <summary>Convolutions and pools of <c>com.microsoft</c>: with a residual and an activation, channels last, pads given as data.</summary>
internal static class FusedConvolutions
{
    public static OnnxOperator[] Rows { get; } =
    [
        Row("FusedConv", ReadFused),
        Row("NhwcConv", r => ChannelsLast(r, r.ChannelsFirst(r.Required(0)), x => r.Add(Convolutions.Convolution(r), x, r.Required(1), r.Input(2)))),
        Row("NhwcMaxPool", r => ChannelsLast(r, r.ChannelsFirst(r.Required(0)), x => r.Add(new MaxPool(r.Ints("kernel_shape"), Convolutions.List(r, "strides"), Convolutions.List(r, "pads"), Convolutions.List(r, "dilations"),
            Convolutions.Pad(r), r.Bool("ceil_mode", false)), x))),
        Row("ConvTransposeWithDynamicPads", ReadTransposed),
    ];

    private static void ChannelsLast(NodeReader r, Value x, Func<Value, Value> make) => r.EmitOutput(0, new Transpose(ChannelsLastOrder(r.RankOf(x))), make(x));

    private static void ReadFused(NodeReader r)
    {
        var conv = Convolutions.Convolution(r);
        var parameters = (r.OptionalFloats("activation_params") ?? []).Select(p => (float?)p).ToArray();
        // A clip has its bounds as parameters; it stands for Relu6 and the like.
        var clip = r.String("activation", "") == "Clip";
        var activation = clip ? new Clip() : Activation(r, r.String("activation", ""), parameters);
        var (x, w, bias, residual) = (r.Required(0), r.Required(1), r.Input(2), r.Input(3));
        if (activation is null && residual is null)
        {
            r.Emit(conv, x, w, bias);
            return;
        }
        var y = r.Add(conv, x, w, bias);
        if (activation is null)
        {
            r.Emit(new Add(), y, residual);
            return;
        }
        y = r.Plus(y, residual);
        if (!clip) r.Emit(activation, y);
        else if (parameters.Length != 2) throw r.Error("the activation Clip needs two activation_params, its bounds");
        else r.Emit(activation, y, r.Number(parameters[0]!.Value, x.DType), r.Number(parameters[1]!.Value, x.DType));
    }

    /// <summary>Pads that are constants become attributes; others cut the result of the transposed convolution without pads.</summary>
    private static void ReadTransposed(NodeReader r)
    {
        Convolutions.CheckKernel(r);
        var pads = r.Input(2);
        var known = pads?.Constant?.ToInt64();
        var op = new ConvTranspose(Convolutions.List(r, "strides"), pads is null ? default : [.. known ?? []], Convolutions.List(r, "dilations"), r.Int("group", 1), Convolutions.List(r, "output_padding"),
            AutoPad: Convolutions.Pad(r));
        if (pads is null || known is not null)
        {
            r.Emit(op, r.Required(0), r.Required(1), r.Input(3));
            return;
        }
        var n = r.Rank(0) - 2;
        var whole = r.Add(op, r.Required(0), r.Required(1), r.Input(3));
        var axes = r.Constant([.. Enumerable.Range(2, n).Select(a => (long)a)]);
        var ends = r.Add(new Sub(), r.Extents(whole, 2, long.MaxValue), r.Sliced(pads, 0, n, 2 * n));
        r.Emit(new Slice(), whole, r.Sliced(pads, 0, 0, n), ends, axes);
    }
}
