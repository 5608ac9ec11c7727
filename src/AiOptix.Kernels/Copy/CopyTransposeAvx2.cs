using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace AiOptix.Kernels.Copy;

/// <summary>
/// Transpositions in 256-bit registers: 8×8 words or 4×4 double words. A register is loaded as two 128-bit halves from columns c and c + n/2, so
/// that the interleaves, which stay within halves, finish the turn. Blocks of 16×16 words fill whole cache lines on both sides.
/// </summary>
internal static unsafe class CopyTransposeAvx2
{
    [MethodImpl(HotCode.Optimized)]
    public static void Words(byte* source, byte* target, CopyTile* tile)
    {
        var (sc, tr) = (tile->SourceColumn, tile->TargetRow);
        var (rows, columns) = (tile->Rows & ~7L, tile->Columns & ~7L);
        for (long r = 0; r < rows; r += 16)
            for (long c = 0; c < columns; c += 8)
            {
                Word8x8(source + r * 4 + c * sc, target + r * tr + c * 4, sc, tr);
                if (r + 8 < rows) Word8x8(source + r * 4 + 32 + c * sc, target + (r + 8) * tr + c * 4, sc, tr);
            }
        CopyTranspose.Edges<uint>(source, target, tile, rows, columns);
    }

    [MethodImpl(HotCode.Optimized)]
    public static void DoubleWords(byte* source, byte* target, CopyTile* tile)
    {
        var (sc, tr) = (tile->SourceColumn, tile->TargetRow);
        var (rows, columns) = (tile->Rows & ~3L, tile->Columns & ~3L);
        for (long r = 0; r < rows; r += 8)
            for (long c = 0; c < columns; c += 4)
            {
                DoubleWord4x4(source + r * 8 + c * sc, target + r * tr + c * 8, sc, tr);
                if (r + 4 < rows) DoubleWord4x4(source + r * 8 + 32 + c * sc, target + (r + 4) * tr + c * 8, sc, tr);
            }
        CopyTranspose.Edges<ulong>(source, target, tile, rows, columns);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Word8x8(byte* s, byte* t, long sc, long tr)
    {
        var s4 = s + 4 * sc;
        var a0 = Pair(s, s4);
        var a1 = Pair(s + sc, s4 + sc);
        var a2 = Pair(s + 2 * sc, s4 + 2 * sc);
        var a3 = Pair(s + 3 * sc, s4 + 3 * sc);
        var b0 = Avx.UnpackLow(a0, a1);
        var b1 = Avx.UnpackHigh(a0, a1);
        var b2 = Avx.UnpackLow(a2, a3);
        var b3 = Avx.UnpackHigh(a2, a3);
        Four(t, tr, b0, b1, b2, b3);
        a0 = Pair(s + 16, s4 + 16);
        a1 = Pair(s + sc + 16, s4 + sc + 16);
        a2 = Pair(s + 2 * sc + 16, s4 + 2 * sc + 16);
        a3 = Pair(s + 3 * sc + 16, s4 + 3 * sc + 16);
        b0 = Avx.UnpackLow(a0, a1);
        b1 = Avx.UnpackHigh(a0, a1);
        b2 = Avx.UnpackLow(a2, a3);
        b3 = Avx.UnpackHigh(a2, a3);
        Four(t + 4 * tr, tr, b0, b1, b2, b3);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Four(byte* t, long tr, Vector256<float> b0, Vector256<float> b1, Vector256<float> b2, Vector256<float> b3)
    {
        Avx.UnpackLow(b0.AsDouble(), b2.AsDouble()).Store((double*)t);
        Avx.UnpackHigh(b0.AsDouble(), b2.AsDouble()).Store((double*)(t + tr));
        Avx.UnpackLow(b1.AsDouble(), b3.AsDouble()).Store((double*)(t + 2 * tr));
        Avx.UnpackHigh(b1.AsDouble(), b3.AsDouble()).Store((double*)(t + 3 * tr));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void DoubleWord4x4(byte* s, byte* t, long sc, long tr)
    {
        var s2 = s + 2 * sc;
        var (a0, a1) = (Pair(s, s2).AsDouble(), Pair(s + sc, s2 + sc).AsDouble());
        var (a2, a3) = (Pair(s + 16, s2 + 16).AsDouble(), Pair(s + sc + 16, s2 + sc + 16).AsDouble());
        Avx.UnpackLow(a0, a1).Store((double*)t);
        Avx.UnpackHigh(a0, a1).Store((double*)(t + tr));
        Avx.UnpackLow(a2, a3).Store((double*)(t + 2 * tr));
        Avx.UnpackHigh(a2, a3).Store((double*)(t + 3 * tr));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<float> Pair(byte* low, byte* high) =>
        Avx.InsertVector128(Vector128.Load((float*)low).ToVector256Unsafe(), Vector128.Load((float*)high), 1);
}
