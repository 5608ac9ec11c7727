using System.Runtime.CompilerServices;
using AiOptix.Kernels.Vectors;

namespace AiOptix.Kernels.Gemm;

/// <summary>
/// A single row times panels of two vectors. Four panels go side by side over the whole of K: their eight sums stay in registers, and memory is read as four streams, of
/// which one core draws markedly more than of one. Sums run in the order of k.
/// </summary>
internal static unsafe class GemvPanels
{
    /// <summary>The columns of a block; B in panels, A at any stride.</summary>
    [MethodImpl(HotCode.Optimized)]
    public static void Run<T>(GemmBlock* g) where T : unmanaged, IVec<T>
    {
        var width = 2 * T.Count;
        var c = g->C + g->Column0;
        var b = g->BPanels + g->Column0 * g->K;
        var panel = g->K * width;
        var left = g->Column1 - g->Column0;
        for (; left >= 4 * width; left -= 4 * width)
        {
            Four<T>(g, b, panel, c);
            b += 4 * panel;
            c += 4 * width;
        }
        if (left >= 2 * width)
        {
            Two<T>(g, b, panel, c);
            b += 2 * panel;
            c += 2 * width;
            left -= 2 * width;
        }
        for (; left > 0; left -= width)
        {
            One<T>(g, b, c, Math.Min(left, width));
            b += panel;
            c += width;
        }
        GemvTable.Conclude(g);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Four<T>(GemmBlock* g, float* b, nint panel, float* c) where T : unmanaged, IVec<T>
    {
        float* a = g->A, q = b + panel, r = q + panel, s = r + panel, end = b + panel;
        T b0 = T.Zero, b1 = T.Zero, q0 = T.Zero, q1 = T.Zero, r0 = T.Zero, r1 = T.Zero, s0 = T.Zero, s1 = T.Zero;
        var step = g->AColumnStride;
        while (b < end)
        {
            var v = T.Set(*a);
            b0 = T.Fma(v, T.Load(b), b0);
            b1 = T.Fma(v, T.Load(b + T.Count), b1);
            q0 = T.Fma(v, T.Load(q), q0);
            q1 = T.Fma(v, T.Load(q + T.Count), q1);
            r0 = T.Fma(v, T.Load(r), r0);
            r1 = T.Fma(v, T.Load(r + T.Count), r1);
            s0 = T.Fma(v, T.Load(s), s0);
            s1 = T.Fma(v, T.Load(s + T.Count), s1);
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
        T.Store(c + 6 * T.Count, s0);
        T.Store(c + 7 * T.Count, s1);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Two<T>(GemmBlock* g, float* b, nint panel, float* c) where T : unmanaged, IVec<T>
    {
        float* a = g->A, q = b + panel, end = q;
        T b0 = T.Zero, b1 = T.Zero, q0 = T.Zero, q1 = T.Zero;
        var step = g->AColumnStride;
        while (b < end)
        {
            var v = T.Set(*a);
            b0 = T.Fma(v, T.Load(b), b0);
            b1 = T.Fma(v, T.Load(b + T.Count), b1);
            q0 = T.Fma(v, T.Load(q), q0);
            q1 = T.Fma(v, T.Load(q + T.Count), q1);
            a += step;
            b += 2 * T.Count;
            q += 2 * T.Count;
        }
        T.Store(c, b0);
        T.Store(c + T.Count, b1);
        T.Store(c + 2 * T.Count, q0);
        T.Store(c + 3 * T.Count, q1);
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
            b0 = T.Fma(v, T.Load(b), b0);
            b1 = T.Fma(v, T.Load(b + T.Count), b1);
            a += step;
        }
        T.StorePart(c, b0, Math.Min(columns, T.Count));
        T.StorePart(c + T.Count, b1, Math.Max(columns - T.Count, 0));
    }
}
