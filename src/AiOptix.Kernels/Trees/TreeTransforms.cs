namespace AiOptix.Kernels.Trees;

/// <summary>The transforms of the numbers of a row, in float64.</summary>
internal static class TreeTransforms
{
    private const double Zero = 1e-7;

    public static void Apply(TreeTransform transform, Span<double> scores)
    {
        switch (transform)
        {
            case TreeTransform.Softmax: Softmax(scores, keepZeros: false); break;
            case TreeTransform.SoftmaxZero: Softmax(scores, keepZeros: true); break;
            case TreeTransform.Logistic:
                foreach (ref var s in scores) s = 1 / (1 + Math.Exp(-s));
                break;
            case TreeTransform.Probit:
                foreach (ref var s in scores) s = Probit(s);
                break;
        }
    }

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

    /// <summary>√2 · erf⁻¹(2p - 1) by Winitzki's formula.</summary>
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
