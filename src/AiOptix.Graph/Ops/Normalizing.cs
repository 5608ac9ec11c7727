using AiOptix.Tensors;

namespace AiOptix.Graphs.Ops;

/// <summary>Statistics and per-channel shapes that the normalisations share.</summary>
internal static class Normalizing
{
    /// <summary>Mean and population variance.</summary>
    public static (double Mean, double Variance) Statistics(ReadOnlySpan<double> values)
    {
        double sum = 0;
        foreach (var v in values) sum += v;
        var mean = sum / values.Length;
        double squares = 0;
        foreach (var v in values) squares += (v - mean) * (v - mean);
        return (mean, squares / values.Length);
    }

    /// <summary>Requires [C] inputs that fit the channels (axis 1) of input 0.</summary>
    public static void RequireChannels(InferenceContext context, params ReadOnlySpan<int> inputs)
    {
        if (context.Shape(0) is { Rank: < 2 } bad && !(bad.Rank == 1 && inputs.Length == 4)) throw context.Error($"input 0 has shape {bad}; expected [N, C, …]");
        foreach (var i in inputs)
        {
            context.RequireRank(i, 1);
            if (context.Shape(0) is { Rank: >= 2 } s && context.Shape(i) is { } c) context.Same(s[1], c[0], $"the channels of {s} and input {i} of shape {c}");
        }
    }

    /// <summary>Values of one shape spread over another that they broadcast to.</summary>
    public static double[] Spread(EvaluationContext context, Tensor tensor, Shape target)
    {
        var s = tensor.Shape;
        var values = tensor.ToReals();
        var steps = new long[target.Rank];
        var strides = s.Strides();
        for (var i = 0; i < s.Rank; i++)
        {
            var at = i + target.Rank - s.Rank;
            if (at < 0 ? s[i] != 1 : s[i] != 1 && s[i] != target[at]) throw context.Error($"shape {s} does not broadcast to {target}");
            if (at >= 0) steps[at] = s[i] == 1 ? 0 : strides[i];
        }
        var r = new double[target.Count];
        var place = new long[target.Rank];
        long from = 0;
        for (long n = 0; n < r.Length; n++)
        {
            r[n] = values[from];
            for (var i = target.Rank - 1; i >= 0; i--)
            {
                from += steps[i];
                if (++place[i] < target[i]) break;
                from -= steps[i] * target[i];
                place[i] = 0;
            }
        }
        return r;
    }
}
