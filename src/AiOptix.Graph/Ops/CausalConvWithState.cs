using AiOptix.Tensors;

namespace AiOptix.Graphs.Ops;

/// <summary>
/// ONNX CausalConvWithState: a convolution of each channel of X [N, C, length] with its own kernel [C, 1, k] over the present and past elements; bias [C] and past elements
/// [N, C, k - 1] may be left out. Outputs: the result and the last k - 1 elements.
/// </summary>
/// <param name="Silu">Whether the result goes through x · sigmoid(x).</param>
public sealed record CausalConvWithState(bool Silu = false) : Operator
{
    /// <inheritdoc/>
    public override void Infer(InferenceContext context)
    {
        var type = context.Require(0, Numbers.IsReal, "a floating-point type");
        for (var i = 1; i < context.InputCount; i++)
            if (context.Has(i)) context.RequireSame(0, i);
        context.RequireRank(0, 3);
        context.RequireRank(1, 3);
        var (x, w) = (context.Shape(0), context.Shape(1));
        if (x is not null && w is not null) context.Same(x[1], w[0], "channels of input and weights");
        if (w?[1].Constant is { } one && one != 1) throw context.Error($"weights have shape {w}; expected [C, 1, k]");
        context.Set(0, type, x ?? context.FreshShape(3));
        context.Set(1, type, new(x?[0] ?? context.Fresh(), x?[1] ?? context.Fresh(), w is null ? context.Fresh() : w[2] - 1));
    }

    /// <inheritdoc/>
    public override void Evaluate(EvaluationContext context)
    {
        var (x, w) = (context.Input(0), context.Input(1));
        var (channels, length, kernel) = (x.Shape[1], x.Shape[2], w.Shape[2]);
        if (w.Shape != new Shape(channels, 1, kernel) || kernel < 1) throw context.Error($"weights {w} do not fit input {x}");
        var state = new Shape(x.Shape[0], channels, kernel - 1);
        var (values, weights, bias, past) = (x.ToReals(), w.ToReals(), context.OptionalInput(2)?.ToReals(), context.OptionalInput(3)?.ToReals());
        if (past is not null && past.Length != state.Count || bias is not null && bias.Length != channels) throw context.Error($"bias or past of the wrong size for {channels} channels and a kernel of {kernel}");
        var result = new double[x.Count];
        var present = new double[state.Count];
        var line = new double[kernel - 1 + length];
        for (long nc = 0; nc < x.Shape[0] * channels; nc++)
        {
            past?.AsSpan((int)(nc * (kernel - 1)), (int)(kernel - 1)).CopyTo(line);
            values.AsSpan((int)(nc * length), (int)length).CopyTo(line.AsSpan((int)kernel - 1));
            for (long t = 0; t < length; t++)
            {
                var sum = bias?[nc % channels] ?? 0;
                for (long k = 0; k < kernel; k++) sum += weights[nc % channels * kernel + k] * line[t + k];
                result[nc * length + t] = Silu ? sum / (1 + Math.Exp(-sum)) : sum;
            }
            line.AsSpan((int)length).CopyTo(present.AsSpan((int)(nc * (kernel - 1))));
        }
        context.Allocate(0, x.DType, x.Shape).Store(result);
        context.Allocate(1, x.DType, state).Store(present);
    }

    /// <inheritdoc/>
    public override bool Compose(Composition to)
    {
        if (!to.IsSingle || to[1].Shape is not { Rank: 3 } w || w[0].Constant is not { } channels || w[2].Constant is not (>= 1 and var kernel)) return false;
        var whole = to.Node.Input(3) is { } past ? to.Add(new Concat(2), past, to[0]) : to.Add(new Pad(), to[0], to.Integers(0, 0, kernel - 1, 0, 0, 0));
        var y = to.Add(new Conv(Group: channels), whole, to[1], to.Node.Input(2));
        if (to.Node.Outputs.Count > 1 && !to.Node.Outputs[1].IsUnused)
            to.Set(1, to.Add(new Slice(), whole, to.Integers(kernel == 1 ? long.MaxValue : 1 - kernel), to.Integers(long.MaxValue), to.Integers(2)));
        return to.Set(0, Silu ? to.Add(new Swish(), y) : y);
    }
}
