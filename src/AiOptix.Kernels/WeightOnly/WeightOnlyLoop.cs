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
/// column for every eight. The sum of a block, from 0 in the order of the terms, is multiplied with its scale and added to the blocks before.
/// </summary>
internal static unsafe class WeightOnlyLoop
{
    private const int NibblesAtOnce = 8;

    /// <summary>One row times a panel.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
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
            T b0 = T.Zero, b1 = T.Zero;
            var n = Math.Min(k, block);
            if (TF.IsByte)
                for (var i = 0; i < n; i++, a++, panel += 2 * T.Count)
                {
                    T x = T.Set(*a), w0 = TL.Bytes(panel), w1 = TL.Bytes(panel + T.Count);
                    if (TF.HasZeros) (w0, w1) = (w0 - z0, w1 - z1);
                    (b0, b1) = (T.Fma(x, w0, b0), T.Fma(x, w1, b1));
                }
            else
            {
                for (; n >= NibblesAtOnce; n -= NibblesAtOnce, a += NibblesAtOnce, panel += 2 * T.Count * sizeof(int))
                {
                    Step<TF, TL, T>(a, panel, 0, 0, z0, z1, ref b0, ref b1);
                    Step<TF, TL, T>(a, panel, 1, 4, z0, z1, ref b0, ref b1);
                    Step<TF, TL, T>(a, panel, 2, 8, z0, z1, ref b0, ref b1);
                    Step<TF, TL, T>(a, panel, 3, 12, z0, z1, ref b0, ref b1);
                    Step<TF, TL, T>(a, panel, 4, 16, z0, z1, ref b0, ref b1);
                    Step<TF, TL, T>(a, panel, 5, 20, z0, z1, ref b0, ref b1);
                    Step<TF, TL, T>(a, panel, 6, 24, z0, z1, ref b0, ref b1);
                    Step<TF, TL, T>(a, panel, 7, 28, z0, z1, ref b0, ref b1);
                }
                if (n > 0)
                {
                    for (var j = 0; j < n; j++) Step<TF, TL, T>(a, panel, j, 4 * j, z0, z1, ref b0, ref b1);
                    a += n;
                    panel += 2 * T.Count * sizeof(int);
                }
            }
            (s0, s1) = (T.Fma(b0, T.Load(scales), s0), T.Fma(b1, T.Load(scales + T.Count), s1));
        }
        T.Store(c, s0);
        T.Store(c + T.Count, s1);
    }

    /// <summary>A panel as float32 [K][two vectors].</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
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
                T w0 = TF.IsByte ? TL.Bytes(panel) : TL.Nibbles(panel, shift), w1 = TF.IsByte ? TL.Bytes(panel + T.Count) : TL.Nibbles(panel + T.Count * sizeof(int), shift);
                if (TF.HasZeros) (w0, w1) = (w0 - z0, w1 - z1);
                T.Store(to, w0 * s0);
                T.Store(to + T.Count, w1 * s1);
                if (TF.IsByte) panel += 2 * T.Count;
                else if (i % NibblesAtOnce == NibblesAtOnce - 1 || i == n - 1) panel += 2 * T.Count * sizeof(int);
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Step<TF, TL, T>(float* a, byte* panel, int j, int shift, T z0, T z1, ref T b0, ref T b1) where TF : struct, IWeightForm where TL : struct, IWeightLanes<T> where T : unmanaged, IVec<T>
    {
        T x = T.Set(a[j]), w0 = TL.Nibbles(panel, shift), w1 = TL.Nibbles(panel + T.Count * sizeof(int), shift);
        if (TF.HasZeros) (w0, w1) = (w0 - z0, w1 - z1);
        (b0, b1) = (T.Fma(x, w0, b0), T.Fma(x, w1, b1));
    }
}
