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
            if (take == 4) Sum<T, Four>(g, b, panel, c, last);
            else if (take == 3) Sum<T, Three>(g, b, panel, c, last);
            else if (take == 2) Sum<T, Two>(g, b, panel, c, last);
            else Sum<T, One>(g, b, panel, c, last);
        }
        GemvTable.Conclude(g);
    }

    /// <summary>Some panels side by side; of the last one, so many columns.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Sum<T, TPanels>(GemmBlock* g, float* b, nint panel, float* c, int last) where T : unmanaged, IVec<T> where TPanels : struct, IPanels
    {
        float* a = g->A, q = b + panel, r = q + panel, s = r + panel, end = q;
        T b0 = T.Zero, b1 = T.Zero, q0 = T.Zero, q1 = T.Zero, r0 = T.Zero, r1 = T.Zero, s0 = T.Zero, s1 = T.Zero;
        var step = g->AColumnStride;
        for (; b < end; b += 2 * T.Count)
        {
            var v = T.Set(*a);
            a += step;
            b0 = T.FmaLoad(v, b, b0);
            b1 = T.FmaLoad(v, b + T.Count, b1);
            if (TPanels.Count > 1)
            {
                q0 = T.FmaLoad(v, q, q0);
                q1 = T.FmaLoad(v, q + T.Count, q1);
                q += 2 * T.Count;
            }
            if (TPanels.Count > 2)
            {
                r0 = T.FmaLoad(v, r, r0);
                r1 = T.FmaLoad(v, r + T.Count, r1);
                r += 2 * T.Count;
            }
            if (TPanels.Count > 3)
            {
                s0 = T.FmaLoad(v, s, s0);
                s1 = T.FmaLoad(v, s + T.Count, s1);
                s += 2 * T.Count;
            }
        }
        Store(c, b0, b1, TPanels.Count == 1, last);
        if (TPanels.Count > 1) Store(c + 2 * T.Count, q0, q1, TPanels.Count == 2, last);
        if (TPanels.Count > 2) Store(c + 4 * T.Count, r0, r1, TPanels.Count == 3, last);
        if (TPanels.Count > 3) Store(c + 6 * T.Count, s0, s1, true, last);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Store<T>(float* c, T x, T y, bool isLast, int last) where T : unmanaged, IVec<T>
    {
        if (isLast)
        {
            T.StorePart(c, x, Math.Min(last, T.Count));
            T.StorePart(c + T.Count, y, Math.Max(last - T.Count, 0));
        }
        else
        {
            T.Store(c, x);
            T.Store(c + T.Count, y);
        }
    }

    /// <summary>How many panels at once.</summary>
    private interface IPanels
    {
        static abstract int Count { get; }
    }

    private readonly struct One : IPanels
    {
        public static int Count => 1;
    }

    private readonly struct Two : IPanels
    {
        public static int Count => 2;
    }

    private readonly struct Three : IPanels
    {
        public static int Count => 3;
    }

    private readonly struct Four : IPanels
    {
        public static int Count => 4;
    }
}
