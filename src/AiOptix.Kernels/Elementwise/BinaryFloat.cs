using System.Runtime.CompilerServices;
using AiOptix.Kernels.Vectors;

namespace AiOptix.Kernels.Elementwise;

/// <summary>A function of two float vectors, written once for every width.</summary>
internal interface IBinaryF32
{
    static abstract T Apply<T>(T a, T b) where T : unmanaged, IVec<T>;
}

internal readonly struct AddF32 : IBinaryF32
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Apply<T>(T a, T b) where T : unmanaged, IVec<T> => a + b;
}

internal readonly struct SubF32 : IBinaryF32
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Apply<T>(T a, T b) where T : unmanaged, IVec<T> => a - b;
}

internal readonly struct MulF32 : IBinaryF32
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Apply<T>(T a, T b) where T : unmanaged, IVec<T> => a * b;
}

internal readonly struct DivF32 : IBinaryF32
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Apply<T>(T a, T b) where T : unmanaged, IVec<T> => a / b;
}

internal readonly struct MinF32 : IBinaryF32
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Apply<T>(T a, T b) where T : unmanaged, IVec<T> => T.IfEqual(a, a, T.MinOr(a, b), a);
}

internal readonly struct MaxF32 : IBinaryF32
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Apply<T>(T a, T b) where T : unmanaged, IVec<T> => T.IfEqual(a, a, T.MaxOr(a, b), a);
}

internal readonly struct PReluF32 : IBinaryF32
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Apply<T>(T a, T b) where T : unmanaged, IVec<T> => T.IfLess(a, T.Zero, a * b, a);
}

/// <summary>
/// The rectangle loop of binary functions over floats. Along a row each argument is dense, one element, or strided; the strided case goes
/// lane by lane. Tails are partial vectors, so that every element goes through the same function.
/// </summary>
internal static unsafe class BinaryFloatLoop
{
    [MethodImpl(HotCode.Optimized)]
    public static void Run<TF, T>(byte* a, byte* b, byte* y, BinaryTile* tile) where TF : struct, IBinaryF32 where T : unmanaged, IVec<T>
    {
        var n = tile->Columns;
        for (long r = 0; r < tile->Rows; r++)
        {
            var (pa, pb, py) = ((nint)a, (nint)b, (nint)y);
            if (tile->AColumn == sizeof(float) && tile->BColumn == sizeof(float)) Dense<TF, T>((float*)pa, (float*)pb, (float*)py, n);
            else if (tile->AColumn == sizeof(float) && tile->BColumn == 0) Right<TF, T>((float*)pa, *(float*)pb, (float*)py, n);
            else if (tile->AColumn == 0 && tile->BColumn == sizeof(float)) Left<TF, T>(*(float*)pa, (float*)pb, (float*)py, n);
            else Strided<TF>(a, b, (float*)py, tile);
            a += tile->ARow;
            b += tile->BRow;
            y += tile->YRow;
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Dense<TF, T>(float* a, float* b, float* y, long n) where TF : struct, IBinaryF32 where T : unmanaged, IVec<T>
    {
        long i = 0;
        for (; i <= n - 2 * T.Count; i += 2 * T.Count)
        {
            var u = TF.Apply(T.Load(a + i), T.Load(b + i));
            var v = TF.Apply(T.Load(a + i + T.Count), T.Load(b + i + T.Count));
            T.Store(y + i, u);
            T.Store(y + i + T.Count, v);
        }
        for (; i <= n - T.Count; i += T.Count) T.Store(y + i, TF.Apply(T.Load(a + i), T.Load(b + i)));
        var left = (int)(n - i);
        if (left > 0) T.StorePart(y + i, TF.Apply(T.LoadPart(a + i, left), T.LoadPart(b + i, left)), left);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Right<TF, T>(float* a, float value, float* y, long n) where TF : struct, IBinaryF32 where T : unmanaged, IVec<T>
    {
        var b = T.Set(value);
        long i = 0;
        for (; i <= n - T.Count; i += T.Count) T.Store(y + i, TF.Apply(T.Load(a + i), b));
        var left = (int)(n - i);
        if (left > 0) T.StorePart(y + i, TF.Apply(T.LoadPart(a + i, left), b), left);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Left<TF, T>(float value, float* b, float* y, long n) where TF : struct, IBinaryF32 where T : unmanaged, IVec<T>
    {
        var a = T.Set(value);
        long i = 0;
        for (; i <= n - T.Count; i += T.Count) T.Store(y + i, TF.Apply(a, T.Load(b + i)));
        var left = (int)(n - i);
        if (left > 0) T.StorePart(y + i, TF.Apply(a, T.LoadPart(b + i, left)), left);
    }

    [MethodImpl(HotCode.Optimized)]
    private static void Strided<TF>(byte* a, byte* b, float* y, BinaryTile* tile) where TF : struct, IBinaryF32
    {
        for (long i = 0; i < tile->Columns; i++)
        {
            y[i] = TF.Apply(new V1(Unsafe.ReadUnaligned<float>(a)), new V1(Unsafe.ReadUnaligned<float>(b))).Value;
            a += tile->AColumn;
            b += tile->BColumn;
        }
    }
}
