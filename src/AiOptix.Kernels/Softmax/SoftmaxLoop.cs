using System.Runtime.CompilerServices;
using AiOptix.Kernels.Reduce;
using AiOptix.Kernels.Vectors;

namespace AiOptix.Kernels.Softmax;

/// <summary>
/// Softmax of rows: the largest element, then e^(x − largest) with its sum (two times sixteen partial sums, stretches joined in pairs), then the
/// quotient; the logarithmic form subtracts the logarithm of the sum instead. A row of −∞ only gives NaN.
/// </summary>
internal static unsafe class SoftmaxLoop
{
    private const long Stretch = 2048;

    /// <summary>Rows of <paramref name="length"/> contiguous elements.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Rows<T>(float* x, float* y, long rows, long length, bool logarithm) where T : unmanaged, IVec<T>
    {
        for (long r = 0; r < rows; r++, x += length, y += length)
        {
            var largest = T.Set(ReduceLoop.Row<MaxReduceF32, T>(x, length));
            var sum = T.Sum(Exponentials<T>(x, y, length, largest, !logarithm));
            long i = 0;
            if (logarithm)
            {
                var less = T.Set(VecMath.Log(new V1(sum)).Value);
                for (; i <= length - T.Count; i += T.Count) T.Store(y + i, T.Load(x + i) - largest - less);
                if (i < length) T.StorePart(y + i, T.LoadPart(x + i, (int)(length - i)) - largest - less, (int)(length - i));
            }
            else
            {
                var scale = T.Set(1f / sum);
                for (; i <= length - T.Count; i += T.Count) T.Store(y + i, T.Load(y + i) * scale);
                if (i < length) T.StorePart(y + i, T.LoadPart(y + i, (int)(length - i)) * scale, (int)(length - i));
            }
        }
    }

    /// <summary>One line of <paramref name="columns"/> adjacent softmaxes, each over <paramref name="length"/> elements that lie <paramref name="stride"/> apart.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Columns<T>(float* x, float* y, long columns, long length, long stride, bool logarithm) where T : unmanaged, IVec<T>
    {
        for (long c = 0; c < columns; c += T.Count)
        {
            var n = (int)Math.Min(T.Count, columns - c);
            var largest = T.Set(float.NegativeInfinity);
            for (long i = 0; i < length; i++) largest = MaxReduceF32.Join(largest, T.LoadPart(x + c + i * stride, n));
            var sum = ColumnSum<T>(x + c, y + c, length, stride, n, largest, !logarithm);
            if (logarithm)
            {
                var less = VecMath.Log(sum);
                for (long i = 0; i < length; i++) T.StorePart(y + c + i * stride, T.LoadPart(x + c + i * stride, n) - largest - less, n);
            }
            else
            {
                var scale = T.Set(1f) / sum;
                for (long i = 0; i < length; i++) T.StorePart(y + c + i * stride, T.LoadPart(y + c + i * stride, n) * scale, n);
            }
        }
    }

    private static T Exponentials<T>(float* x, float* y, long n, T largest, bool store) where T : unmanaged, IVec<T>
    {
        if (n <= Stretch) return Straight(x, y, n, largest, store);
        var left = (n / Stretch + 1) / 2 * Stretch;
        return Exponentials(x, y, left, largest, store) + Exponentials(x + left, y + left, n - left, largest, store);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static T Straight<T>(float* x, float* y, long n, T largest, bool store) where T : unmanaged, IVec<T>
    {
        var (a, b) = (T.Zero, T.Zero);
        long i = 0;
        for (; i <= n - 2 * T.Count; i += 2 * T.Count)
        {
            var u = VecMath.Exp(T.Load(x + i) - largest);
            var v = VecMath.Exp(T.Load(x + i + T.Count) - largest);
            if (store)
            {
                T.Store(y + i, u);
                T.Store(y + i + T.Count, v);
            }
            a += u;
            b += v;
        }
        for (; i < n; i += T.Count)
        {
            var m = (int)Math.Min(T.Count, n - i);
            var e = VecMath.Exp(T.LoadPart(x + i, m) - largest);
            if (store) T.StorePart(y + i, e, m);
            a += ReduceLoop.First(e, m);
        }
        return a + b;
    }

    private static T ColumnSum<T>(float* x, float* y, long length, long stride, int n, T largest, bool store) where T : unmanaged, IVec<T>
    {
        if (length > 128)
        {
            var left = (length / 128 + 1) / 2 * 128;
            return ColumnSum(x, y, left, stride, n, largest, store) + ColumnSum(x + left * stride, y + left * stride, length - left, stride, n, largest, store);
        }
        var sum = T.Zero;
        for (long i = 0; i < length; i++)
        {
            var e = VecMath.Exp(T.LoadPart(x + i * stride, n) - largest);
            if (store) T.StorePart(y + i * stride, e, n);
            sum += e;
        }
        return sum;
    }
}
