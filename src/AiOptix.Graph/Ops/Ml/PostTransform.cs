namespace AiOptix.Graphs.Ops.Ml;

/// <summary>What becomes of the scores of a row (ONNX ML, attribute <c>post_transform</c>); the numbers are those of TreeEnsemble.</summary>
public enum PostTransform
{
    /// <summary>They stay.</summary>
    None,
    /// <summary>exp(s) over their sum.</summary>
    Softmax,
    /// <summary>1 / (1 + exp(-s)).</summary>
    Logistic,
    /// <summary>Softmax of those that are not zero; zeros stay.</summary>
    SoftmaxZero,
    /// <summary>The quantile of the normal distribution.</summary>
    Probit,
}

/// <summary>Evaluates <see cref="PostTransform"/>.</summary>
internal static class PostTransforms
{
    private const double Zero = 1e-7;

    public static void Apply(PostTransform transform, Span<double> scores)
    {
        switch (transform)
        {
            case PostTransform.Softmax: Softmax(scores, keepZeros: false); break;
            case PostTransform.SoftmaxZero: Softmax(scores, keepZeros: true); break;
            case PostTransform.Logistic:
                foreach (ref var s in scores) s = Logistic(s);
                break;
            case PostTransform.Probit:
                foreach (ref var s in scores) s = Probit(s);
                break;
        }
    }

    public static double Logistic(double x) => 1 / (1 + Math.Exp(-x));

    private static void Softmax(Span<double> scores, bool keepZeros)
    {
        var largest = double.NegativeInfinity;
        foreach (var s in scores) largest = Math.Max(largest, s);
        double sum = 0;
        foreach (ref var s in scores)
        {
            s = keepZeros && Math.Abs(s) <= Zero ? s * Math.Exp(-largest) : Math.Exp(s - largest);
            sum += s;
        }
        foreach (ref var s in scores) s = sum == 0 ? 0.5 : s / sum;
    }

    /// <summary>√2 · erf⁻¹(2p - 1) by Winitzki's formula, which the runtimes that models are made for use.</summary>
    private static double Probit(double p)
    {
        const double A = 0.147;
        var x = 2 * p - 1;
        var rest = (1 - x) * (1 + x);
        if (rest == 0) return 0;
        var log = Math.Log(rest);
        var v = 2 / (Math.PI * A) + 0.5 * log;
        return Math.Sqrt(2) * Math.CopySign(Math.Sqrt(Math.Sqrt(v * v - log / A) - v), x);
    }
}
