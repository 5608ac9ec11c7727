using System.Runtime.CompilerServices;
using AiOptix.Kernels.Reduce;
using AiOptix.Kernels.Vectors;

namespace AiOptix.Kernels.Softmax;

/// <summary>
/// Softmax of rows: the largest element, then e^(x − largest) with its sum (two times sixteen partial sums, stretches joined in pairs), then the
/// quotient; the logarithmic form subtracts the logarithm of the sum instead. A row of −∞ only gives NaN. Exponentials run in the machine's
/// vectors (TV), sums in sixteen lanes (T), so that all rows of the table give the same bits.
/// </summary>
internal static unsafe class SoftmaxLoop
{
    private const long Stretch = 2048;
    private const int Chunk = 256;

    /// <summary>Rows of <paramref name="length"/> contiguous elements.</summary>
    [MethodImpl(HotCode.Optimized)]
    public static void Rows<TV, T>(float* x, float* y, long rows, long length, bool logarithm) where TV : unmanaged, IVec<TV> where T : unmanaged, IVec<T>
    {
        for (long r = 0; r < rows; r++, x += length, y += length)
        {
            var largest = ReduceLoop.Row<MaxReduceF32, T>(x, length);
            var sum = T.Sum(Exponentials<TV, T>(x, y, length, largest, !logarithm));
            if (logarithm) Subtract<TV>(x, y, length, TV.Set(largest), TV.Set(VecMath.Log(new V1(sum)).Value));
            else Multiply<TV>(y, length, TV.Set(1f / sum));
        }
    }

    /// <summary>
    /// One line of <paramref name="columns"/> adjacent softmaxes, each over <paramref name="length"/> elements that lie <paramref name="stride"/>
    /// apart. Every lane is a softmax of its own.
    /// </summary>
    [MethodImpl(HotCode.Optimized)]
    public static void Columns<T>(float* x, float* y, long columns, long length, long stride, bool logarithm) where T : unmanaged, IVec<T>
    {
        for (long c = 0; c < columns; c += T.Count)
        {
            var n = (int)Math.Min(T.Count, columns - c);
            var largest = T.Set(float.NegativeInfinity);
            for (long i = 0; i < length; i++) largest = MaxReduceF32.Join(largest, Load<T>(x + c + i * stride, n));
            var sum = ColumnSum<T>(x + c, y + c, length, stride, n, largest, !logarithm);
            if (logarithm)
            {
                var less = VecMath.Log(sum);
                for (long i = 0; i < length; i++) Store(y + c + i * stride, Load<T>(x + c + i * stride, n) - largest - less, n);
            }
            else
            {
                var scale = T.Set(1f) / sum;
                for (long i = 0; i < length; i++) Store(y + c + i * stride, Load<T>(y + c + i * stride, n) * scale, n);
            }
        }
    }

    [MethodImpl(HotCode.Optimized)]
    private static T Exponentials<TV, T>(float* x, float* y, long n, float largest, bool store) where TV : unmanaged, IVec<TV> where T : unmanaged, IVec<T>
    {
        if (n <= Stretch) return Straight<TV, T>(x, y, n, largest, store);
        var left = (n / Stretch + 1) / 2 * Stretch;
        return Exponentials<TV, T>(x, y, left, largest, store) + Exponentials<TV, T>(x + left, y + left, n - left, largest, store);
    }

    [SkipLocalsInit]
    [MethodImpl(HotCode.Optimized)]
    private static T Straight<TV, T>(float* x, float* y, long n, float largest, bool store) where TV : unmanaged, IVec<TV> where T : unmanaged, IVec<T>
    {
        var chunk = stackalloc float[Chunk];
        var (a, b) = (T.Zero, T.Zero);
        var less = TV.Set(largest);
        for (long done = 0; done < n; done += Chunk)
        {
            var m = (int)Math.Min(Chunk, n - done);
            var e = store ? y + done : chunk;
            var i = 0;
            for (; i <= m - 2 * TV.Count; i += 2 * TV.Count)
            {
                var u = VecMath.Exp(TV.Load(x + done + i) - less);
                var v = VecMath.Exp(TV.Load(x + done + i + TV.Count) - less);
                TV.Store(e + i, u);
                TV.Store(e + i + TV.Count, v);
            }
            for (; i <= m - TV.Count; i += TV.Count) TV.Store(e + i, VecMath.Exp(TV.Load(x + done + i) - less));
            if (i < m) TV.StorePart(e + i, VecMath.Exp(TV.LoadPart(x + done + i, m - i) - less), m - i);
            for (i = 0; i <= m - 2 * T.Count; i += 2 * T.Count)
            {
                a += T.Load(e + i);
                b += T.Load(e + i + T.Count);
            }
            for (; i <= m - T.Count; i += T.Count) a += T.Load(e + i);
            if (i < m) a += T.LoadPart(e + i, m - i);
        }
        return a + b;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Multiply<T>(float* y, long n, T scale) where T : unmanaged, IVec<T>
    {
        long i = 0;
        for (; i <= n - T.Count; i += T.Count) T.Store(y + i, T.Load(y + i) * scale);
        if (i < n) T.StorePart(y + i, T.LoadPart(y + i, (int)(n - i)) * scale, (int)(n - i));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Subtract<T>(float* x, float* y, long n, T largest, T less) where T : unmanaged, IVec<T>
    {
        long i = 0;
        for (; i <= n - T.Count; i += T.Count) T.Store(y + i, T.Load(x + i) - largest - less);
        if (i < n) T.StorePart(y + i, T.LoadPart(x + i, (int)(n - i)) - largest - less, (int)(n - i));
    }

    [MethodImpl(HotCode.Optimized)]
    private static T ColumnSum<T>(float* x, float* y, long length, long stride, int n, in T most, bool store) where T : unmanaged, IVec<T>
    {
        var largest = most;
        if (length > 128)
        {
            var left = (length / 128 + 1) / 2 * 128;
            return ColumnSum(x, y, left, stride, n, largest, store) + ColumnSum(x + left * stride, y + left * stride, length - left, stride, n, largest, store);
        }
        var sum = T.Zero;
        for (long i = 0; i < length; i++)
        {
            var e = VecMath.Exp(Load<T>(x + i * stride, n) - largest);
            if (store) Store(y + i * stride, e, n);
            sum += e;
        }
        return sum;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static T Load<T>(float* p, int n) where T : unmanaged, IVec<T> => n == T.Count ? T.Load(p) : T.LoadPart(p, n);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Store<T>(float* p, T v, int n) where T : unmanaged, IVec<T>
    {
        if (n == T.Count) T.Store(p, v);
        else T.StorePart(p, v, n);
    }
}
