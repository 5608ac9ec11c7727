using System.Runtime.CompilerServices;
using AiOptix.Kernels.Vectors;

namespace AiOptix.Kernels.WeightOnly;

/// <summary>The bits of a weight and whether there are zero points, for code that is made once for each.</summary>
internal interface IWeightForm
{
    static abstract bool IsByte { get; }

    static abstract bool HasZeros { get; }
}

internal readonly struct ByteForm : IWeightForm
{
    public static bool IsByte => true;

    public static bool HasZeros => false;
}

internal readonly struct ByteZeroForm : IWeightForm
{
    public static bool IsByte => true;

    public static bool HasZeros => true;
}

internal readonly struct NibbleForm : IWeightForm
{
    public static bool IsByte => false;

    public static bool HasZeros => false;
}

internal readonly struct NibbleZeroForm : IWeightForm
{
    public static bool IsByte => false;

    public static bool HasZeros => true;
}

/// <summary>
/// Panels of two vectors of columns. A packed panel is a block of terms behind the other: its scales, its zero points where there are some, and its weights, a byte a column for each term, or 32 bits a
/// column for every eight. The sums of a block's even and odd terms, from 0 in their order, are added,
/// multiplied with its scale and added to the blocks before.
/// </summary>
internal static unsafe class WeightOnlyLoop
{
    private const int NibblesAtOnce = 8;

    /// <summary>One row times a panel.</summary>
    [MethodImpl(HotCode.Optimized)]
    public static void Multiply<TF, TL, T>(float* a, byte* panel, int k, int block, float* c) where TF : struct, IWeightForm where TL : struct, IWeightLanes<T> where T : unmanaged, IVec<T>
    {
        T s0 = T.Zero, s1 = T.Zero;
        for (; k > 0; k -= block)
        {
            var scales = (float*)panel;
            panel += 2 * T.Count * sizeof(float);
            T z0 = T.Zero, z1 = T.Zero;
            if (TF.HasZeros)
            {
                (z0, z1) = (T.Load((float*)panel), T.Load((float*)panel + T.Count));
                panel += 2 * T.Count * sizeof(float);
            }
            T b0 = T.Zero, b1 = T.Zero, d0 = T.Zero, d1 = T.Zero;
            var n = Math.Min(k, block);
            if (TF.IsByte)
            {
                for (; n >= 2; n -= 2, a += 2, panel += 4 * T.Count)
                {
                    Step<TF, T>(T.Set(a[0]), TL.Bytes(panel), TL.Bytes(panel + T.Count), z0, z1, ref b0, ref b1);
                    Step<TF, T>(T.Set(a[1]), TL.Bytes(panel + 2 * T.Count), TL.Bytes(panel + 3 * T.Count), z0, z1, ref d0, ref d1);
                }
                if (n > 0)
                {
                    Step<TF, T>(T.Set(a[0]), TL.Bytes(panel), TL.Bytes(panel + T.Count), z0, z1, ref b0, ref b1);
                    a++;
                    panel += 2 * T.Count;
                }
            }
            else
            {
                for (; n >= NibblesAtOnce; n -= NibblesAtOnce, a += NibblesAtOnce, panel += 2 * T.Count * sizeof(int))
                {
                    T q0 = T.Load((float*)panel), q1 = T.Load((float*)panel + T.Count);
                    Step<TF, TL, T>(a, q0, q1, 0, 0, z0, z1, ref b0, ref b1);
                    Step<TF, TL, T>(a, q0, q1, 1, 4, z0, z1, ref d0, ref d1);
                    Step<TF, TL, T>(a, q0, q1, 2, 8, z0, z1, ref b0, ref b1);
                    Step<TF, TL, T>(a, q0, q1, 3, 12, z0, z1, ref d0, ref d1);
                    Step<TF, TL, T>(a, q0, q1, 4, 16, z0, z1, ref b0, ref b1);
                    Step<TF, TL, T>(a, q0, q1, 5, 20, z0, z1, ref d0, ref d1);
                    Step<TF, TL, T>(a, q0, q1, 6, 24, z0, z1, ref b0, ref b1);
                    Step<TF, TL, T>(a, q0, q1, 7, 28, z0, z1, ref d0, ref d1);
                }
                if (n > 0)
                {
                    T q0 = T.Load((float*)panel), q1 = T.Load((float*)panel + T.Count);
                    for (var j = 0; j < n; j += 2) Step<TF, TL, T>(a, q0, q1, j, 4 * j, z0, z1, ref b0, ref b1);
                    for (var j = 1; j < n; j += 2) Step<TF, TL, T>(a, q0, q1, j, 4 * j, z0, z1, ref d0, ref d1);
                    a += n;
                    panel += 2 * T.Count * sizeof(int);
                }
            }
            (s0, s1) = (T.Fma(b0 + d0, T.Load(scales), s0), T.Fma(b1 + d1, T.Load(scales + T.Count), s1));
        }
        T.Store(c, s0);
        T.Store(c + T.Count, s1);
    }

    /// <summary>A panel as float32 [K][two vectors].</summary>
    [MethodImpl(HotCode.Optimized)]
    public static void Dequantize<TF, TL, T>(byte* panel, int k, int block, float* to) where TF : struct, IWeightForm where TL : struct, IWeightLanes<T> where T : unmanaged, IVec<T>
    {
        for (; k > 0; k -= block)
        {
            T s0 = T.Load((float*)panel), s1 = T.Load((float*)panel + T.Count), z0 = T.Zero, z1 = T.Zero;
            panel += 2 * T.Count * sizeof(float);
            if (TF.HasZeros)
            {
                (z0, z1) = (T.Load((float*)panel), T.Load((float*)panel + T.Count));
                panel += 2 * T.Count * sizeof(float);
            }
            var n = Math.Min(k, block);
            for (var i = 0; i < n; i++, to += 2 * T.Count)
            {
                var shift = i % NibblesAtOnce * 4;
                T w0 = TF.IsByte ? TL.Bytes(panel) : TL.Nibbles(T.Load((float*)panel), shift), w1 = TF.IsByte ? TL.Bytes(panel + T.Count) : TL.Nibbles(T.Load((float*)panel + T.Count), shift);
                if (TF.HasZeros) (w0, w1) = (w0 - z0, w1 - z1);
                T.Store(to, w0 * s0);
                T.Store(to + T.Count, w1 * s1);
                if (TF.IsByte) panel += 2 * T.Count;
                else if (i % NibblesAtOnce == NibblesAtOnce - 1 || i == n - 1) panel += 2 * T.Count * sizeof(int);
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Step<TF, TL, T>(float* a, T q0, T q1, int j, int shift, T z0, T z1, ref T b0, ref T b1) where TF : struct, IWeightForm where TL : struct, IWeightLanes<T> where T : unmanaged, IVec<T>
        => Step<TF, T>(T.Set(a[j]), TL.Nibbles(q0, shift), TL.Nibbles(q1, shift), z0, z1, ref b0, ref b1);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Step<TF, T>(T x, T w0, T w1, T z0, T z1, ref T b0, ref T b1) where TF : struct, IWeightForm where T : unmanaged, IVec<T>
    {
        if (TF.HasZeros) (w0, w1) = (w0 - z0, w1 - z1);
        (b0, b1) = (T.Fma(x, w0, b0), T.Fma(x, w1, b1));
    }
}
