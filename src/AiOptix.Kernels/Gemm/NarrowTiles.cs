using System.Runtime.CompilerServices;
using AiOptix.Kernels.Vectors;

namespace AiOptix.Kernels.Gemm;

/// <summary>
/// Micro-kernels one vector wide, for the right edge of a matrix.
/// Accumulators (rows × vectors) live in registers for the whole of K; each step loads the vectors of B once and broadcasts one element of A a
/// row. Every product is added in the order of k with one fused rounding, so every tile shape gives the same bits. Whole tiles only: a partial
/// tile is computed into the spill area and copied by the epilogue.
/// </summary>
internal static unsafe class NarrowTiles
{
    /// <summary>12 rows by 1 vector.</summary>
    [MethodImpl(HotCode.Optimized)]
    public static void Tile12x1<T>(GemmTile* t) where T : unmanaged, IVec<T>
    {
        float* a = t->A, b = t->B, c = t->C;
        nint lda = t->AStride, ldb = t->BStride, ldc = t->Ldc;
        T c0x = T.Zero;
        T c1x = T.Zero;
        T c2x = T.Zero;
        T c3x = T.Zero;
        T c4x = T.Zero;
        T c5x = T.Zero;
        T c6x = T.Zero;
        T c7x = T.Zero;
        T c8x = T.Zero;
        T c9x = T.Zero;
        T c10x = T.Zero;
        T c11x = T.Zero;
        if (t->Accumulate)
        {
            c0x = T.Load(c);
            c1x = T.Load(c + ldc);
            c2x = T.Load(c + 2 * ldc);
            c3x = T.Load(c + 3 * ldc);
            c4x = T.Load(c + 4 * ldc);
            c5x = T.Load(c + 5 * ldc);
            c6x = T.Load(c + 6 * ldc);
            c7x = T.Load(c + 7 * ldc);
            c8x = T.Load(c + 8 * ldc);
            c9x = T.Load(c + 9 * ldc);
            c10x = T.Load(c + 10 * ldc);
            c11x = T.Load(c + 11 * ldc);
        }
        for (var k = t->K; k > 0; k--)
        {
            var x = T.Load(b);
            var a0 = T.Set(a[0]); c0x = T.Fma(a0, x, c0x);
            var a1 = T.Set(a[1]); c1x = T.Fma(a1, x, c1x);
            var a2 = T.Set(a[2]); c2x = T.Fma(a2, x, c2x);
            var a3 = T.Set(a[3]); c3x = T.Fma(a3, x, c3x);
            var a4 = T.Set(a[4]); c4x = T.Fma(a4, x, c4x);
            var a5 = T.Set(a[5]); c5x = T.Fma(a5, x, c5x);
            var a6 = T.Set(a[6]); c6x = T.Fma(a6, x, c6x);
            var a7 = T.Set(a[7]); c7x = T.Fma(a7, x, c7x);
            var a8 = T.Set(a[8]); c8x = T.Fma(a8, x, c8x);
            var a9 = T.Set(a[9]); c9x = T.Fma(a9, x, c9x);
            var a10 = T.Set(a[10]); c10x = T.Fma(a10, x, c10x);
            var a11 = T.Set(a[11]); c11x = T.Fma(a11, x, c11x);
            a += lda;
            b += ldb;
        }
        T.Store(c, c0x);
        T.Store(c + ldc, c1x);
        T.Store(c + 2 * ldc, c2x);
        T.Store(c + 3 * ldc, c3x);
        T.Store(c + 4 * ldc, c4x);
        T.Store(c + 5 * ldc, c5x);
        T.Store(c + 6 * ldc, c6x);
        T.Store(c + 7 * ldc, c7x);
        T.Store(c + 8 * ldc, c8x);
        T.Store(c + 9 * ldc, c9x);
        T.Store(c + 10 * ldc, c10x);
        T.Store(c + 11 * ldc, c11x);
    }

    /// <summary>8 rows by 1 vector.</summary>
    [MethodImpl(HotCode.Optimized)]
    public static void Tile8x1<T>(GemmTile* t) where T : unmanaged, IVec<T>
    {
        float* a = t->A, b = t->B, c = t->C;
        nint lda = t->AStride, ldb = t->BStride, ldc = t->Ldc;
        T c0x = T.Zero;
        T c1x = T.Zero;
        T c2x = T.Zero;
        T c3x = T.Zero;
        T c4x = T.Zero;
        T c5x = T.Zero;
        T c6x = T.Zero;
        T c7x = T.Zero;
        if (t->Accumulate)
        {
            c0x = T.Load(c);
            c1x = T.Load(c + ldc);
            c2x = T.Load(c + 2 * ldc);
            c3x = T.Load(c + 3 * ldc);
            c4x = T.Load(c + 4 * ldc);
            c5x = T.Load(c + 5 * ldc);
            c6x = T.Load(c + 6 * ldc);
            c7x = T.Load(c + 7 * ldc);
        }
        for (var k = t->K; k > 0; k--)
        {
            var x = T.Load(b);
            var a0 = T.Set(a[0]); c0x = T.Fma(a0, x, c0x);
            var a1 = T.Set(a[1]); c1x = T.Fma(a1, x, c1x);
            var a2 = T.Set(a[2]); c2x = T.Fma(a2, x, c2x);
            var a3 = T.Set(a[3]); c3x = T.Fma(a3, x, c3x);
            var a4 = T.Set(a[4]); c4x = T.Fma(a4, x, c4x);
            var a5 = T.Set(a[5]); c5x = T.Fma(a5, x, c5x);
            var a6 = T.Set(a[6]); c6x = T.Fma(a6, x, c6x);
            var a7 = T.Set(a[7]); c7x = T.Fma(a7, x, c7x);
            a += lda;
            b += ldb;
        }
        T.Store(c, c0x);
        T.Store(c + ldc, c1x);
        T.Store(c + 2 * ldc, c2x);
        T.Store(c + 3 * ldc, c3x);
        T.Store(c + 4 * ldc, c4x);
        T.Store(c + 5 * ldc, c5x);
        T.Store(c + 6 * ldc, c6x);
        T.Store(c + 7 * ldc, c7x);
    }

    /// <summary>6 rows by 1 vector.</summary>
    [MethodImpl(HotCode.Optimized)]
    public static void Tile6x1<T>(GemmTile* t) where T : unmanaged, IVec<T>
    {
        float* a = t->A, b = t->B, c = t->C;
        nint lda = t->AStride, ldb = t->BStride, ldc = t->Ldc;
        T c0x = T.Zero;
        T c1x = T.Zero;
        T c2x = T.Zero;
        T c3x = T.Zero;
        T c4x = T.Zero;
        T c5x = T.Zero;
        if (t->Accumulate)
        {
            c0x = T.Load(c);
            c1x = T.Load(c + ldc);
            c2x = T.Load(c + 2 * ldc);
            c3x = T.Load(c + 3 * ldc);
            c4x = T.Load(c + 4 * ldc);
            c5x = T.Load(c + 5 * ldc);
        }
        for (var k = t->K; k > 0; k--)
        {
            var x = T.Load(b);
            var a0 = T.Set(a[0]); c0x = T.Fma(a0, x, c0x);
            var a1 = T.Set(a[1]); c1x = T.Fma(a1, x, c1x);
            var a2 = T.Set(a[2]); c2x = T.Fma(a2, x, c2x);
            var a3 = T.Set(a[3]); c3x = T.Fma(a3, x, c3x);
            var a4 = T.Set(a[4]); c4x = T.Fma(a4, x, c4x);
            var a5 = T.Set(a[5]); c5x = T.Fma(a5, x, c5x);
            a += lda;
            b += ldb;
        }
        T.Store(c, c0x);
        T.Store(c + ldc, c1x);
        T.Store(c + 2 * ldc, c2x);
        T.Store(c + 3 * ldc, c3x);
        T.Store(c + 4 * ldc, c4x);
        T.Store(c + 5 * ldc, c5x);
    }

    /// <summary>4 rows by 1 vector.</summary>
    [MethodImpl(HotCode.Optimized)]
    public static void Tile4x1<T>(GemmTile* t) where T : unmanaged, IVec<T>
    {
        float* a = t->A, b = t->B, c = t->C;
        nint lda = t->AStride, ldb = t->BStride, ldc = t->Ldc;
        T c0x = T.Zero;
        T c1x = T.Zero;
        T c2x = T.Zero;
        T c3x = T.Zero;
        if (t->Accumulate)
        {
            c0x = T.Load(c);
            c1x = T.Load(c + ldc);
            c2x = T.Load(c + 2 * ldc);
            c3x = T.Load(c + 3 * ldc);
        }
        for (var k = t->K; k > 0; k--)
        {
            var x = T.Load(b);
            var a0 = T.Set(a[0]); c0x = T.Fma(a0, x, c0x);
            var a1 = T.Set(a[1]); c1x = T.Fma(a1, x, c1x);
            var a2 = T.Set(a[2]); c2x = T.Fma(a2, x, c2x);
            var a3 = T.Set(a[3]); c3x = T.Fma(a3, x, c3x);
            a += lda;
            b += ldb;
        }
        T.Store(c, c0x);
        T.Store(c + ldc, c1x);
        T.Store(c + 2 * ldc, c2x);
        T.Store(c + 3 * ldc, c3x);
    }

    /// <summary>1 rows by 1 vector.</summary>
    [MethodImpl(HotCode.Optimized)]
    public static void Tile1x1<T>(GemmTile* t) where T : unmanaged, IVec<T>
    {
        float* a = t->A, b = t->B, c = t->C;
        nint lda = t->AStride, ldb = t->BStride, ldc = t->Ldc;
        T c0x = T.Zero;
        if (t->Accumulate)
        {
            c0x = T.Load(c);
        }
        for (var k = t->K; k > 0; k--)
        {
            var x = T.Load(b);
            var a0 = T.Set(a[0]); c0x = T.Fma(a0, x, c0x);
            a += lda;
            b += ldb;
        }
        T.Store(c, c0x);
    }
}
