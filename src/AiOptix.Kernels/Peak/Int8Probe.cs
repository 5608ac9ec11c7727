using System.Diagnostics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;
using AiOptix.Kernels.Jit;
using AiOptix.Tensors;

namespace AiOptix.Kernels.Peak;

/// <summary>
/// Measures the int8 dot products that one core reaches: with VNNI in one instruction, which only generated code can emit; otherwise with those that C# can name,
/// bytes to 16 bits, 16 to 32 bits, add.
/// </summary>
public static class Int8Probe
{
    private const int Steps = 1 << 16;
    private const int Chains = 8;

    /// <summary>Billions of int8 operations a second of one core, a multiply-add counting as two; the best of several short runs. 0 without AVX2.</summary>
    public static double Gops(Target target)
    {
        ArgumentNullException.ThrowIfNull(target);
        if (!target.Has(Isa.Avx2)) return 0;
        if (target.Has(Isa.Jit | Isa.Avx512Vnni)) return Generated(64);
        if (target.Has(Isa.Jit | Isa.AvxVnni)) return Generated(32);
        var wide = target.Has(Isa.Avx512) && Avx512BW.IsSupported;
        double best = 0;
        for (var i = 0; i < 7; i++)
        {
            var start = Stopwatch.GetTimestamp();
            var sum = wide ? Run512() : Run256();
            var seconds = Stopwatch.GetElapsedTime(start).TotalSeconds;
            GC.KeepAlive(sum);
            best = Math.Max(best, 2.0 * (wide ? 64 : 32) * Chains * Steps / seconds * 1e-9);
        }
        return best;
    }

    private static unsafe double Generated(int vectorBytes)
    {
        var kernel = CodeCache.Shared.Get(new DotPeak(vectorBytes));
        double best = 0;
        for (var i = 0; i < 40; i++)
        {
            nint steps = Steps;
            var start = Stopwatch.GetTimestamp();
            ((delegate* unmanaged[SuppressGCTransition]<nint*, void>)kernel.Address)(&steps);
            best = Math.Max(best, 2.0 * vectorBytes * DotPeak.Chains * Steps / Stopwatch.GetElapsedTime(start).TotalSeconds * 1e-9);
        }
        GC.KeepAlive(kernel);
        return best;
    }

    [MethodImpl(HotCode.Optimized)]
    private static int Run512()
    {
        var a = Vector512.Create((byte)3);
        var b = Vector512.Create((sbyte)-2);
        var ones = Vector512.Create((short)1);
        Vector512<int> s0 = default, s1 = default, s2 = default, s3 = default, s4 = default, s5 = default, s6 = default, s7 = default;
        for (var i = 0; i < Steps; i++)
        {
            s0 += Avx512BW.MultiplyAddAdjacent(Avx512BW.MultiplyAddAdjacent(a, s0.AsSByte()), ones);
            s1 += Avx512BW.MultiplyAddAdjacent(Avx512BW.MultiplyAddAdjacent(a, s1.AsSByte()), ones);
            s2 += Avx512BW.MultiplyAddAdjacent(Avx512BW.MultiplyAddAdjacent(a, s2.AsSByte()), ones);
            s3 += Avx512BW.MultiplyAddAdjacent(Avx512BW.MultiplyAddAdjacent(a, s3.AsSByte()), ones);
            s4 += Avx512BW.MultiplyAddAdjacent(Avx512BW.MultiplyAddAdjacent(a, s4.AsSByte()), ones);
            s5 += Avx512BW.MultiplyAddAdjacent(Avx512BW.MultiplyAddAdjacent(a, s5.AsSByte()), ones);
            s6 += Avx512BW.MultiplyAddAdjacent(Avx512BW.MultiplyAddAdjacent(a, s6.AsSByte()), ones);
            s7 += Avx512BW.MultiplyAddAdjacent(Avx512BW.MultiplyAddAdjacent(a, b), ones);
        }
        return Vector512.Sum(s0 + s1 + s2 + s3 + s4 + s5 + s6 + s7);
    }

    [MethodImpl(HotCode.Optimized)]
    private static int Run256()
    {
        var a = Vector256.Create((byte)3);
        var b = Vector256.Create((sbyte)-2);
        var ones = Vector256.Create((short)1);
        Vector256<int> s0 = default, s1 = default, s2 = default, s3 = default, s4 = default, s5 = default, s6 = default, s7 = default;
        for (var i = 0; i < Steps; i++)
        {
            s0 += Avx2.MultiplyAddAdjacent(Avx2.MultiplyAddAdjacent(a, s0.AsSByte()), ones);
            s1 += Avx2.MultiplyAddAdjacent(Avx2.MultiplyAddAdjacent(a, s1.AsSByte()), ones);
            s2 += Avx2.MultiplyAddAdjacent(Avx2.MultiplyAddAdjacent(a, s2.AsSByte()), ones);
            s3 += Avx2.MultiplyAddAdjacent(Avx2.MultiplyAddAdjacent(a, s3.AsSByte()), ones);
            s4 += Avx2.MultiplyAddAdjacent(Avx2.MultiplyAddAdjacent(a, s4.AsSByte()), ones);
            s5 += Avx2.MultiplyAddAdjacent(Avx2.MultiplyAddAdjacent(a, s5.AsSByte()), ones);
            s6 += Avx2.MultiplyAddAdjacent(Avx2.MultiplyAddAdjacent(a, s6.AsSByte()), ones);
            s7 += Avx2.MultiplyAddAdjacent(Avx2.MultiplyAddAdjacent(a, b), ones);
        }
        return Vector256.Sum(s0 + s1 + s2 + s3 + s4 + s5 + s6 + s7);
    }
}
