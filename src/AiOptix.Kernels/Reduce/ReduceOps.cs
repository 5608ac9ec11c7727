using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using AiOptix.Kernels.Vectors;

namespace AiOptix.Kernels.Reduce;

/// <summary>A reduction: how an element enters, how partial results join, and what an empty one is.</summary>
internal interface IReduceF32
{
    static abstract float Identity { get; }
    static abstract T Enter<T>(T x) where T : unmanaged, IVec<T>;
    static abstract T Join<T>(T a, T b) where T : unmanaged, IVec<T>;
    static abstract float Across<T>(T lanes) where T : unmanaged, IVec<T>;
}

internal readonly struct SumF32 : IReduceF32
{
    public static float Identity => 0;
    [MethodImpl(MethodImplOptions.AggressiveInlining)] public static T Enter<T>(T x) where T : unmanaged, IVec<T> => x;
    [MethodImpl(MethodImplOptions.AggressiveInlining)] public static T Join<T>(T a, T b) where T : unmanaged, IVec<T> => a + b;
    [MethodImpl(MethodImplOptions.AggressiveInlining)] public static float Across<T>(T lanes) where T : unmanaged, IVec<T> => T.Sum(lanes);
}

internal readonly struct SumSquareF32 : IReduceF32
{
    public static float Identity => 0;
    [MethodImpl(MethodImplOptions.AggressiveInlining)] public static T Enter<T>(T x) where T : unmanaged, IVec<T> => x * x;
    [MethodImpl(MethodImplOptions.AggressiveInlining)] public static T Join<T>(T a, T b) where T : unmanaged, IVec<T> => a + b;
    [MethodImpl(MethodImplOptions.AggressiveInlining)] public static float Across<T>(T lanes) where T : unmanaged, IVec<T> => T.Sum(lanes);
}

internal readonly struct SumAbsF32 : IReduceF32
{
    public static float Identity => 0;
    [MethodImpl(MethodImplOptions.AggressiveInlining)] public static T Enter<T>(T x) where T : unmanaged, IVec<T> => T.Abs(x);
    [MethodImpl(MethodImplOptions.AggressiveInlining)] public static T Join<T>(T a, T b) where T : unmanaged, IVec<T> => a + b;
    [MethodImpl(MethodImplOptions.AggressiveInlining)] public static float Across<T>(T lanes) where T : unmanaged, IVec<T> => T.Sum(lanes);
}

internal readonly struct MaxReduceF32 : IReduceF32
{
    public static float Identity => float.NegativeInfinity;
    [MethodImpl(MethodImplOptions.AggressiveInlining)] public static T Enter<T>(T x) where T : unmanaged, IVec<T> => x;
    [MethodImpl(MethodImplOptions.AggressiveInlining)] public static T Join<T>(T a, T b) where T : unmanaged, IVec<T> => T.IfEqual(a, a, T.MaxOr(a, b), a);
    [MethodImpl(MethodImplOptions.AggressiveInlining)] public static float Across<T>(T lanes) where T : unmanaged, IVec<T> => T.MaxLane(lanes);
}

internal readonly struct MinReduceF32 : IReduceF32
{
    public static float Identity => float.PositiveInfinity;
    [MethodImpl(MethodImplOptions.AggressiveInlining)] public static T Enter<T>(T x) where T : unmanaged, IVec<T> => x;
    [MethodImpl(MethodImplOptions.AggressiveInlining)] public static T Join<T>(T a, T b) where T : unmanaged, IVec<T> => T.IfEqual(a, a, T.MinOr(a, b), a);
    [MethodImpl(MethodImplOptions.AggressiveInlining)] public static float Across<T>(T lanes) where T : unmanaged, IVec<T> => -T.MaxLane(-lanes);
}

internal readonly unsafe struct ProdF32 : IReduceF32
{
    public static float Identity => 1;
    [MethodImpl(MethodImplOptions.AggressiveInlining)] public static T Enter<T>(T x) where T : unmanaged, IVec<T> => x;
    [MethodImpl(MethodImplOptions.AggressiveInlining)] public static T Join<T>(T a, T b) where T : unmanaged, IVec<T> => a * b;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float Across<T>(T lanes) where T : unmanaged, IVec<T>
    {
        var copy = lanes;
        var p = (float*)&copy;
        for (var half = T.Count / 2; half > 0; half /= 2)
            for (var i = 0; i < half; i++) p[i] *= p[i + half];
        return p[0];
    }
}

/// <summary>
/// The reductions of floats, always in sixteen lanes (<see cref="Pair{T}"/> where the machine has fewer): stretches of 1024 elements keep four
/// times sixteen partial results, stretches join in pairs, lanes join in halves. The order depends on sizes only.
/// </summary>
internal static unsafe class ReduceLoop
{
    private const long Stretch = 1024;
    private const long ColumnStretch = 64;

    private static ReadOnlySpan<float> Ramp => [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15];

    /// <summary>Outputs along a line, each reduced along contiguous elements.</summary>
    [MethodImpl(HotCode.Optimized)]
    public static void Rows<TF, T>(float* x, float* y, long outputs, ReduceLine* line) where TF : struct, IReduceF32 where T : unmanaged, IVec<T>
    {
        for (long o = 0; o < outputs; o++)
        {
            y[o] = line->Runs == 1 ? Row<TF, T>(x, line->Length) : TF.Across(RunRows<TF, T>(x, line, 0, line->Runs));
            x += line->OutputStride;
        }
    }

    /// <summary>Outputs along a line of contiguous elements, sixteen at a time.</summary>
    [MethodImpl(HotCode.Optimized)]
    public static void Columns<TF, T>(float* x, float* y, long outputs, ReduceLine* line) where TF : struct, IReduceF32 where T : unmanaged, IVec<T>
    {
        long o = 0;
        for (; o <= outputs - 2 * T.Count; o += 2 * T.Count)
            Pair<T>.Store(y + o, RunColumns<TF, Pair<T>>(x + o, line, 0, line->Runs, 2 * T.Count));
        for (; o < outputs; o += T.Count)
        {
            var n = (int)Math.Min(T.Count, outputs - o);
            T.StorePart(y + o, RunColumns<TF, T>(x + o, line, 0, line->Runs, n), n);
        }
    }

    /// <summary>The reduction of contiguous elements.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float Row<TF, T>(float* x, long n) where TF : struct, IReduceF32 where T : unmanaged, IVec<T> => TF.Across(Halves<TF, T>(x, n));

    /// <summary>The first lanes; the others are zero.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T First<T>(T lanes, int n) where T : unmanaged, IVec<T> =>
        T.IfLess(T.Load((float*)Unsafe.AsPointer(ref MemoryMarshal.GetReference(Ramp))), T.Set(n), lanes, T.Zero);

    [MethodImpl(HotCode.Optimized)]
    private static T RunRows<TF, T>(float* x, ReduceLine* line, long first, long end) where TF : struct, IReduceF32 where T : unmanaged, IVec<T>
    {
        if (end - first <= 1) return first < end ? Halves<TF, T>(x + line->RunOffset(first), line->Length) : T.Set(TF.Identity);
        var middle = first + (end - first) / 2;
        return TF.Join(RunRows<TF, T>(x, line, first, middle), RunRows<TF, T>(x, line, middle, end));
    }

    [MethodImpl(HotCode.Optimized)]
    private static T RunColumns<TF, T>(float* x, ReduceLine* line, long first, long end, int lanes) where TF : struct, IReduceF32 where T : unmanaged, IVec<T>
    {
        if (end - first <= 1) return first < end ? ColumnHalves<TF, T>(x + line->RunOffset(first), line->Stride, line->Length, lanes) : T.Set(TF.Identity);
        var middle = first + (end - first) / 2;
        return TF.Join(RunColumns<TF, T>(x, line, first, middle, lanes), RunColumns<TF, T>(x, line, middle, end, lanes));
    }

    [MethodImpl(HotCode.Optimized)]
    private static T Halves<TF, T>(float* x, long n) where TF : struct, IReduceF32 where T : unmanaged, IVec<T>
    {
        if (n <= Stretch) return Straight<TF, T>(x, n);
        var left = (n / Stretch + 1) / 2 * Stretch;
        return TF.Join(Halves<TF, T>(x, left), Halves<TF, T>(x + left, n - left));
    }

    [MethodImpl(HotCode.Optimized)]
    private static T ColumnHalves<TF, T>(float* x, long stride, long n, int lanes) where TF : struct, IReduceF32 where T : unmanaged, IVec<T>
    {
        if (n <= ColumnStretch) return ColumnStraight<TF, T>(x, stride, n, lanes);
        var left = (n / ColumnStretch + 1) / 2 * ColumnStretch;
        return TF.Join(ColumnHalves<TF, T>(x, stride, left, lanes), ColumnHalves<TF, T>(x + left * stride, stride, n - left, lanes));
    }

    [MethodImpl(HotCode.Optimized)]
    private static T Straight<TF, T>(float* x, long n) where TF : struct, IReduceF32 where T : unmanaged, IVec<T>
    {
        var a = T.Set(TF.Identity);
        var (b, c, d) = (a, a, a);
        long i = 0;
        for (; i <= n - 64; i += 64)
        {
            a = TF.Join(a, TF.Enter(T.Load(x + i)));
            b = TF.Join(b, TF.Enter(T.Load(x + i + 16)));
            c = TF.Join(c, TF.Enter(T.Load(x + i + 32)));
            d = TF.Join(d, TF.Enter(T.Load(x + i + 48)));
        }
        for (; i <= n - 16; i += 16) a = TF.Join(a, TF.Enter(T.Load(x + i)));
        if (i < n) b = TF.Join(b, Tail<TF, T>(x + i, (int)(n - i)));
        return TF.Join(TF.Join(a, b), TF.Join(c, d));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static T Tail<TF, T>(float* x, int n) where TF : struct, IReduceF32 where T : unmanaged, IVec<T>
    {
        var ramp = T.Load((float*)Unsafe.AsPointer(ref MemoryMarshal.GetReference(Ramp)));
        return T.IfLess(ramp, T.Set(n), TF.Enter(T.LoadPart(x, n)), T.Set(TF.Identity));
    }

    [MethodImpl(HotCode.Optimized)]
    private static T ColumnStraight<TF, T>(float* x, long stride, long n, int lanes) where TF : struct, IReduceF32 where T : unmanaged, IVec<T>
    {
        var a = T.Set(TF.Identity);
        if (lanes == T.Count)
            for (; n > 0; n--)
            {
                a = TF.Join(a, TF.Enter(T.Load(x)));
                x += stride;
            }
        else
            for (; n > 0; n--)
            {
                a = TF.Join(a, TF.Enter(T.LoadPart(x, lanes)));
                x += stride;
            }
        return a;
    }
}
