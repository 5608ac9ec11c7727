using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;
using AiOptix.Tensors;

namespace AiOptix.Kernels.Checksums;

/// <summary><see cref="Checksum"/> of long stretches: the four lanes of a round in one vector, where the CPU multiplies 64-bit lanes. The value is the same.</summary>
public static unsafe class LongChecksum
{
    // A process that checks less never compiles the vector code.
    private const int Least = 1 << 20;

    private const ulong Prime1 = 0x9E3779B185EBCA87, Prime2 = 0xC2B2AE3D27D4EB4F;

    /// <summary>The checksum of some bytes.</summary>
    public static ulong Of(ReadOnlySpan<byte> bytes) => Of(bytes, HostTarget.Current);

    /// <summary>The checksum of some bytes as a machine computes it.</summary>
    public static ulong Of(ReadOnlySpan<byte> bytes, Target target)
    {
        if (bytes.Length < Least || !target.Has(Isa.Avx512)) return Checksum.Of(bytes);
        Span<ulong> lanes = stackalloc ulong[4];
        Checksum.Begin(lanes);
        var rounds = bytes.Length / Checksum.RoundBytes;
        fixed (byte* p = bytes)
        fixed (ulong* l = lanes) Rounds(p, rounds, l);
        return Checksum.End(lanes, bytes[(rounds * Checksum.RoundBytes)..], bytes.Length);
    }

    // Per round: load, × Prime2, + lanes, rotate, × Prime1.
    [MethodImpl(HotCode.Optimized)]
    private static void Rounds(byte* p, int rounds, ulong* lanes)
    {
        Vector256<ulong> first = Vector256.Create(Prime1), second = Vector256.Create(Prime2), sum = Vector256.Load(lanes);
        for (; rounds > 0; rounds--, p += Checksum.RoundBytes)
            sum = Avx512DQ.VL.MultiplyLow(Avx512F.VL.RotateLeft(sum + Avx512DQ.VL.MultiplyLow(Vector256.Load((ulong*)p), second), 31), first);
        sum.Store(lanes);
    }
}
