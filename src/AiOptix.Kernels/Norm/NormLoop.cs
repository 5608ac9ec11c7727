using System.Runtime.CompilerServices;
using AiOptix.Kernels.Reduce;
using AiOptix.Kernels.Vectors;

namespace AiOptix.Kernels.Norm;

/// <summary>Pointers and sizes of a normalisation over rows. Optional pointers are null when absent.</summary>
public unsafe struct NormArgs
{
    /// <summary>Argument, [rows, length].</summary>
    public float* X;
    /// <summary>Optional: added to the argument first, [rows, length].</summary>
    public float* Residual;
    /// <summary>Optional: added to every row first, [length].</summary>
    public float* ResidualBias;
    /// <summary>Optional: multiplies the normalised row, [length].</summary>
    public float* Scale;
    /// <summary>Optional: added last, [length].</summary>
    public float* Bias;
    /// <summary>Result, [rows, length]; may be the argument.</summary>
    public float* Y;
    /// <summary>Optional result: the sum that was normalised, [rows, length].</summary>
    public float* Sum;
}

/// <summary>
/// Normalisations of rows. A row is read three times from the first-level cache: the sum, the sum of squared differences from the mean, the
/// result. Sums keep sixteen lanes in the fixed order of <see cref="ReduceLoop"/>.
/// </summary>
internal static unsafe class NormLoop
{
    private const long Stretch = 1024;

    /// <summary>LayerNorm (or RMSNorm when <paramref name="centred"/> is false) of rows.</summary>
    [MethodImpl(HotCode.Optimized)]
    public static void Layer<T>(NormArgs* args, long first, long end, long n, float epsilon, bool centred) where T : unmanaged, IVec<T>
    {
        float* gains = args->Scale, biases = args->Bias;
        for (var r = first; r < end; r++)
        {
            var x = args->X + r * n;
            var y = args->Y + r * n;
            if (args->Residual != null || args->ResidualBias != null)
            {
                var sum = args->Sum != null ? args->Sum + r * n : y;
                Add<T>(x, args->Residual == null ? null : args->Residual + r * n, args->ResidualBias, sum, n);
                x = sum;
            }
            var mean = centred ? T.Set(ReduceLoop.Row<SumF32, T>(x, n) / n) : T.Zero;
            var scale = T.Set(1f / MathF.Sqrt(T.Sum(Squares(x, n, mean)) / n + epsilon));
            long i = 0;
            if (gains != null && biases != null)
                for (; i <= n - T.Count; i += T.Count) T.Store(y + i, T.Fma((T.Load(x + i) - mean) * scale, T.Load(gains + i), T.Load(biases + i)));
            for (; i <= n - T.Count; i += T.Count)
            {
                var v = (T.Load(x + i) - mean) * scale;
                if (gains != null) v = biases != null ? T.Fma(v, T.Load(gains + i), T.Load(biases + i)) : v * T.Load(gains + i);
                else if (biases != null) v += T.Load(biases + i);
                T.Store(y + i, v);
            }
            if (i < n)
            {
                var m = (int)(n - i);
                var v = (T.LoadPart(x + i, m) - mean) * scale;
                if (gains != null) v = biases != null ? T.Fma(v, T.LoadPart(gains + i, m), T.LoadPart(biases + i, m)) : v * T.LoadPart(gains + i, m);
                else if (biases != null) v += T.LoadPart(biases + i, m);
                T.StorePart(y + i, v, m);
            }
        }
    }

    /// <summary>Group normalisation: rows of <paramref name="channels"/> × <paramref name="spatial"/> elements share statistics, each channel has its scale and bias.</summary>
    [MethodImpl(HotCode.Optimized)]
    public static void Group<T>(NormArgs* args, long first, long end, long groups, long channels, long spatial, float epsilon) where T : unmanaged, IVec<T>
    {
        var n = channels * spatial;
        for (var r = first; r < end; r++)
        {
            var x = args->X + r * n;
            var y = args->Y + r * n;
            var mean = ReduceLoop.Row<SumF32, T>(x, n) / n;
            var scale = 1f / MathF.Sqrt(T.Sum(Squares(x, n, T.Set(mean))) / n + epsilon);
            var channel = r % groups * channels;
            for (long c = 0; c < channels; c++, x += spatial, y += spatial)
            {
                var a = args->Scale != null ? args->Scale[channel + c] * scale : scale;
                var b = args->Bias != null ? args->Bias[channel + c] : 0f;
                Affine<T>(x, y, spatial, T.Set(mean), T.Set(a), T.Set(b));
            }
        }
    }

    /// <summary>y = x·scale[c] + bias[c] where the channel is the innermost axis.</summary>
    [MethodImpl(HotCode.Optimized)]
    public static void ChannelRow<T>(float* x, float* scale, float* bias, float* y, long n) where T : unmanaged, IVec<T>
    {
        long i = 0;
        for (; i <= n - T.Count; i += T.Count) T.Store(y + i, T.Fma(T.Load(x + i), T.Load(scale + i), T.Load(bias + i)));
        var m = (int)(n - i);
        if (m > 0) T.StorePart(y + i, T.Fma(T.LoadPart(x + i, m), T.LoadPart(scale + i, m), T.LoadPart(bias + i, m)), m);
    }

    /// <summary>y = x·scale + bias with one scale and bias.</summary>
    [MethodImpl(HotCode.Optimized)]
    public static void ChannelSpan<T>(float* x, float scale, float bias, float* y, long n) where T : unmanaged, IVec<T>
    {
        var (a, b) = (T.Set(scale), T.Set(bias));
        long i = 0;
        for (; i <= n - T.Count; i += T.Count) T.Store(y + i, T.Fma(T.Load(x + i), a, b));
        var m = (int)(n - i);
        if (m > 0) T.StorePart(y + i, T.Fma(T.LoadPart(x + i, m), a, b), m);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Affine<T>(float* x, float* y, long n, T mean, T a, T b) where T : unmanaged, IVec<T>
    {
        long i = 0;
        for (; i <= n - T.Count; i += T.Count) T.Store(y + i, T.Fma(T.Load(x + i) - mean, a, b));
        var m = (int)(n - i);
        if (m > 0) T.StorePart(y + i, T.Fma(T.LoadPart(x + i, m) - mean, a, b), m);
    }

    // Vectors go by reference: a method that takes one of 512 bits by value is in no ahead-compiled image.
    [MethodImpl(HotCode.Optimized)]
    private static T Squares<T>(float* x, long n, in T mean) where T : unmanaged, IVec<T>
    {
        if (n <= Stretch) return SquaresStraight(x, n, mean);
        var left = (n / Stretch + 1) / 2 * Stretch;
        return Squares(x, left, mean) + Squares(x + left, n - left, mean);
    }

    [MethodImpl(HotCode.Optimized)]
    private static T SquaresStraight<T>(float* x, long n, in T centre) where T : unmanaged, IVec<T>
    {
        var mean = centre;
        var (a, b, c, d) = (T.Zero, T.Zero, T.Zero, T.Zero);
        long i = 0;
        for (; i <= n - 64; i += 64)
        {
            var (u, v, w, z) = (T.Load(x + i) - mean, T.Load(x + i + 16) - mean, T.Load(x + i + 32) - mean, T.Load(x + i + 48) - mean);
            a = T.Fma(u, u, a);
            b = T.Fma(v, v, b);
            c = T.Fma(w, w, c);
            d = T.Fma(z, z, d);
        }
        for (; i < n; i += 16)
        {
            var m = (int)Math.Min(16, n - i);
            var u = ReduceLoop.First(T.LoadPart(x + i, m) - mean, m);
            a = T.Fma(u, u, a);
        }
        return a + b + (c + d);
    }

    [MethodImpl(HotCode.Optimized)]
    private static void Add<T>(float* x, float* residual, float* bias, float* sum, long n) where T : unmanaged, IVec<T>
    {
        for (long i = 0; i < n; i += T.Count)
        {
            if (i <= n - T.Count)
            {
                var v = T.Load(x + i);
                if (residual != null) v += T.Load(residual + i);
                if (bias != null) v += T.Load(bias + i);
                T.Store(sum + i, v);
            }
            else
            {
                var m = (int)(n - i);
                var v = T.LoadPart(x + i, m);
                if (residual != null) v += T.LoadPart(residual + i, m);
                if (bias != null) v += T.LoadPart(bias + i, m);
                T.StorePart(sum + i, v, m);
            }
        }
    }
}
