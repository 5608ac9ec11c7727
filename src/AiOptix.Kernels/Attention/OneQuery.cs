using System.Runtime.CompilerServices;
using AiOptix.Kernels.Vectors;

namespace AiOptix.Kernels.Attention;

/// <summary>
/// The two products of a single query, as a decoder with a cache asks for them: keys and values are read once, in place, along memory. A score is kept in
/// sixteen partial sums, so every vector width gives the same bits; the lanes of the result do not meet.
/// </summary>
internal static unsafe class OneQuery
{
    /// <summary>scores[j] = q · k[j]; four keys at a time.</summary>
    [MethodImpl(HotCode.Optimized)]
    public static void Dots<T>(float* q, float* k, nint step, int width, int keys, float* scores) where T : unmanaged, IVec<T>
    {
        var whole = width - width % T.Count;
        var j = 0;
        for (; j <= keys - 4; j += 4)
        {
            T a = T.Zero, b = T.Zero, c = T.Zero, d = T.Zero;
            float* k1 = k + step, k2 = k1 + step, k3 = k2 + step;
            for (var i = 0; i < whole; i += T.Count)
            {
                var v = T.Load(q + i);
                a = T.FmaLoad(v, k + i, a);
                b = T.FmaLoad(v, k1 + i, b);
                c = T.FmaLoad(v, k2 + i, c);
                d = T.FmaLoad(v, k3 + i, d);
            }
            if (whole < width)
            {
                var v = T.LoadPart(q + whole, width - whole);
                a = T.Fma(v, T.LoadPart(k + whole, width - whole), a);
                b = T.Fma(v, T.LoadPart(k1 + whole, width - whole), b);
                c = T.Fma(v, T.LoadPart(k2 + whole, width - whole), c);
                d = T.Fma(v, T.LoadPart(k3 + whole, width - whole), d);
            }
            scores[j] = T.Sum(a);
            scores[j + 1] = T.Sum(b);
            scores[j + 2] = T.Sum(c);
            scores[j + 3] = T.Sum(d);
            k += 4 * step;
        }
        for (; j < keys; j++)
        {
            var a = T.Zero;
            for (var i = 0; i < whole; i += T.Count) a = T.Fma(T.Load(q + i), T.Load(k + i), a);
            if (whole < width) a = T.Fma(T.LoadPart(q + whole, width - whole), T.LoadPart(k + whole, width - whole), a);
            scores[j] = T.Sum(a);
            k += step;
        }
    }

    /// <summary>y = Σ weights[j] · v[j], in the order of j; four vectors of the result stay in registers.</summary>
    [MethodImpl(HotCode.Optimized)]
    public static void Mix<T>(float* weights, float* v, nint step, int width, int keys, float* y) where T : unmanaged, IVec<T>
    {
        var i = 0;
        for (; i <= width - 4 * T.Count; i += 4 * T.Count)
        {
            T a = T.Zero, b = T.Zero, c = T.Zero, d = T.Zero;
            var p = v + i;
            for (var j = 0; j < keys; j++)
            {
                var w = T.Set(weights[j]);
                a = T.FmaLoad(w, p, a);
                b = T.FmaLoad(w, p + T.Count, b);
                c = T.FmaLoad(w, p + 2 * T.Count, c);
                d = T.FmaLoad(w, p + 3 * T.Count, d);
                p += step;
            }
            T.Store(y + i, a);
            T.Store(y + i + T.Count, b);
            T.Store(y + i + 2 * T.Count, c);
            T.Store(y + i + 3 * T.Count, d);
        }
        for (; i < width; i += T.Count)
        {
            var part = Math.Min(T.Count, width - i);
            var a = T.Zero;
            var p = v + i;
            for (var j = 0; j < keys; j++)
            {
                a = T.Fma(T.Set(weights[j]), part == T.Count ? T.Load(p) : T.LoadPart(p, part), a);
                p += step;
            }
            T.StorePart(y + i, a, part);
        }
    }
}
