using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace AiOptix.Kernels.Elementwise;

/// <summary>A comparison of two vectors of elements of four bytes: all bits set where it holds.</summary>
internal interface ICompareVector<T>
{
    static abstract Vector128<T> Apply(Vector128<T> a, Vector128<T> b);
}

internal readonly struct EqualVector<T> : ICompareVector<T> { public static Vector128<T> Apply(Vector128<T> a, Vector128<T> b) => Vector128.Equals(a, b); }
internal readonly struct NotEqualVector<T> : ICompareVector<T> { public static Vector128<T> Apply(Vector128<T> a, Vector128<T> b) => ~Vector128.Equals(a, b); }
internal readonly struct LessVector<T> : ICompareVector<T> { public static Vector128<T> Apply(Vector128<T> a, Vector128<T> b) => Vector128.LessThan(a, b); }
internal readonly struct LessOrEqualVector<T> : ICompareVector<T> { public static Vector128<T> Apply(Vector128<T> a, Vector128<T> b) => Vector128.LessThanOrEqual(a, b); }
internal readonly struct GreaterVector<T> : ICompareVector<T> { public static Vector128<T> Apply(Vector128<T> a, Vector128<T> b) => Vector128.GreaterThan(a, b); }
internal readonly struct GreaterOrEqualVector<T> : ICompareVector<T> { public static Vector128<T> Apply(Vector128<T> a, Vector128<T> b) => Vector128.GreaterThanOrEqual(a, b); }

/// <summary>Sixteen comparisons at a time, narrowed to sixteen booleans; what is left of a row, and strided rows, go one by one.</summary>
internal static unsafe class CompareVectorLoop
{
    [MethodImpl(HotCode.Optimized)]
    public static void Run<TF, TScalar, T>(byte* a, byte* b, byte* y, BinaryTile* tile)
        where TF : struct, ICompareVector<T> where TScalar : struct, IBinaryOp<T, byte> where T : unmanaged
    {
        var vector = tile->AColumn is 0 or 4 && tile->BColumn is 0 or 4;
        var (da, db) = (tile->AColumn / 4, tile->BColumn / 4);
        for (long r = 0; r < tile->Rows; r++)
        {
            long i = 0;
            if (vector)
                for (; i <= tile->Columns - 16; i += 16)
                {
                    var pa = (T*)a + i * da;
                    var pb = (T*)b + i * db;
                    var (m0, m1) = (TF.Apply(Load(pa, da, 0), Load(pb, db, 0)), TF.Apply(Load(pa, da, 4), Load(pb, db, 4)));
                    var (m2, m3) = (TF.Apply(Load(pa, da, 8), Load(pb, db, 8)), TF.Apply(Load(pa, da, 12), Load(pb, db, 12)));
                    var low = Vector128.Narrow(m0.AsInt32() & Vector128<int>.One, m1.AsInt32() & Vector128<int>.One);
                    var high = Vector128.Narrow(m2.AsInt32() & Vector128<int>.One, m3.AsInt32() & Vector128<int>.One);
                    Vector128.Narrow(low, high).AsByte().Store(y + i);
                }
            for (; i < tile->Columns; i++)
                y[i] = TScalar.Apply(Unsafe.ReadUnaligned<T>(a + i * tile->AColumn), Unsafe.ReadUnaligned<T>(b + i * tile->BColumn));
            a += tile->ARow;
            b += tile->BRow;
            y += tile->YRow;
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<T> Load<T>(T* p, long dense, int at) where T : unmanaged => dense != 0 ? Vector128.Load(p + at) : Vector128.Create(*p);
}
