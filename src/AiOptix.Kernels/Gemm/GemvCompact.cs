using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics.X86;
using AiOptix.Kernels.Vectors;

namespace AiOptix.Kernels.Gemm;

/// <summary>
/// A few rows times <see cref="CompactPanels"/>, one panel after the other: memory is read as one stream. Sums run in the order of k, with the outliers of a column behind its other weights: the
/// sign of an outlier stands among these with the panel's lowest exponent, which is taken away again.
/// </summary>
internal static unsafe class GemvCompact
{
    /// <summary>Rows up to which it is faster than to make panels plain first.</summary>
    public const int MostRows = 8;

    /// <summary>Bytes that weights are asked for ahead of their use.</summary>
    private const int Ahead = 4096;

    /// <summary>The columns of a block; <see cref="GemmBlock.BSource"/> holds the panels.</summary>
    [MethodImpl(HotCode.Optimized)]
    public static void Run<T, TLanes>(GemmBlock* g) where T : unmanaged, IVec<T> where TLanes : struct, ICompactLanes<T>
    {
        var padded = stackalloc float[8 * CompactPanels.Steps];
        for (var column = g->Column0; column < g->Column1; column += 2 * T.Count)
        {
            var panel = ((CompactPanels*)g->BSource)->Panel(column / (2 * T.Count));
            AskFor((byte*)panel.List, 64);
            var rows = g->Row1 - g->Row0;
            if (rows > 4) Sum<T, TLanes, Rows8>(g, panel, column, padded);
            else if (rows > 2) Sum<T, TLanes, Rows4>(g, panel, column, padded);
            else if (rows == 2) Sum<T, TLanes, Rows2>(g, panel, column, padded);
            else Sum<T, TLanes, Rows1>(g, panel, column, padded);
            AddOutliers(g, panel, column, 2 * T.Count);
        }
        GemvTable.Conclude(g);
    }

    // Where there are fewer rows, the last one is computed several times and stored once.
    [MethodImpl(HotCode.Optimized)]
    private static void Sum<T, TLanes, TRows>(GemmBlock* g, CompactPanel panel, int column, float* padded)
        where T : unmanaged, IVec<T> where TLanes : struct, ICompactLanes<T> where TRows : struct, IRows
    {
        nint row = g->ARowStride, step = g->AColumnStride, last = g->Row1 - g->Row0 - 1;
        nint r1 = Math.Min(1, last) * row, r2 = Math.Min(2, last) * row, r3 = Math.Min(3, last) * row, r4 = Math.Min(4, last) * row, r5 = Math.Min(5, last) * row, r6 = Math.Min(6, last) * row, r7 = last * row;
        float* a = g->A + g->Row0 * row, b = panel.Groups;
        var e = TLanes.Base(panel.Exponent);
        T x0 = T.Zero, y0 = T.Zero, x1 = T.Zero, y1 = T.Zero, x2 = T.Zero, y2 = T.Zero, x3 = T.Zero, y3 = T.Zero;
        T x4 = T.Zero, y4 = T.Zero, x5 = T.Zero, y5 = T.Zero, x6 = T.Zero, y6 = T.Zero, x7 = T.Zero, y7 = T.Zero;
        for (var k = g->K; k > 0; k -= CompactPanels.Steps, a += CompactPanels.Steps * step, b += 7 * T.Count)
        {
            if (k < CompactPanels.Steps)
            {
                // No weights stand for the steps that fill up the last group.
                for (nint i = 0; i < TRows.Count; i++)
                    for (nint j = 0; j < CompactPanels.Steps; j++) padded[i * CompactPanels.Steps + j] = j < k ? a[Math.Min(i, last) * row + j * step] : 0f;
                a = padded;
                (r1, r2, r3, r4, r5, r6, r7, step) = (4, 8, 12, 16, 20, 24, 28, 1);
            }
            AskFor((byte*)b + Ahead, 28 * T.Count);
            T b0 = T.Load(b), b1 = T.Load(b + T.Count), b2 = T.Load(b + 2 * T.Count), b3 = T.Load(b + 3 * T.Count), b4 = T.Load(b + 4 * T.Count), b5 = T.Load(b + 5 * T.Count), b6 = T.Load(b + 6 * T.Count);
            var b7 = TLanes.Weight(CompactPanels.Eighth<T, TLanes>(b0, b1, b2, b3, b4, b5, b6), e);
            Add<T, TRows>(a, r1, r2, r3, r4, r5, r6, r7, TLanes.Weight(b0, e), TLanes.Weight(b1, e), ref x0, ref y0, ref x1, ref y1, ref x2, ref y2, ref x3, ref y3, ref x4, ref y4, ref x5, ref y5, ref x6, ref y6, ref x7, ref y7);
            Add<T, TRows>(a + step, r1, r2, r3, r4, r5, r6, r7, TLanes.Weight(b2, e), TLanes.Weight(b3, e), ref x0, ref y0, ref x1, ref y1, ref x2, ref y2, ref x3, ref y3, ref x4, ref y4, ref x5, ref y5, ref x6, ref y6, ref x7, ref y7);
            Add<T, TRows>(a + 2 * step, r1, r2, r3, r4, r5, r6, r7, TLanes.Weight(b4, e), TLanes.Weight(b5, e), ref x0, ref y0, ref x1, ref y1, ref x2, ref y2, ref x3, ref y3, ref x4, ref y4, ref x5, ref y5, ref x6, ref y6, ref x7, ref y7);
            Add<T, TRows>(a + 3 * step, r1, r2, r3, r4, r5, r6, r7, TLanes.Weight(b6, e), b7, ref x0, ref y0, ref x1, ref y1, ref x2, ref y2, ref x3, ref y3, ref x4, ref y4, ref x5, ref y5, ref x6, ref y6, ref x7, ref y7);
        }
        var c = g->C + g->Row0 * g->Ldc + column;
        int first = Math.Min(g->Column1 - column, T.Count), second = Math.Max(0, Math.Min(g->Column1 - column - T.Count, T.Count));
        Store(c, x0, y0, first, second);
        if (TRows.Count > 1 && last > 0) Store(c + g->Ldc, x1, y1, first, second);
        if (TRows.Count > 2 && last > 1) Store(c + 2 * g->Ldc, x2, y2, first, second);
        if (TRows.Count > 2 && last > 2) Store(c + 3 * g->Ldc, x3, y3, first, second);
        if (TRows.Count > 4 && last > 3) Store(c + 4 * g->Ldc, x4, y4, first, second);
        if (TRows.Count > 4 && last > 4) Store(c + 5 * g->Ldc, x5, y5, first, second);
        if (TRows.Count > 4 && last > 5) Store(c + 6 * g->Ldc, x6, y6, first, second);
        if (TRows.Count > 4 && last > 6) Store(c + 7 * g->Ldc, x7, y7, first, second);
    }

    /// <summary>A step of every row.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Add<T, TRows>(float* a, nint r1, nint r2, nint r3, nint r4, nint r5, nint r6, nint r7, T u, T v, ref T x0, ref T y0, ref T x1, ref T y1, ref T x2, ref T y2, ref T x3, ref T y3, ref T x4, ref T y4, ref T x5, ref T y5, ref T x6, ref T y6, ref T x7, ref T y7)
        where T : unmanaged, IVec<T> where TRows : struct, IRows
    {
        var factor = T.Set(*a);
        x0 = T.Fma(factor, u, x0);
        y0 = T.Fma(factor, v, y0);
        if (TRows.Count == 1) return;
        factor = T.Set(a[r1]);
        x1 = T.Fma(factor, u, x1);
        y1 = T.Fma(factor, v, y1);
        if (TRows.Count == 2) return;
        factor = T.Set(a[r2]);
        x2 = T.Fma(factor, u, x2);
        y2 = T.Fma(factor, v, y2);
        factor = T.Set(a[r3]);
        x3 = T.Fma(factor, u, x3);
        y3 = T.Fma(factor, v, y3);
        if (TRows.Count == 4) return;
        factor = T.Set(a[r4]);
        x4 = T.Fma(factor, u, x4);
        y4 = T.Fma(factor, v, y4);
        factor = T.Set(a[r5]);
        x5 = T.Fma(factor, u, x5);
        y5 = T.Fma(factor, v, y5);
        factor = T.Set(a[r6]);
        x6 = T.Fma(factor, u, x6);
        y6 = T.Fma(factor, v, y6);
        factor = T.Set(a[r7]);
        x7 = T.Fma(factor, u, x7);
        y7 = T.Fma(factor, v, y7);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Store<T>(float* c, T x, T y, int first, int second) where T : unmanaged, IVec<T>
    {
        T.StorePart(c, x, first);
        T.StorePart(c + T.Count, y, second);
    }

    [MethodImpl(HotCode.Optimized)]
    private static void AddOutliers(GemmBlock* g, CompactPanel panel, int column, int width)
    {
        var stand = BitConverter.Int32BitsToSingle(panel.Exponent << 23);
        for (var o = panel.List; o < panel.EndList; o++)
        {
            var (k, lane) = Math.DivRem((uint)o->Index, (uint)width);
            if (k >= g->K || lane >= g->Column1 - column) continue;
            for (nint row = g->Row0; row < g->Row1; row++)
            {
                var c = g->C + row * g->Ldc + column + lane;
                var factor = g->A[row * g->ARowStride + (nint)k * g->AColumnStride];
                // An infinite factor made the sum infinite already, with the right sign.
                if (float.IsFinite(factor)) *c = float.FusedMultiplyAdd(factor, -float.CopySign(stand, o->Value), *c);
                *c = float.FusedMultiplyAdd(factor, o->Value, *c);
            }
        }
    }

    /// <summary>Brings bytes on their way; at most seven lines.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static void AskFor(byte* p, int bytes)
    {
        if (!Sse.IsSupported) return;
        Sse.Prefetch0(p);
        if (bytes > 64) Sse.Prefetch0(p + 64);
        if (bytes > 128) Sse.Prefetch0(p + 128);
        if (bytes > 192) Sse.Prefetch0(p + 192);
        if (bytes > 256) Sse.Prefetch0(p + 256);
        if (bytes > 320) Sse.Prefetch0(p + 320);
        if (bytes > 384) Sse.Prefetch0(p + 384);
    }

    /// <summary>How many rows at once.</summary>
    private interface IRows
    {
        static abstract int Count { get; }
    }

    private readonly struct Rows1 : IRows
    {
        public static int Count => 1;
    }

    private readonly struct Rows2 : IRows
    {
        public static int Count => 2;
    }

    private readonly struct Rows4 : IRows
    {
        public static int Count => 4;
    }

    private readonly struct Rows8 : IRows
    {
        public static int Count => 8;
    }
}
