using AiOptix.Graphs;
using AiOptix.Graphs.Ops;
using static AiOptix.Onnx.Microsoft.Shorthands;

namespace AiOptix.Onnx.Microsoft;

/// <summary>Linear attention and the convolution before it, which carry a state from call to call.</summary>
internal static class Recurrences
{
    public static OnnxOperator[] Rows { get; } =
    [
        Row("LinearAttention", r =>
        {
            RefuseWindow(r);
            Attentions.ReadLinear(r);
        }),
        Row("CausalConvWithState", ReadConvolution),
    ];

    /// <summary>States of several tokens would have to be given out, and only the last is.</summary>
    private static void RefuseWindow(NodeReader r)
    {
        if (r.Int("state_window", 0) is not 0 and var window) throw r.Error($"state_window {window} must be 0: only the state behind the last token is given");
    }

    /// <summary>A convolution of each channel over the past and the input joined, the last of which are the state.</summary>
    private static void ReadConvolution(NodeReader r)
    {
        RefuseWindow(r);
        var (isSilu, dilation, last) = (Attentions.HasSilu(r), r.Int("dilation", 1), r.Bool("channels_last", false));
        if (r.Int("ndim", 1) is not 1 and var axes) throw r.Error($"ndim {axes} must be 1");
        if (dilation == 1 && !last)
        {
            r.Emit(new CausalConvWithState(isSilu), r.InputsFrom(0));
            return;
        }
        var (x, w) = (r.Required(0), r.Required(1));
        if (dilation < 1 || w.Shape is not { Rank: 3 } s || s[0].Constant is not { } channels || s[2].Constant is not (>= 1 and var kernel)) throw r.Error($"dilation {dilation} and weights {w.Type} do not go together; the shape of the weights must be known");
        Value First(Value v) => last ? r.Permuted(r.Shaped(v, 0, 0, channels), 0, 2, 1) : v;
        Value Back(Value v, Value like) => last ? r.Add(new Reshape(AllowZero: true), r.Permuted(v, 0, 2, 1), r.Joined(0, r.Extents(r.Permuted(v, 0, 2, 1), 0, 2), r.Extents(like, 2, long.MaxValue))) : v;
        var state = (kernel - 1) * dilation;
        var whole = r.Input(3) is { } past ? r.Joined(2, First(past), First(x)) : r.Add(new Pad(), First(x), r.Constant(0, 0, state, 0, 0, 0));
        var y = r.Add(new Conv(Dilations: new([dilation]), Group: channels), whole, w, r.Input(2));
        r.Bind(0, Back(isSilu ? r.Add(new Swish(), y) : y, x));
        if (r.HasOutput(1)) r.Bind(1, Back(r.Sliced(whole, 2, state == 0 ? long.MaxValue : -state, long.MaxValue), x));
    }
}
