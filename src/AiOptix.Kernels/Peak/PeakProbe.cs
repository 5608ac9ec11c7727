using System.Diagnostics;
using System.Runtime.CompilerServices;
using AiOptix.Kernels.Vectors;
using AiOptix.Tensors;

namespace AiOptix.Kernels.Peak;

/// <summary>Measures what one core can reach, as the yardstick of kernels. Only explicit measuring commands call it.</summary>
public static unsafe class PeakProbe
{
    private const int Steps = 1 << 16;

    /// <summary>Billions of float32 operations a second of one core, a fused multiply-add counting as two; the best of several short runs.</summary>
    public static double FmaGflops(Target target)
    {
        ArgumentNullException.ThrowIfNull(target);
        if (target.Has(Isa.Avx512)) return Measure<V16>();
        return target.Has(Isa.Avx2) ? Measure<V8>() : Measure<V4>();
    }

    /// <summary>Billions of bytes a second that one core copies between buffers larger than its caches, counting reads and writes.</summary>
    public static double CopyGigabytes(Target target)
    {
        ArgumentNullException.ThrowIfNull(target);
        var bytes = Math.Clamp(target.L3Bytes, 32L << 20, 256L << 20);
        MemoryBlock from = MemoryBlock.Allocate(bytes, zeroed: true), to = MemoryBlock.Allocate(bytes, zeroed: true);
        var best = double.MaxValue;
        for (var i = 0; i < 5; i++)
        {
            var start = Stopwatch.GetTimestamp();
            Buffer.MemoryCopy(from.Pointer, to.Pointer, bytes, bytes);
            best = Math.Min(best, Stopwatch.GetElapsedTime(start).TotalSeconds);
        }
        from.LetGo();
        to.LetGo();
        return 2 * bytes / best * 1e-9;
    }

    private static double Measure<T>() where T : unmanaged, IVec<T>
    {
        var sink = stackalloc float[T.Count];
        var best = double.MaxValue;
        for (var i = 0; i < 40; i++)
        {
            var start = Stopwatch.GetTimestamp();
            Spin<T>(sink);
            best = Math.Min(best, Stopwatch.GetElapsedTime(start).TotalSeconds);
        }
        return 2.0 * 12 * T.Count * Steps / best * 1e-9;
    }

    // Twelve independent chains hide the latency of every known core.
    [MethodImpl(HotCode.Optimized)]
    private static void Spin<T>(float* sink) where T : unmanaged, IVec<T>
    {
        T a = T.Set(0.999f), b = T.Set(0.001f);
        T s0 = a, s1 = a, s2 = a, s3 = a, s4 = a, s5 = a, s6 = a, s7 = a, s8 = a, s9 = a, s10 = a, s11 = a;
        for (var i = 0; i < Steps; i++)
        {
            s0 = T.Fma(s0, a, b);
            s1 = T.Fma(s1, a, b);
            s2 = T.Fma(s2, a, b);
            s3 = T.Fma(s3, a, b);
            s4 = T.Fma(s4, a, b);
            s5 = T.Fma(s5, a, b);
            s6 = T.Fma(s6, a, b);
            s7 = T.Fma(s7, a, b);
            s8 = T.Fma(s8, a, b);
            s9 = T.Fma(s9, a, b);
            s10 = T.Fma(s10, a, b);
            s11 = T.Fma(s11, a, b);
        }
        T.Store(sink, s0 + s1 + (s2 + s3) + (s4 + s5 + (s6 + s7)) + (s8 + s9 + (s10 + s11)));
    }
}
