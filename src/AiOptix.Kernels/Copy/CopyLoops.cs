using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace AiOptix.Kernels.Copy;

/// <summary>Copy kernels in plain loops over the element type.</summary>
internal static unsafe class CopyLoops
{
    private const int Block = 16, Vector = 32, LongRun = 512;

    [MethodImpl(HotCode.Optimized)]
    public static void Runs(byte* source, byte* target, CopyTile* tile)
    {
        var bytes = tile->Columns * tile->ElementSize;
        for (long r = 0; r < tile->Rows; r++)
        {
            Bytes(source, target, bytes);
            source += tile->SourceRow;
            target += tile->TargetRow;
        }
    }

    [MethodImpl(HotCode.Optimized)]
    public static void Fill<T>(byte* source, byte* target, CopyTile* tile) where T : unmanaged
    {
        for (long r = 0; r < tile->Rows; r++)
        {
            FillRow(target, Unsafe.ReadUnaligned<T>(source), tile->Columns);
            source += tile->SourceRow;
            target += tile->TargetRow;
        }
    }

    [MethodImpl(HotCode.Optimized)]
    public static void Strided<T>(byte* source, byte* target, CopyTile* tile) where T : unmanaged
    {
        var (sc, tc) = (tile->SourceColumn, tile->TargetColumn);
        for (long r = 0; r < tile->Rows; r++)
        {
            var s = source;
            var t = target;
            for (var n = tile->Columns; n > 0; n--)
            {
                Unsafe.WriteUnaligned(t, Unsafe.ReadUnaligned<T>(s));
                s += sc;
                t += tc;
            }
            source += tile->SourceRow;
            target += tile->TargetRow;
        }
    }

    /// <summary>A transposition in square blocks, so that every cache line touched is used up.</summary>
    [MethodImpl(HotCode.Optimized)]
    public static void Blocked<T>(byte* source, byte* target, CopyTile* tile) where T : unmanaged
    {
        var part = *tile;
        for (long r = 0; r < tile->Rows; r += Block)
            for (long c = 0; c < tile->Columns; c += Block)
            {
                part.Rows = Math.Min(Block, tile->Rows - r);
                part.Columns = Math.Min(Block, tile->Columns - c);
                Strided<T>(source + r * tile->SourceRow + c * tile->SourceColumn, target + r * tile->TargetRow + c * tile->TargetColumn, &part);
            }
    }

    /// <summary>A copy of any length between places that do not overlap. Runs of some vectors, as heads and pixels are, take less than the call of a block copy.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Bytes(byte* source, byte* target, long bytes)
    {
        if (bytes >= LongRun) Buffer.MemoryCopy(source, target, bytes, bytes);
        else if (bytes >= Vector)
        {
            for (long i = 0; i < bytes - Vector; i += Vector) Vector256.Load(source + i).Store(target + i);
            Vector256.Load(source + bytes - Vector).Store(target + bytes - Vector);
        }
        else
        {
            long i = 0;
            for (; i + 8 <= bytes; i += 8) Unsafe.WriteUnaligned(target + i, Unsafe.ReadUnaligned<ulong>(source + i));
            for (; i < bytes; i++) target[i] = source[i];
        }
    }

    /// <summary>Fills a row with one value.</summary>
    [MethodImpl(HotCode.Optimized)]
    public static void FillRow<T>(byte* target, T value, long count) where T : unmanaged
    {
        // Compiled ahead, which Span.Fill is not for a type of this room.
        if (sizeof(T) == sizeof(SixteenBytes))
        {
            for (long i = 0; i < count; i++) Unsafe.WriteUnaligned(target + i * sizeof(T), value);
            return;
        }
        while (count > 0)
        {
            var n = (int)Math.Min(count, 1 << 28);
            new Span<T>(target, n).Fill(value);
            target += (long)n * sizeof(T);
            count -= n;
        }
    }
}

/// <summary>An element of sixteen bytes: 128-bit integers are left to the JIT by images that are compiled ahead, and vectors by those of other instruction sets.</summary>
internal readonly record struct SixteenBytes(ulong Low, ulong High);
