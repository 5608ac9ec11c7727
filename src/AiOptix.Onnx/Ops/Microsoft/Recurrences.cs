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

    /// <summary>The standard one, whose kernel has zeros between its taps where they are apart, with the axis of the sequence last.</summary>
    private static void ReadConvolution(NodeReader r)
    {
        RefuseWindow(r);
        var (isLast, dilation) = (r.Bool("channels_last", false), r.Int("dilation", 1));
        if (r.Int("ndim", 1) is not 1 and var axes) throw r.Error($"ndim {axes} must be 1");
        if (dilation < 1) throw r.Error($"dilation {dilation} must be positive");
        var op = new CausalConvWithState(Attentions.HasSilu(r));
        var weights = r.Required(1);
        if (dilation > 1)
        {
            var apart = r.Add(new Pad(), r.Unsqueezed(weights, 3), r.Constant(0, 0, 0, 0, 0, 0, 0, dilation - 1));
            weights = r.Sliced(r.Add(new Reshape(), apart, r.Constant(0, 0, -1)), 2, 0, 1 - dilation);
        }
        if (!isLast)
        {
            r.Emit(op, r.Required(0), weights, r.Input(2), r.Input(3));
            return;
        }
        // Several axes of channels are one.
        Value First(Value v) => r.Permuted(r.Add(new Reshape(AllowZero: true), v, r.Joined(0, r.Extents(v, 0, 2), r.Add(new ReduceProd(), r.Extents(v, 2, long.MaxValue), r.Constant(0L)))), 0, 2, 1);
        var all = r.AddAll(op, 2, First(r.Required(0)), weights, r.Input(2), r.Input(3) is { } past ? First(past) : null);
        for (var i = 0; i < 2; i++)
        {
            var y = r.Permuted(all[i], 0, 2, 1);
            r.EmitOutput(i, new Reshape(AllowZero: true), y, r.Joined(0, r.Extents(y, 0, 2), r.Extents(r.Required(0), 2, long.MaxValue)));
        }
    }
}
