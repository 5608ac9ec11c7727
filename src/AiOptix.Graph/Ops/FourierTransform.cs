using System.Numerics;
using AiOptix.Tensors;

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

    /// <summary>The largest matrix, in elements, that a transform is written as a product with.</summary>
    public const long MaxMatrix = 1 << 22;

    /// <summary>The matrix [count · parts, bins · result parts] that takes a line of numbers, real or complex, to its transform.</summary>
    /// <param name="count">How many numbers go in; those behind them are 0.</param>
    /// <param name="parts">1 for real numbers, 2 for complex ones.</param>
    /// <param name="bins">How many numbers come out.</param>
    /// <param name="outParts">1 where only their real parts are wanted.</param>
    /// <param name="length">The length of the transform.</param>
    /// <param name="inverse">The inverse transform.</param>
    /// <param name="oneSided">Of an inverse one: what goes in is the half of a spectrum whose other half mirrors it.</param>
    public static Tensor Matrix(int count, int parts, int bins, int outParts, long length, bool inverse, bool oneSided)
    {
        var matrix = Tensor.Allocate(DType.Float32, new Shape(count * parts, bins * outParts));
        var values = matrix.Span<float>();
        for (var i = 0; i < count; i++)
            for (var k = 0; k < bins; k++)
            {
                var (sin, cos) = Math.SinCos(2 * Math.PI * ((long)i * k % length) / length);
                if (!inverse) sin = -sin;
                var factor = inverse ? (oneSided && i > 0 && 2 * i != length ? 2.0 : 1) / length : 1;
                for (var part = 0; part < parts; part++)
                {
                    var (real, imaginary) = part == 0 ? (cos, sin) : (-sin, cos);
                    var at = (i * parts + part) * bins * outParts + k * outParts;
                    values[at] = (float)(real * factor);
                    if (outParts == 2) values[at + 1] = (float)(imaginary * factor);
                }
            }
        return matrix;
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
