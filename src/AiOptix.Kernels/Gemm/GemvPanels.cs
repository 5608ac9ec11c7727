using System.Runtime.CompilerServices;
using AiOptix.Kernels.Vectors;

namespace AiOptix.Kernels.Gemm;

/// <summary>
/// A single row times panels of two vectors. Four panels go side by side over the whole of K: their eight sums stay in registers, and memory is read as four streams, of
/// which one core draws markedly more than of one. Sums run in the order of k.
/// </summary>
internal static unsafe class GemvPanels
{
    /// <summary>The columns of a block; B in panels, A at any stride. A single panel by itself would wait for its two sums: five are three and two.</summary>
    [MethodImpl(HotCode.Optimized)]
    public static void Run<T>(GemmBlock* g) where T : unmanaged, IVec<T>
    {
        var width = 2 * T.Count;
        var panel = g->K * width;
        var panels = (g->Column1 - g->Column0 + width - 1) / width;
        int take;
        for (var left = panels; left > 0; left -= take)
        {
            take = left == 5 ? 3 : Math.Min(left, 4);
            var first = g->Backwards ? left - take : panels - left;
            var b = g->BPanels + (nint)g->Column0 * g->K + first * panel;
            var c = g->C + g->Column0 + first * width;
            var last = Math.Min(width, g->Column1 - g->Column0 - (first + take - 1) * width);
            if (take == 4) Four<T>(g, b, panel, c, last);
            else if (take == 3) Three<T>(g, b, panel, c, last);
            else if (take == 2) Two<T>(g, b, panel, c, last);
            else One<T>(g, b, c, last);
        }
        GemvTable.Conclude(g);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Four<T>(GemmBlock* g, float* b, nint panel, float* c, int last) where T : unmanaged, IVec<T>
    {
        float* a = g->A, q = b + panel, r = q + panel, s = r + panel, end = b + panel;
        T b0 = T.Zero, b1 = T.Zero, q0 = T.Zero, q1 = T.Zero, r0 = T.Zero, r1 = T.Zero, s0 = T.Zero, s1 = T.Zero;
        var step = g->AColumnStride;
        while (b < end)
        {
            var v = T.Set(*a);
            b0 = T.FmaLoad(v, b, b0);
            b1 = T.FmaLoad(v, b + T.Count, b1);
            q0 = T.FmaLoad(v, q, q0);
            q1 = T.FmaLoad(v, q + T.Count, q1);
            r0 = T.FmaLoad(v, r, r0);
            r1 = T.FmaLoad(v, r + T.Count, r1);
            s0 = T.FmaLoad(v, s, s0);
            s1 = T.FmaLoad(v, s + T.Count, s1);
            a += step;
            b += 2 * T.Count;
            q += 2 * T.Count;
            r += 2 * T.Count;
            s += 2 * T.Count;
        }
        T.Store(c, b0);
        T.Store(c + T.Count, b1);
        T.Store(c + 2 * T.Count, q0);
        T.Store(c + 3 * T.Count, q1);
        T.Store(c + 4 * T.Count, r0);
        T.Store(c + 5 * T.Count, r1);
        StoreLast(c + 6 * T.Count, s0, s1, last);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Three<T>(GemmBlock* g, float* b, nint panel, float* c, int last) where T : unmanaged, IVec<T>
    {
        float* a = g->A, q = b + panel, r = q + panel, end = b + panel;
        T b0 = T.Zero, b1 = T.Zero, q0 = T.Zero, q1 = T.Zero, r0 = T.Zero, r1 = T.Zero;
        var step = g->AColumnStride;
        while (b < end)
        {
            var v = T.Set(*a);
            b0 = T.FmaLoad(v, b, b0);
            b1 = T.FmaLoad(v, b + T.Count, b1);
            q0 = T.FmaLoad(v, q, q0);
            q1 = T.FmaLoad(v, q + T.Count, q1);
            r0 = T.FmaLoad(v, r, r0);
            r1 = T.FmaLoad(v, r + T.Count, r1);
            a += step;
            b += 2 * T.Count;
            q += 2 * T.Count;
            r += 2 * T.Count;
        }
        T.Store(c, b0);
        T.Store(c + T.Count, b1);
        T.Store(c + 2 * T.Count, q0);
        T.Store(c + 3 * T.Count, q1);
        StoreLast(c + 4 * T.Count, r0, r1, last);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Two<T>(GemmBlock* g, float* b, nint panel, float* c, int last) where T : unmanaged, IVec<T>
    {
        float* a = g->A, q = b + panel, end = q;
        T b0 = T.Zero, b1 = T.Zero, q0 = T.Zero, q1 = T.Zero;
        var step = g->AColumnStride;
        while (b < end)
        {
            var v = T.Set(*a);
            b0 = T.FmaLoad(v, b, b0);
            b1 = T.FmaLoad(v, b + T.Count, b1);
            q0 = T.FmaLoad(v, q, q0);
            q1 = T.FmaLoad(v, q + T.Count, q1);
            a += step;
            b += 2 * T.Count;
            q += 2 * T.Count;
        }
        T.Store(c, b0);
        T.Store(c + T.Count, b1);
        StoreLast(c + 2 * T.Count, q0, q1, last);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static void One<T>(GemmBlock* g, float* b, float* c, int columns) where T : unmanaged, IVec<T>
    {
        float* a = g->A, end = b + g->K * 2 * T.Count;
        T b0 = T.Zero, b1 = T.Zero;
        var step = g->AColumnStride;
        for (; b < end; b += 2 * T.Count)
        {
            var v = T.Set(*a);
            b0 = T.FmaLoad(v, b, b0);
            b1 = T.FmaLoad(v, b + T.Count, b1);
            a += step;
        }
        StoreLast(c, b0, b1, columns);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void StoreLast<T>(float* c, T x, T y, int columns) where T : unmanaged, IVec<T>
    {
        T.StorePart(c, x, Math.Min(columns, T.Count));
        T.StorePart(c + T.Count, y, Math.Max(columns - T.Count, 0));
    }
}
