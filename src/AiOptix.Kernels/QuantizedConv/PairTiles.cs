using System.Runtime.CompilerServices;
using AiOptix.Kernels.Jit;

namespace AiOptix.Kernels.QuantizedConv;

/// <summary>
/// The product tile without generated code: up to 4 rows by 2 vectors, whose sums live in registers for all terms. Steps and B as with <see cref="DotMethod.Pairs"/>; columns lie in their order.
/// Rows beyond the tile's are computed as its first one and not stored.
/// </summary>
internal static unsafe class PairTiles
{
    /// <summary>Rows.</summary>
    public const int Height = 4;

    [MethodImpl(HotCode.Optimized)]
    public static void Run<T>(DotArguments* t) where T : unmanaged, IPairs<T>
    {
        var sums = stackalloc int[Height * 2 * T.Count];
        var flip = t->Form.IsFlipped ? t->Flip : 0;
        for (; t->Tiles > 0; t->Tiles--)
        {
            if (t->Form.IsColumnwise)
                for (var row = 0; row < t->Rows; row++) Columnwise<T>(t, flip, row, sums + row * 2 * T.Count);
            else Rowwise<T>(t, flip, sums);
            for (var row = 0; row < t->Rows; row++)
            {
                var to = t->C + row * t->CStride;
                for (var c = 0; c < t->Columns; c++) QuantizedStore.Put(t, sums[row * 2 * T.Count + c], c, to);
            }
            t->A += t->ATile;
            t->C += t->CTile;
        }
    }

    [MethodImpl(HotCode.Optimized)]
    private static void Rowwise<T>(DotArguments* t, uint flip, int* sums) where T : unmanaged, IPairs<T>
    {
        T c00 = T.Load(t->Bias), c01 = T.Load(t->Bias + T.Count), c10 = c00, c11 = c01, c20 = c00, c21 = c01, c30 = c00, c31 = c01;
        var b = (int*)t->B;
        nint second = t->Rows > 1 ? t->AStride : 0, third = t->Rows > 2 ? 2 * t->AStride : 0, fourth = t->Rows > 3 ? 3 * t->AStride : 0;
        for (nint piece = 0; piece < t->Pieces; piece++)
        {
            var a = t->A + t->Offsets[piece];
            for (var step = t->Steps; step > 0; step--, a += 4, b += 4 * T.Count)
            {
                T x0 = T.Load(b), x1 = T.Load(b + T.Count), y0 = T.Load(b + 2 * T.Count), y1 = T.Load(b + 3 * T.Count);
                var quad = T.Broadcast(*(uint*)a);
                T even = T.Even(quad, flip), odd = T.Odd(quad, flip);
                (c00, c01) = (T.MultiplyAdd(T.MultiplyAdd(c00, even, x0), odd, y0), T.MultiplyAdd(T.MultiplyAdd(c01, even, x1), odd, y1));
                quad = T.Broadcast(*(uint*)(a + second));
                (even, odd) = (T.Even(quad, flip), T.Odd(quad, flip));
                (c10, c11) = (T.MultiplyAdd(T.MultiplyAdd(c10, even, x0), odd, y0), T.MultiplyAdd(T.MultiplyAdd(c11, even, x1), odd, y1));
                quad = T.Broadcast(*(uint*)(a + third));
                (even, odd) = (T.Even(quad, flip), T.Odd(quad, flip));
                (c20, c21) = (T.MultiplyAdd(T.MultiplyAdd(c20, even, x0), odd, y0), T.MultiplyAdd(T.MultiplyAdd(c21, even, x1), odd, y1));
                quad = T.Broadcast(*(uint*)(a + fourth));
                (even, odd) = (T.Even(quad, flip), T.Odd(quad, flip));
                (c30, c31) = (T.MultiplyAdd(T.MultiplyAdd(c30, even, x0), odd, y0), T.MultiplyAdd(T.MultiplyAdd(c31, even, x1), odd, y1));
            }
        }
        T.Store(sums, c00);
        T.Store(sums + T.Count, c01);
        T.Store(sums + 2 * T.Count, c10);
        T.Store(sums + 3 * T.Count, c11);
        T.Store(sums + 4 * T.Count, c20);
        T.Store(sums + 5 * T.Count, c21);
        T.Store(sums + 6 * T.Count, c30);
        T.Store(sums + 7 * T.Count, c31);
    }

    [MethodImpl(HotCode.Optimized)]
    private static void Columnwise<T>(DotArguments* t, uint flip, int row, int* sums) where T : unmanaged, IPairs<T>
    {
        T c0 = T.Load(t->Bias), c1 = T.Load(t->Bias + T.Count);
        for (nint piece = 0; piece < t->Pieces; piece++)
        {
            var a = (int*)(t->A + t->Offsets[2 * piece] + row * t->AStride);
            var b = (int*)(t->B + t->Offsets[2 * piece + 1]);
            T x = T.Load(a), y = T.Load(a + T.Count);
            c0 = T.MultiplyAdd(T.MultiplyAdd(c0, T.Even(x, flip), T.Load(b)), T.Odd(x, flip), T.Load(b + 2 * T.Count));
            c1 = T.MultiplyAdd(T.MultiplyAdd(c1, T.Even(y, flip), T.Load(b + T.Count)), T.Odd(y, flip), T.Load(b + 3 * T.Count));
        }
        T.Store(sums, c0);
        T.Store(sums + T.Count, c1);
    }
}
