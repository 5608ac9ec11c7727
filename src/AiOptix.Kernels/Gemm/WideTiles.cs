using System.Runtime.CompilerServices;
using AiOptix.Kernels.Vectors;

namespace AiOptix.Kernels.Gemm;

/// <summary>
/// Micro-kernels two vectors wide.
/// Accumulators (rows × vectors) live in registers for the whole of K; each step loads the vectors of B once and broadcasts one element of A a
/// row. Every product is added in the order of k with one fused rounding, so every tile shape gives the same bits. Whole tiles only: a partial
/// tile is computed into the spill area and copied by the epilogue.
/// </summary>
internal static unsafe class WideTiles
{
    /// <summary>12 rows by 2 vectors.</summary>
    [MethodImpl(HotCode.Optimized)]
    public static void Tile12x2<T>(GemmTile* t) where T : unmanaged, IVec<T>
    {
        float* a = t->A, b = t->B, c = t->C;
        nint lda = t->AStride, ldb = t->BStride, ldc = t->Ldc;
        T c0x = T.Zero, c0y = T.Zero;
        T c1x = T.Zero, c1y = T.Zero;
        T c2x = T.Zero, c2y = T.Zero;
        T c3x = T.Zero, c3y = T.Zero;
        T c4x = T.Zero, c4y = T.Zero;
        T c5x = T.Zero, c5y = T.Zero;
        T c6x = T.Zero, c6y = T.Zero;
        T c7x = T.Zero, c7y = T.Zero;
        T c8x = T.Zero, c8y = T.Zero;
        T c9x = T.Zero, c9y = T.Zero;
        T c10x = T.Zero, c10y = T.Zero;
        T c11x = T.Zero, c11y = T.Zero;
        if (t->Accumulate)
        {
            c0x = T.Load(c); c0y = T.Load(c + T.Count);
            c1x = T.Load(c + ldc); c1y = T.Load(c + ldc + T.Count);
            c2x = T.Load(c + 2 * ldc); c2y = T.Load(c + 2 * ldc + T.Count);
            c3x = T.Load(c + 3 * ldc); c3y = T.Load(c + 3 * ldc + T.Count);
            c4x = T.Load(c + 4 * ldc); c4y = T.Load(c + 4 * ldc + T.Count);
            c5x = T.Load(c + 5 * ldc); c5y = T.Load(c + 5 * ldc + T.Count);
            c6x = T.Load(c + 6 * ldc); c6y = T.Load(c + 6 * ldc + T.Count);
            c7x = T.Load(c + 7 * ldc); c7y = T.Load(c + 7 * ldc + T.Count);
            c8x = T.Load(c + 8 * ldc); c8y = T.Load(c + 8 * ldc + T.Count);
            c9x = T.Load(c + 9 * ldc); c9y = T.Load(c + 9 * ldc + T.Count);
            c10x = T.Load(c + 10 * ldc); c10y = T.Load(c + 10 * ldc + T.Count);
            c11x = T.Load(c + 11 * ldc); c11y = T.Load(c + 11 * ldc + T.Count);
        }
        for (var k = t->K; k > 0; k--)
        {
            var x = T.Load(b);
            var y = T.Load(b + T.Count);
            var a0 = T.Set(a[0]); c0x = T.Fma(a0, x, c0x); c0y = T.Fma(a0, y, c0y);
            var a1 = T.Set(a[1]); c1x = T.Fma(a1, x, c1x); c1y = T.Fma(a1, y, c1y);
            var a2 = T.Set(a[2]); c2x = T.Fma(a2, x, c2x); c2y = T.Fma(a2, y, c2y);
            var a3 = T.Set(a[3]); c3x = T.Fma(a3, x, c3x); c3y = T.Fma(a3, y, c3y);
            var a4 = T.Set(a[4]); c4x = T.Fma(a4, x, c4x); c4y = T.Fma(a4, y, c4y);
            var a5 = T.Set(a[5]); c5x = T.Fma(a5, x, c5x); c5y = T.Fma(a5, y, c5y);
            var a6 = T.Set(a[6]); c6x = T.Fma(a6, x, c6x); c6y = T.Fma(a6, y, c6y);
            var a7 = T.Set(a[7]); c7x = T.Fma(a7, x, c7x); c7y = T.Fma(a7, y, c7y);
            var a8 = T.Set(a[8]); c8x = T.Fma(a8, x, c8x); c8y = T.Fma(a8, y, c8y);
            var a9 = T.Set(a[9]); c9x = T.Fma(a9, x, c9x); c9y = T.Fma(a9, y, c9y);
            var a10 = T.Set(a[10]); c10x = T.Fma(a10, x, c10x); c10y = T.Fma(a10, y, c10y);
            var a11 = T.Set(a[11]); c11x = T.Fma(a11, x, c11x); c11y = T.Fma(a11, y, c11y);
            a += lda;
            b += ldb;
        }
        T.Store(c, c0x); T.Store(c + T.Count, c0y);
        T.Store(c + ldc, c1x); T.Store(c + ldc + T.Count, c1y);
        T.Store(c + 2 * ldc, c2x); T.Store(c + 2 * ldc + T.Count, c2y);
        T.Store(c + 3 * ldc, c3x); T.Store(c + 3 * ldc + T.Count, c3y);
        T.Store(c + 4 * ldc, c4x); T.Store(c + 4 * ldc + T.Count, c4y);
        T.Store(c + 5 * ldc, c5x); T.Store(c + 5 * ldc + T.Count, c5y);
        T.Store(c + 6 * ldc, c6x); T.Store(c + 6 * ldc + T.Count, c6y);
        T.Store(c + 7 * ldc, c7x); T.Store(c + 7 * ldc + T.Count, c7y);
        T.Store(c + 8 * ldc, c8x); T.Store(c + 8 * ldc + T.Count, c8y);
        T.Store(c + 9 * ldc, c9x); T.Store(c + 9 * ldc + T.Count, c9y);
        T.Store(c + 10 * ldc, c10x); T.Store(c + 10 * ldc + T.Count, c10y);
        T.Store(c + 11 * ldc, c11x); T.Store(c + 11 * ldc + T.Count, c11y);
    }

    /// <summary>8 rows by 2 vectors.</summary>
    [MethodImpl(HotCode.Optimized)]
    public static void Tile8x2<T>(GemmTile* t) where T : unmanaged, IVec<T>
    {
        float* a = t->A, b = t->B, c = t->C;
        nint lda = t->AStride, ldb = t->BStride, ldc = t->Ldc;
        T c0x = T.Zero, c0y = T.Zero;
        T c1x = T.Zero, c1y = T.Zero;
        T c2x = T.Zero, c2y = T.Zero;
        T c3x = T.Zero, c3y = T.Zero;
        T c4x = T.Zero, c4y = T.Zero;
        T c5x = T.Zero, c5y = T.Zero;
        T c6x = T.Zero, c6y = T.Zero;
        T c7x = T.Zero, c7y = T.Zero;
        if (t->Accumulate)
        {
            c0x = T.Load(c); c0y = T.Load(c + T.Count);
            c1x = T.Load(c + ldc); c1y = T.Load(c + ldc + T.Count);
            c2x = T.Load(c + 2 * ldc); c2y = T.Load(c + 2 * ldc + T.Count);
            c3x = T.Load(c + 3 * ldc); c3y = T.Load(c + 3 * ldc + T.Count);
            c4x = T.Load(c + 4 * ldc); c4y = T.Load(c + 4 * ldc + T.Count);
            c5x = T.Load(c + 5 * ldc); c5y = T.Load(c + 5 * ldc + T.Count);
            c6x = T.Load(c + 6 * ldc); c6y = T.Load(c + 6 * ldc + T.Count);
            c7x = T.Load(c + 7 * ldc); c7y = T.Load(c + 7 * ldc + T.Count);
        }
        for (var k = t->K; k > 0; k--)
        {
            var x = T.Load(b);
            var y = T.Load(b + T.Count);
            var a0 = T.Set(a[0]); c0x = T.Fma(a0, x, c0x); c0y = T.Fma(a0, y, c0y);
            var a1 = T.Set(a[1]); c1x = T.Fma(a1, x, c1x); c1y = T.Fma(a1, y, c1y);
            var a2 = T.Set(a[2]); c2x = T.Fma(a2, x, c2x); c2y = T.Fma(a2, y, c2y);
            var a3 = T.Set(a[3]); c3x = T.Fma(a3, x, c3x); c3y = T.Fma(a3, y, c3y);
            var a4 = T.Set(a[4]); c4x = T.Fma(a4, x, c4x); c4y = T.Fma(a4, y, c4y);
            var a5 = T.Set(a[5]); c5x = T.Fma(a5, x, c5x); c5y = T.Fma(a5, y, c5y);
            var a6 = T.Set(a[6]); c6x = T.Fma(a6, x, c6x); c6y = T.Fma(a6, y, c6y);
            var a7 = T.Set(a[7]); c7x = T.Fma(a7, x, c7x); c7y = T.Fma(a7, y, c7y);
            a += lda;
            b += ldb;
        }
        T.Store(c, c0x); T.Store(c + T.Count, c0y);
        T.Store(c + ldc, c1x); T.Store(c + ldc + T.Count, c1y);
        T.Store(c + 2 * ldc, c2x); T.Store(c + 2 * ldc + T.Count, c2y);
        T.Store(c + 3 * ldc, c3x); T.Store(c + 3 * ldc + T.Count, c3y);
        T.Store(c + 4 * ldc, c4x); T.Store(c + 4 * ldc + T.Count, c4y);
        T.Store(c + 5 * ldc, c5x); T.Store(c + 5 * ldc + T.Count, c5y);
        T.Store(c + 6 * ldc, c6x); T.Store(c + 6 * ldc + T.Count, c6y);
        T.Store(c + 7 * ldc, c7x); T.Store(c + 7 * ldc + T.Count, c7y);
    }

    /// <summary>6 rows by 2 vectors.</summary>
    [MethodImpl(HotCode.Optimized)]
    public static void Tile6x2<T>(GemmTile* t) where T : unmanaged, IVec<T>
    {
        float* a = t->A, b = t->B, c = t->C;
        nint lda = t->AStride, ldb = t->BStride, ldc = t->Ldc;
        T c0x = T.Zero, c0y = T.Zero;
        T c1x = T.Zero, c1y = T.Zero;
        T c2x = T.Zero, c2y = T.Zero;
        T c3x = T.Zero, c3y = T.Zero;
        T c4x = T.Zero, c4y = T.Zero;
        T c5x = T.Zero, c5y = T.Zero;
        if (t->Accumulate)
        {
            c0x = T.Load(c); c0y = T.Load(c + T.Count);
            c1x = T.Load(c + ldc); c1y = T.Load(c + ldc + T.Count);
            c2x = T.Load(c + 2 * ldc); c2y = T.Load(c + 2 * ldc + T.Count);
            c3x = T.Load(c + 3 * ldc); c3y = T.Load(c + 3 * ldc + T.Count);
            c4x = T.Load(c + 4 * ldc); c4y = T.Load(c + 4 * ldc + T.Count);
            c5x = T.Load(c + 5 * ldc); c5y = T.Load(c + 5 * ldc + T.Count);
        }
        for (var k = t->K; k > 0; k--)
        {
            var x = T.Load(b);
            var y = T.Load(b + T.Count);
            var a0 = T.Set(a[0]); c0x = T.Fma(a0, x, c0x); c0y = T.Fma(a0, y, c0y);
            var a1 = T.Set(a[1]); c1x = T.Fma(a1, x, c1x); c1y = T.Fma(a1, y, c1y);
            var a2 = T.Set(a[2]); c2x = T.Fma(a2, x, c2x); c2y = T.Fma(a2, y, c2y);
            var a3 = T.Set(a[3]); c3x = T.Fma(a3, x, c3x); c3y = T.Fma(a3, y, c3y);
            var a4 = T.Set(a[4]); c4x = T.Fma(a4, x, c4x); c4y = T.Fma(a4, y, c4y);
            var a5 = T.Set(a[5]); c5x = T.Fma(a5, x, c5x); c5y = T.Fma(a5, y, c5y);
            a += lda;
            b += ldb;
        }
        T.Store(c, c0x); T.Store(c + T.Count, c0y);
        T.Store(c + ldc, c1x); T.Store(c + ldc + T.Count, c1y);
        T.Store(c + 2 * ldc, c2x); T.Store(c + 2 * ldc + T.Count, c2y);
        T.Store(c + 3 * ldc, c3x); T.Store(c + 3 * ldc + T.Count, c3y);
        T.Store(c + 4 * ldc, c4x); T.Store(c + 4 * ldc + T.Count, c4y);
        T.Store(c + 5 * ldc, c5x); T.Store(c + 5 * ldc + T.Count, c5y);
    }

    /// <summary>4 rows by 2 vectors.</summary>
    [MethodImpl(HotCode.Optimized)]
    public static void Tile4x2<T>(GemmTile* t) where T : unmanaged, IVec<T>
    {
        float* a = t->A, b = t->B, c = t->C;
        nint lda = t->AStride, ldb = t->BStride, ldc = t->Ldc;
        T c0x = T.Zero, c0y = T.Zero;
        T c1x = T.Zero, c1y = T.Zero;
        T c2x = T.Zero, c2y = T.Zero;
        T c3x = T.Zero, c3y = T.Zero;
        if (t->Accumulate)
        {
            c0x = T.Load(c); c0y = T.Load(c + T.Count);
            c1x = T.Load(c + ldc); c1y = T.Load(c + ldc + T.Count);
            c2x = T.Load(c + 2 * ldc); c2y = T.Load(c + 2 * ldc + T.Count);
            c3x = T.Load(c + 3 * ldc); c3y = T.Load(c + 3 * ldc + T.Count);
        }
        for (var k = t->K; k > 0; k--)
        {
            var x = T.Load(b);
            var y = T.Load(b + T.Count);
            var a0 = T.Set(a[0]); c0x = T.Fma(a0, x, c0x); c0y = T.Fma(a0, y, c0y);
            var a1 = T.Set(a[1]); c1x = T.Fma(a1, x, c1x); c1y = T.Fma(a1, y, c1y);
            var a2 = T.Set(a[2]); c2x = T.Fma(a2, x, c2x); c2y = T.Fma(a2, y, c2y);
            var a3 = T.Set(a[3]); c3x = T.Fma(a3, x, c3x); c3y = T.Fma(a3, y, c3y);
            a += lda;
            b += ldb;
        }
        T.Store(c, c0x); T.Store(c + T.Count, c0y);
        T.Store(c + ldc, c1x); T.Store(c + ldc + T.Count, c1y);
        T.Store(c + 2 * ldc, c2x); T.Store(c + 2 * ldc + T.Count, c2y);
        T.Store(c + 3 * ldc, c3x); T.Store(c + 3 * ldc + T.Count, c3y);
    }

    /// <summary>1 rows by 2 vectors.</summary>
    [MethodImpl(HotCode.Optimized)]
    public static void Tile1x2<T>(GemmTile* t) where T : unmanaged, IVec<T>
    {
        float* a = t->A, b = t->B, c = t->C;
        nint lda = t->AStride, ldb = t->BStride, ldc = t->Ldc;
        T c0x = T.Zero, c0y = T.Zero;
        if (t->Accumulate)
        {
            c0x = T.Load(c); c0y = T.Load(c + T.Count);
        }
        for (var k = t->K; k > 0; k--)
        {
            var x = T.Load(b);
            var y = T.Load(b + T.Count);
            var a0 = T.Set(a[0]); c0x = T.Fma(a0, x, c0x); c0y = T.Fma(a0, y, c0y);
            a += lda;
            b += ldb;
        }
        T.Store(c, c0x); T.Store(c + T.Count, c0y);
    }
}
