using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using AiOptix.Kernels.Vectors;

namespace AiOptix.Kernels.Conv;

/// <summary>Pixels of float32.</summary>
internal readonly unsafe struct PixelCopy : IPixelLines<float>
{
    /// <inheritdoc/>
    [MethodImpl(HotCode.Optimized)]
    public static void Fill(float* to, nint n, float value)
    {
        nint i = 0;
        var (all, wide) = (Vector128.Create(value), Vector256.Create(value));
        for (; i <= n - 8; i += 8) wide.Store(to + i);
        for (; i <= n - 4; i += 4) all.Store(to + i);
        for (; i < n; i++) to[i] = value;
    }

    /// <inheritdoc/>
    [MethodImpl(HotCode.Optimized)]
    public static void Run(float* from, nint pitch, float* to, nint toPitch, int n, int channels)
    {
        if (n == 0) return;
        if (pitch == channels && toPitch == channels)
        {
            Buffer.MemoryCopy(from, to, (long)n * channels * sizeof(float), (long)n * channels * sizeof(float));
            return;
        }
        for (var i = 0; i < n; i++, from += pitch, to += toPitch)
        {
            var c = 0;
            for (; c <= channels - 8; c += 8) Vector256.Load(from + c).Store(to + c);
            for (; c <= channels - 4; c += 4) Vector128.Load(from + c).Store(to + c);
            for (; c < channels; c++) to[c] = from[c];
        }
    }

    /// <inheritdoc/>
    [MethodImpl(HotCode.Optimized)]
    public static void Interleave(float* planes, nint planeFloats, float* to, int n, int channels)
    {
        var i = 0;
        if (channels == 3)
        {
            float* a = planes, b = planes + planeFloats, c = planes + 2 * planeFloats;
            // A vector of four reaches one float beyond its pixel, which the next one overwrites.
            for (; i < n - 4; i += 4)
            {
                Vector128<float> x = Vector128.Load(a + i), y = Vector128.Load(b + i), z = Vector128.Load(c + i);
                Vector128<float> low = Vectors.Interleave.Low(x, z), high = Vectors.Interleave.High(x, z), last = Vectors.Interleave.Low(y, y), end = Vectors.Interleave.High(y, y);
                Vectors.Interleave.Low(low, last).Store(to + 3 * i);
                Vectors.Interleave.High(low, last).Store(to + 3 * i + 3);
                Vectors.Interleave.Low(high, end).Store(to + 3 * i + 6);
                Vectors.Interleave.High(high, end).Store(to + 3 * i + 9);
            }
        }
        for (; i < n; i++)
            for (var c = 0; c < channels; c++) to[(nint)i * channels + c] = planes[c * planeFloats + i];
    }
}
