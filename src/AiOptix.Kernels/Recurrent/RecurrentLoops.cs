using System.Runtime.CompilerServices;
using AiOptix.Kernels.Vectors;

namespace AiOptix.Kernels.Recurrent;

/// <summary>
/// The arithmetic of cells between their products and functions, each over n contiguous elements of one state; whole vectors, then the rest. A result may lie in place of an operand.
/// </summary>
internal static unsafe class RecurrentLoops
{
    /// <summary>y = clip(x + r).</summary>
    [MethodImpl(HotCode.Optimized)]
    public static void Sum<T>(float* x, float* r, float* y, int n, float clip) where T : unmanaged, IVec<T>
    {
        for (var i = 0; i < n; i += T.Count) Put(y, i, n, Clip(Get<T>(x, i, n) + Get<T>(r, i, n), clip));
    }

    /// <summary>y = clip(x + r + p∘c).</summary>
    [MethodImpl(HotCode.Optimized)]
    public static void Peephole<T>(float* x, float* r, float* p, float* c, float* y, int n, float clip) where T : unmanaged, IVec<T>
    {
        for (var i = 0; i < n; i += T.Count) Put(y, i, n, Clip(T.Fma(Get<T>(p, i, n), Get<T>(c, i, n), Get<T>(x, i, n) + Get<T>(r, i, n)), clip));
    }

    /// <summary>y = clip(x + reset∘(r + bias)); no bias where it is null.</summary>
    [MethodImpl(HotCode.Optimized)]
    public static void Candidate<T>(float* x, float* reset, float* r, float* bias, float* y, int n, float clip) where T : unmanaged, IVec<T>
    {
        for (var i = 0; i < n; i += T.Count)
        {
            var sum = bias == null ? Get<T>(r, i, n) : Get<T>(r, i, n) + Get<T>(bias, i, n);
            Put(y, i, n, Clip(T.Fma(Get<T>(reset, i, n), sum, Get<T>(x, i, n)), clip));
        }
    }

    /// <summary>c = f∘c + i∘g, y = clip(c); f is 1 − i where it is null.</summary>
    [MethodImpl(HotCode.Optimized)]
    public static void Cell<T>(float* input, float* forget, float* candidate, float* c, float* y, int n, float clip) where T : unmanaged, IVec<T>
    {
        for (var i = 0; i < n; i += T.Count)
        {
            var a = Get<T>(input, i, n);
            var f = forget == null ? T.Set(1f) - a : Get<T>(forget, i, n);
            var next = T.Fma(f, Get<T>(c, i, n), a * Get<T>(candidate, i, n));
            Put(c, i, n, next);
            Put(y, i, n, Clip(next, clip));
        }
    }

    /// <summary>y = a∘b.</summary>
    [MethodImpl(HotCode.Optimized)]
    public static void Product<T>(float* a, float* b, float* y, int n) where T : unmanaged, IVec<T>
    {
        for (var i = 0; i < n; i += T.Count) Put(y, i, n, Get<T>(a, i, n) * Get<T>(b, i, n));
    }

    /// <summary>h = candidate + z∘(h − candidate).</summary>
    [MethodImpl(HotCode.Optimized)]
    public static void Blend<T>(float* z, float* candidate, float* h, int n) where T : unmanaged, IVec<T>
    {
        for (var i = 0; i < n; i += T.Count)
        {
            var v = Get<T>(candidate, i, n);
            Put(h, i, n, T.Fma(Get<T>(z, i, n), Get<T>(h, i, n) - v, v));
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static T Clip<T>(T v, float clip) where T : unmanaged, IVec<T> => T.MinOr(T.Set(clip), T.MaxOr(T.Set(-clip), v));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static T Get<T>(float* p, int i, int n) where T : unmanaged, IVec<T> => n - i >= T.Count ? T.Load(p + i) : T.LoadPart(p + i, n - i);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Put<T>(float* p, int i, int n, T v) where T : unmanaged, IVec<T>
    {
        if (n - i >= T.Count) T.Store(p + i, v);
        else T.StorePart(p + i, v, n - i);
    }
}
