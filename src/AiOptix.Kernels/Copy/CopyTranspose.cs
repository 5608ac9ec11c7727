using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.Arm;
using System.Runtime.Intrinsics.X86;

namespace AiOptix.Kernels.Copy;

/// <summary>
/// Transpositions in 128-bit registers. A register holds adjacent source elements (one column of the rectangle, several rows); interleaving
/// the low and the high halves of register pairs log₂ n times turns n registers by the diagonal. What is left at the right and lower edge goes
/// element by element.
/// </summary>
internal static unsafe class CopyTranspose
{
    [MethodImpl(HotCode.Optimized)]
    public static void Words(byte* source, byte* target, CopyTile* tile)
    {
        var (sc, tr) = (tile->SourceColumn, tile->TargetRow);
        var (rows, columns) = (tile->Rows & ~3L, tile->Columns & ~3L);
        for (long r = 0; r < rows; r += 4)
            for (long c = 0; c < columns; c += 4)
            {
                var s = source + r * 4 + c * sc;
                var t = target + r * tr + c * 4;
                var (a0, a1, a2, a3) = (Vector128.Load((uint*)s), Vector128.Load((uint*)(s + sc)), Vector128.Load((uint*)(s + 2 * sc)), Vector128.Load((uint*)(s + 3 * sc)));
                var (b0, b1, b2, b3) = (Low(a0, a2), High(a0, a2), Low(a1, a3), High(a1, a3));
                Low(b0, b2).Store((uint*)t);
                High(b0, b2).Store((uint*)(t + tr));
                Low(b1, b3).Store((uint*)(t + 2 * tr));
                High(b1, b3).Store((uint*)(t + 3 * tr));
            }
        Edges<uint>(source, target, tile, rows, columns);
    }

    [MethodImpl(HotCode.Optimized)]
    public static void HalfWords(byte* source, byte* target, CopyTile* tile)
    {
        var (sc, tr) = (tile->SourceColumn, tile->TargetRow);
        var (rows, columns) = (tile->Rows & ~7L, tile->Columns & ~7L);
        for (long r = 0; r < rows; r += 8)
            for (long c = 0; c < columns; c += 8)
            {
                var s = (byte*)(source + r * 2 + c * sc);
                var t = target + r * tr + c * 2;
                var (a0, a1, a2, a3) = (L(s), L(s + sc), L(s + 2 * sc), L(s + 3 * sc));
                s += 4 * sc;
                var (a4, a5, a6, a7) = (L(s), L(s + sc), L(s + 2 * sc), L(s + 3 * sc));
                var (b0, b1, b2, b3) = (Low(a0, a4), High(a0, a4), Low(a1, a5), High(a1, a5));
                var (b4, b5, b6, b7) = (Low(a2, a6), High(a2, a6), Low(a3, a7), High(a3, a7));
                (a0, a1, a2, a3) = (Low(b0, b4), High(b0, b4), Low(b1, b5), High(b1, b5));
                (a4, a5, a6, a7) = (Low(b2, b6), High(b2, b6), Low(b3, b7), High(b3, b7));
                Low(a0, a4).Store((ushort*)t);
                High(a0, a4).Store((ushort*)(t + tr));
                Low(a1, a5).Store((ushort*)(t + 2 * tr));
                High(a1, a5).Store((ushort*)(t + 3 * tr));
                t += 4 * tr;
                Low(a2, a6).Store((ushort*)t);
                High(a2, a6).Store((ushort*)(t + tr));
                Low(a3, a7).Store((ushort*)(t + 2 * tr));
                High(a3, a7).Store((ushort*)(t + 3 * tr));
            }
        Edges<ushort>(source, target, tile, rows, columns);
    }

    /// <summary>8×8 bytes: eight half registers in, pairs of rows out.</summary>
    [MethodImpl(HotCode.Optimized)]
    public static void Bytes(byte* source, byte* target, CopyTile* tile)
    {
        var (sc, tr) = (tile->SourceColumn, tile->TargetRow);
        var (rows, columns) = (tile->Rows & ~7L, tile->Columns & ~7L);
        for (long r = 0; r < rows; r += 8)
            for (long c = 0; c < columns; c += 8)
            {
                var s = source + r + c * sc;
                var t = target + r * tr + c;
                var (a0, a1, a2, a3) = (H(s), H(s + sc), H(s + 2 * sc), H(s + 3 * sc));
                s += 4 * sc;
                var (a4, a5, a6, a7) = (H(s), H(s + sc), H(s + 2 * sc), H(s + 3 * sc));
                var (b0, b1, b2, b3) = (Low(a0, a4), Low(a1, a5), Low(a2, a6), Low(a3, a7));
                (a0, a1, a2, a3) = (Low(b0, b2), High(b0, b2), Low(b1, b3), High(b1, b3));
                Rows2(t, tr, Low(a0, a2));
                Rows2(t + 2 * tr, tr, High(a0, a2));
                Rows2(t + 4 * tr, tr, Low(a1, a3));
                Rows2(t + 6 * tr, tr, High(a1, a3));
            }
        Edges<byte>(source, target, tile, rows, columns);
    }

    /// <summary>The rectangle without its upper left <paramref name="rows"/> × <paramref name="columns"/> corner.</summary>
    [MethodImpl(HotCode.Optimized)]
    public static void Edges<T>(byte* source, byte* target, CopyTile* tile, long rows, long columns) where T : unmanaged
    {
        if (columns < tile->Columns && rows > 0)
        {
            var right = *tile;
            right.Rows = rows;
            right.Columns = tile->Columns - columns;
            CopyLoops.Blocked<T>(source + columns * tile->SourceColumn, target + columns * tile->TargetColumn, &right);
        }
        if (rows < tile->Rows)
        {
            var below = *tile;
            below.Rows = tile->Rows - rows;
            CopyLoops.Blocked<T>(source + rows * tile->SourceRow, target + rows * tile->TargetRow, &below);
        }
    }

    private static Vector128<ushort> L(byte* p) => Vector128.Load((ushort*)p);

    private static Vector128<byte> H(byte* p) => Vector128.CreateScalarUnsafe(Unsafe.ReadUnaligned<ulong>(p)).AsByte();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Rows2(byte* t, long tr, Vector128<byte> v)
    {
        Unsafe.WriteUnaligned(t, v.AsUInt64().GetElement(0));
        Unsafe.WriteUnaligned(t + tr, v.AsUInt64().GetElement(1));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<uint> Low(Vector128<uint> a, Vector128<uint> b) =>
        Sse2.IsSupported ? Sse2.UnpackLow(a, b) : AdvSimd.Arm64.IsSupported ? AdvSimd.Arm64.ZipLow(a, b) : Vector128.Create(a[0], b[0], a[1], b[1]);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<uint> High(Vector128<uint> a, Vector128<uint> b) =>
        Sse2.IsSupported ? Sse2.UnpackHigh(a, b) : AdvSimd.Arm64.IsSupported ? AdvSimd.Arm64.ZipHigh(a, b) : Vector128.Create(a[2], b[2], a[3], b[3]);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<ushort> Low(Vector128<ushort> a, Vector128<ushort> b) =>
        Sse2.IsSupported ? Sse2.UnpackLow(a, b) : AdvSimd.Arm64.IsSupported ? AdvSimd.Arm64.ZipLow(a, b)
        : Vector128.Create(a[0], b[0], a[1], b[1], a[2], b[2], a[3], b[3]);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<ushort> High(Vector128<ushort> a, Vector128<ushort> b) =>
        Sse2.IsSupported ? Sse2.UnpackHigh(a, b) : AdvSimd.Arm64.IsSupported ? AdvSimd.Arm64.ZipHigh(a, b)
        : Vector128.Create(a[4], b[4], a[5], b[5], a[6], b[6], a[7], b[7]);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<byte> Low(Vector128<byte> a, Vector128<byte> b) =>
        Sse2.IsSupported ? Sse2.UnpackLow(a, b) : AdvSimd.Arm64.IsSupported ? AdvSimd.Arm64.ZipLow(a, b)
        : Vector128.Create(a[0], b[0], a[1], b[1], a[2], b[2], a[3], b[3], a[4], b[4], a[5], b[5], a[6], b[6], a[7], b[7]);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<byte> High(Vector128<byte> a, Vector128<byte> b) =>
        Sse2.IsSupported ? Sse2.UnpackHigh(a, b) : AdvSimd.Arm64.IsSupported ? AdvSimd.Arm64.ZipHigh(a, b)
        : Vector128.Create(a[8], b[8], a[9], b[9], a[10], b[10], a[11], b[11], a[12], b[12], a[13], b[13], a[14], b[14], a[15], b[15]);
}
