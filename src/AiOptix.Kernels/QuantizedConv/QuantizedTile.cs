using System.Runtime.CompilerServices;

namespace AiOptix.Kernels.QuantizedConv;

/// <summary>
/// The micro-kernel: 4 rows by 2 vectors of int32 sums live in registers for all terms. A step reads two vectors of pairs of B and one pair of A a row.
/// A lies as [pairs][4], B as [pairs][2 vectors], C as [4][2 vectors].
/// </summary>
internal static unsafe class QuantizedTile
{
    /// <summary>Rows.</summary>
    public const int Rows = 4;

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Run<T>(int* a, int* b, nint pairs, int* c) where T : unmanaged, IPairs<T>
    {
        T c00 = default, c01 = default, c10 = default, c11 = default, c20 = default, c21 = default, c30 = default, c31 = default;
        for (; pairs > 0; pairs--)
        {
            T x = T.Load(b), y = T.Load(b + T.Count);
            var r = T.Broadcast(a[0]);
            (c00, c01) = (T.MultiplyAdd(c00, r, x), T.MultiplyAdd(c01, r, y));
            r = T.Broadcast(a[1]);
            (c10, c11) = (T.MultiplyAdd(c10, r, x), T.MultiplyAdd(c11, r, y));
            r = T.Broadcast(a[2]);
            (c20, c21) = (T.MultiplyAdd(c20, r, x), T.MultiplyAdd(c21, r, y));
            r = T.Broadcast(a[3]);
            (c30, c31) = (T.MultiplyAdd(c30, r, x), T.MultiplyAdd(c31, r, y));
            a += Rows;
            b += 2 * T.Count;
        }
        T.Store(c, c00);
        T.Store(c + T.Count, c01);
        T.Store(c + 2 * T.Count, c10);
        T.Store(c + 3 * T.Count, c11);
        T.Store(c + 4 * T.Count, c20);
        T.Store(c + 5 * T.Count, c21);
        T.Store(c + 6 * T.Count, c30);
        T.Store(c + 7 * T.Count, c31);
    }
}
