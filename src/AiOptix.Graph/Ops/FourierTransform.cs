using System.Numerics;

namespace AiOptix.Graphs.Ops;

/// <summary>Discrete Fourier transforms of any length: by halves as long as it is even, the rest from the definition.</summary>
internal static class FourierTransform
{
    /// <summary>The transform of a signal; the inverse one is divided by the length.</summary>
    public static Complex[] Of(ReadOnlySpan<Complex> signal, bool inverse)
    {
        var result = Transform(signal, inverse ? 1 : -1);
        if (inverse)
            foreach (ref var v in result.AsSpan()) v /= result.Length;
        return result;
    }

    private static Complex[] Transform(ReadOnlySpan<Complex> signal, int sign)
    {
        var n = signal.Length;
        var result = new Complex[n];
        if (n < 8 || n % 2 != 0)
        {
            for (var k = 0; k < n; k++)
                for (var i = 0; i < n; i++) result[k] += signal[i] * Turn((long)k * i % n, n, sign);
            return result;
        }
        var (even, odd) = (new Complex[n / 2], new Complex[n / 2]);
        for (var i = 0; i < n; i++) (i % 2 == 0 ? even : odd)[i / 2] = signal[i];
        (even, odd) = (Transform(even, sign), Transform(odd, sign));
        for (var k = 0; k < n / 2; k++)
        {
            var turned = odd[k] * Turn(k, n, sign);
            (result[k], result[k + n / 2]) = (even[k] + turned, even[k] - turned);
        }
        return result;
    }

    private static Complex Turn(long step, int n, int sign)
    {
        var (sin, cos) = Math.SinCos(2 * Math.PI * step / n);
        return new(cos, sign * sin);
    }
}
