using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using AiOptix.Kernels.Vectors;

namespace AiOptix.Kernels.Resize;

/// <summary>What the kernel needs beside the rows that it makes.</summary>
internal unsafe struct ResizeWork
{
    public float* X, Y;
    public int InputRows, OutputRows, RowTaps, InputColumns, OutputColumns, ColumnTaps;
    public long Inner;
    public int* RowPositions, ColumnPositions;
    public double* RowWeights, ColumnWeights;

    /// <summary>Lines resized along the columns, in double: one for each tap of a row, found by the input row modulo their number.</summary>
    public double* Lines;
    /// <summary>Which input row of which plane a line holds.</summary>
    public long* Tags;

    /// <summary>Every output column shows one input column as it is.</summary>
    public bool PicksColumns;
}

/// <summary>
/// Resizes row by row. An input row is resized along the columns once, into a line that stays as long as output rows use it; an output row is a weighted sum of such lines, in the order of
/// the taps. Sums are held in double and rounded once: results near zero between large neighbours keep their digits. A stretch of one tap of weight 1 is copied.
/// </summary>
internal static unsafe class ResizeLoop
{
    /// <summary>Output rows <paramref name="first"/> to <paramref name="end"/> − 1, counted through all planes.</summary>
    [MethodImpl(HotCode.Optimized)]
    public static void Rows<T>(ResizeWork* w, long first, long end) where T : unmanaged, IWide<T>
    {
        var length = w->OutputColumns * w->Inner;
        var taps = Math.Max(1, w->RowTaps);
        for (var t = 0; t < taps; t++) w->Tags[t] = -1;
        for (var row = first; row < end; row++)
        {
            var plane = row / w->OutputRows;
            var at = (int)(row - plane * w->OutputRows);
            var y = w->Y + row * length;
            var positions = w->RowPositions + at * taps;
            var weights = w->RowWeights + at * taps;
            if (taps == 1 && w->ColumnTaps == 0 && (w->RowTaps == 0 || weights[0] == 1))
            {
                Buffer.MemoryCopy(w->X + (plane * w->InputRows + (w->RowTaps == 0 ? at : positions[0])) * length, y, length * sizeof(float), length * sizeof(float));
                continue;
            }
            if (taps == 1 && w->PicksColumns && (w->RowTaps == 0 || weights[0] == 1)) Pick(w, w->X + (plane * w->InputRows + (w->RowTaps == 0 ? at : positions[0])) * w->InputColumns * w->Inner, y);
            else if (taps == 1) Scale<T>(Line<T>(w, plane, w->RowTaps == 0 ? at : positions[0], length), w->RowTaps == 0 ? 1 : weights[0], y, length);
            else if (taps == 2) Blend<T>(Line<T>(w, plane, positions[0], length), weights[0], Line<T>(w, plane, positions[1], length), weights[1], y, length);
            else Sum<T>(w, plane, positions, weights, taps, y, length);
        }
    }

    /// <summary>An input row, resized along the columns.</summary>
    private static double* Line<T>(ResizeWork* w, long plane, int row, long length) where T : unmanaged, IWide<T>
    {
        var tag = plane * w->InputRows + row;
        var slot = row % Math.Max(1, w->RowTaps);
        var line = w->Lines + slot * length;
        if (w->Tags[slot] == tag) return line;
        w->Tags[slot] = tag;
        var x = w->X + tag * w->InputColumns * w->Inner;
        if (w->ColumnTaps == 0) Add<T>(x, 1, line, length, isFirst: true);
        else if (w->Inner > 1 && w->ColumnTaps != 2) Cells<T>(w, x, line);
        else if (w->Inner > 1 && T.Count == D8.Count && w->Inner % T.Count != 0) CellPairs<D4>(w, x, line);
        else if (w->Inner > 1) CellPairs<T>(w, x, line);
        else if (w->ColumnTaps == 2) Pairs(w, x, line);
        else Sums(w, x, line);
        return line;
    }

    [MethodImpl(HotCode.Optimized)]
    private static void Pairs(ResizeWork* w, float* x, double* line)
    {
        var positions = w->ColumnPositions;
        var weights = w->ColumnWeights;
        var n = w->OutputColumns;
        for (var c = 0; c < n; c++, positions += 2, weights += 2) line[c] = x[positions[0]] * weights[0] + x[positions[1]] * weights[1];
    }

    [MethodImpl(HotCode.Optimized)]
    private static void Sums(ResizeWork* w, float* x, double* line)
    {
        var taps = w->ColumnTaps;
        var positions = w->ColumnPositions;
        var weights = w->ColumnWeights;
        for (var c = 0; c < w->OutputColumns; c++, positions += taps, weights += taps)
        {
            var sum = x[positions[0]] * weights[0];
            for (var t = 1; t < taps; t++) sum += x[positions[t]] * weights[t];
            line[c] = sum;
        }
    }

    private static void Cells<T>(ResizeWork* w, float* x, double* line) where T : unmanaged, IWide<T>
    {
        var taps = w->ColumnTaps;
        for (var c = 0; c < w->OutputColumns; c++, line += w->Inner)
            for (var t = 0; t < taps; t++)
                Add<T>(x + w->ColumnPositions[c * taps + t] * w->Inner, w->ColumnWeights[c * taps + t], line, w->Inner, t == 0);
    }

    [MethodImpl(HotCode.Optimized)]
    private static void CellPairs<T>(ResizeWork* w, float* x, double* line) where T : unmanaged, IWide<T>
    {
        var positions = w->ColumnPositions;
        var weights = w->ColumnWeights;
        var n = w->Inner;
        for (var c = 0; c < w->OutputColumns; c++, line += n, positions += 2, weights += 2)
        {
            float* a = x + positions[0] * n, b = x + positions[1] * n;
            T u = T.Set(weights[0]), v = T.Set(weights[1]);
            long i = 0;
            for (; i <= n - T.Count; i += T.Count) T.Store(line + i, T.Widen(a + i) * u + T.Widen(b + i) * v);
            for (; i < n; i++) line[i] = a[i] * weights[0] + b[i] * weights[1];
        }
    }

    [MethodImpl(HotCode.Optimized)]
    private static void Pick(ResizeWork* w, float* x, float* y)
    {
        var n = w->Inner;
        for (var c = 0; c < w->OutputColumns; c++, y += n)
        {
            var from = x + w->ColumnPositions[c] * n;
            long i = 0;
            for (; i <= n - 4; i += 4) Vector128.Load(from + i).Store(y + i);
            for (; i < n; i++) y[i] = from[i];
        }
    }

    [MethodImpl(HotCode.Optimized)]
    private static void Add<T>(float* x, double weight, double* sum, long n, bool isFirst) where T : unmanaged, IWide<T>
    {
        var w = T.Set(weight);
        long i = 0;
        for (; i <= n - T.Count; i += T.Count)
        {
            var v = T.Widen(x + i) * w;
            T.Store(sum + i, isFirst ? v : T.Load(sum + i) + v);
        }
        for (; i < n; i++) sum[i] = isFirst ? x[i] * weight : sum[i] + x[i] * weight;
    }

    [MethodImpl(HotCode.Optimized)]
    private static void Scale<T>(double* a, double weight, float* y, long n) where T : unmanaged, IWide<T>
    {
        var w = T.Set(weight);
        long i = 0;
        for (; i <= n - T.Count; i += T.Count) T.Narrow(y + i, T.Load(a + i) * w);
        for (; i < n; i++) y[i] = (float)(a[i] * weight);
    }

    [MethodImpl(HotCode.Optimized)]
    private static void Blend<T>(double* a, double aWeight, double* b, double bWeight, float* y, long n) where T : unmanaged, IWide<T>
    {
        var (u, v) = (T.Set(aWeight), T.Set(bWeight));
        long i = 0;
        for (; i <= n - T.Count; i += T.Count) T.Narrow(y + i, T.Load(a + i) * u + T.Load(b + i) * v);
        for (; i < n; i++) y[i] = (float)(a[i] * aWeight + b[i] * bWeight);
    }

    [MethodImpl(HotCode.Optimized)]
    private static void Sum<T>(ResizeWork* w, long plane, int* positions, double* weights, int taps, float* y, long n) where T : unmanaged, IWide<T>
    {
        for (var t = 0; t < taps; t++) Line<T>(w, plane, positions[t], n);
        long i = 0;
        for (; i <= n - T.Count; i += T.Count)
        {
            var sum = T.Load(w->Lines + positions[0] % taps * n + i) * T.Set(weights[0]);
            for (var t = 1; t < taps; t++) sum += T.Load(w->Lines + positions[t] % taps * n + i) * T.Set(weights[t]);
            T.Narrow(y + i, sum);
        }
        for (; i < n; i++)
        {
            var sum = w->Lines[positions[0] % taps * n + i] * weights[0];
            for (var t = 1; t < taps; t++) sum += w->Lines[positions[t] % taps * n + i] * weights[t];
            y[i] = (float)sum;
        }
    }
}
