namespace AiOptix.Graphs.Evaluate;

/// <summary>Functions that <see cref="Math"/> lacks, in float64 to a few units in the last place.</summary>
public static class SpecialFunctions
{
    private const double SeriesLimit = 2.5;

    /// <summary>The error function: below 2.5 by its series of positive terms, beyond by <see cref="Erfc"/>.</summary>
    public static double Erf(double x)
    {
        if (double.IsNaN(x)) return x;
        var a = Math.Abs(x);
        if (a >= SeriesLimit) return Math.CopySign(1 - Erfc(a), x);
        double term = a, sum = a;
        for (var n = 1; term > sum * 1e-18; n++)
        {
            term *= 2 * a * a / (2 * n + 1);
            sum += term;
        }
        return Math.CopySign(2 / Math.Sqrt(Math.PI) * Math.Exp(-a * a) * sum, x);
    }

    /// <summary>1 - erf, without cancellation for large arguments: beyond 2.5 by its continued fraction.</summary>
    public static double Erfc(double x)
    {
        if (double.IsNaN(x)) return x;
        if (x < SeriesLimit) return 1 - Erf(x);
        if (x > 28) return 0;
        var tail = x;
        for (var k = 100; k > 0; k--) tail = x + k / 2.0 / tail;
        return Math.Exp(-x * x) / (Math.Sqrt(Math.PI) * tail);
    }

    /// <summary>exp(x) - 1, exact near 0.</summary>
    public static double ExpM1(double x)
    {
        if (Math.Abs(x) > 0.5) return Math.Exp(x) - 1;
        var t = Math.Tanh(x / 2);
        return 2 * t / (1 - t);
    }

    /// <summary>log(1 + x), exact near 0.</summary>
    public static double LogP1(double x)
    {
        var u = 1 + x;
        return u == 1 || double.IsInfinity(u) ? x : Math.Log(u) * (x / (u - 1));
    }

    /// <summary>1 / (1 + exp(-x)), without overflow.</summary>
    public static double Sigmoid(double x)
    {
        if (x >= 0) return 1 / (1 + Math.Exp(-x));
        var e = Math.Exp(x);
        return e / (1 + e);
    }

    /// <summary>log(1 + exp(x)), without overflow.</summary>
    public static double Softplus(double x) => Math.Max(x, 0) + LogP1(Math.Exp(-Math.Abs(x)));
}
