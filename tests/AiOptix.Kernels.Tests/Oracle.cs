namespace AiOptix.Kernels.Tests;

/// <summary>Functions in f64 that the base library lacks.</summary>
internal static class Oracle
{
    /// <summary>The error function: its Maclaurin series up to 3, the continued fraction of erfc beyond.</summary>
    public static double Erf(double x)
    {
        if (double.IsNaN(x)) return x;
        var a = Math.Abs(x);
        if (a > 6) return Math.Sign(x);
        if (a < 3)
        {
            double term = x, sum = x;
            for (var n = 1; n < 100; n++)
            {
                term *= -x * x / n;
                sum += term / (2 * n + 1);
            }
            return sum * 2 / Math.Sqrt(Math.PI);
        }
        var f = 0.0;
        for (var k = 60; k >= 1; k--) f = k / 2.0 / (a + f);
        return Math.Sign(x) * (1 - Math.Exp(-a * a) / Math.Sqrt(Math.PI) / (a + f));
    }
}
