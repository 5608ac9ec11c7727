using System.Runtime.CompilerServices;
using AiOptix.Kernels.Vectors;

namespace AiOptix.Kernels.Attention;

/// <summary>
/// One row of scores on its way to weights: e^(scale·s + mask − max), and the sum of them. The sum runs in sixteen lanes at every vector width,
/// so every width gives the same bits. A row that may see no key at all gives
/// weights of 0, as the ONNX operator Attention demands.
/// </summary>
internal unsafe struct SoftmaxRow
{
    private const int Lanes = 16;

    /// <summary>The scores, overwritten by the weights.</summary>
    public float* Scores;
    /// <summary>Addends of the keys, or null.</summary>
    public float* Mask;
    /// <summary>Floats between addends.</summary>
    public nint MaskStride;
    /// <summary>Keys that the query sees.</summary>
    public int Visible;
    /// <summary>Keys that have a score; those not visible get the weight 0.</summary>
    public int Keys;
    /// <summary>The factor of the scores.</summary>
    public float Factor;
    /// <summary>Result: the sum of the weights.</summary>
    public float Sum;

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Run<T>(SoftmaxRow* r) where T : unmanaged, IVec<T>
    {
        var s = r->Scores;
        var n = r->Visible;
        new Span<float>(s + n, r->Keys - n).Clear();
        if (r->Mask != null && r->MaskStride != 1)
        {
            for (var j = 0; j < n; j++) s[j] = V1.Fma(new(s[j]), new(r->Factor), new(r->Mask[j * r->MaskStride])).Value;
        }
        var max = Largest<T>(r, n);
        if (float.IsNegativeInfinity(max) && !HasNaN(s, n))
        {
            new Span<float>(s, n).Clear();
            r->Sum = 1f;
            return;
        }
        var shift = T.Set(max);
        for (var j = 0; j < n; j += T.Count)
        {
            var left = n - j;
            var v = left >= T.Count ? T.Load(s + j) : T.LoadPart(s + j, left);
            v = VecMath.Exp(v - shift);
            if (left >= T.Count) T.Store(s + j, v);
            else T.StorePart(s + j, v, left);
        }
        r->Sum = Total<T>(s, n);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static bool HasNaN(float* s, int n)
    {
        for (var j = 0; j < n; j++)
            if (float.IsNaN(s[j])) return true;
        return false;
    }

    /// <summary>Multiplies n floats by a factor.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Scale<T>(float* y, int n, float factor) where T : unmanaged, IVec<T>
    {
        var f = T.Set(factor);
        var j = 0;
        for (; j <= n - T.Count; j += T.Count) T.Store(y + j, T.Load(y + j) * f);
        if (j < n) T.StorePart(y + j, T.LoadPart(y + j, n - j) * f, n - j);
    }

    // Applies factor and mask (unless a strided mask was applied already) and finds the maximum of what is not NaN.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static float Largest<T>(SoftmaxRow* r, int n) where T : unmanaged, IVec<T>
    {
        var s = r->Scores;
        var done = r->Mask != null && r->MaskStride != 1;
        var mask = done ? null : r->Mask;
        var factor = T.Set(done ? 1f : r->Factor);
        T none = T.Set(-0f), max = T.Set(float.NegativeInfinity);
        var j = 0;
        for (; j <= n - T.Count; j += T.Count)
        {
            var v = T.Fma(T.Load(s + j), factor, mask == null ? none : T.Load(mask + j));
            T.Store(s + j, v);
            max = T.MaxOr(v, max);
        }
        var lanes = stackalloc float[Lanes];
        T.Store(lanes, max);
        var largest = lanes[0];
        for (var i = 1; i < T.Count; i++) largest = Math.Max(largest, lanes[i]);
        for (; j < n; j++)
        {
            var v = V1.Fma(new(s[j]), new(done ? 1f : r->Factor), new(mask == null ? -0f : mask[j])).Value;
            s[j] = v;
            if (v > largest) largest = v;
        }
        return largest;
    }

    // One method a width, so that only the code of one width is compiled.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static float Total<T>(float* s, int n) where T : unmanaged, IVec<T> => T.Count switch
    {
        Lanes => TotalInOne<T>(s, n),
        8 => TotalInTwo<T>(s, n),
        _ => TotalInFour(s, n),
    };

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static float TotalInOne<T>(float* s, int n) where T : unmanaged, IVec<T>
    {
        var sum = T.Zero;
        var j = 0;
        for (; j <= n - Lanes; j += Lanes) sum += T.Load(s + j);
        if (j < n) sum += T.LoadPart(s + j, n - j);
        return T.Sum(sum);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static float TotalInTwo<T>(float* s, int n) where T : unmanaged, IVec<T>
    {
        T a = T.Zero, b = T.Zero;
        var j = 0;
        for (; j <= n - Lanes; j += Lanes)
        {
            a += T.Load(s + j);
            b += T.Load(s + j + 8);
        }
        a += T.LoadPart(s + j, Math.Min(8, n - j));
        b += T.LoadPart(s + j + 8, Math.Clamp(n - j - 8, 0, 8));
        return T.Sum(a + b);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static float TotalInFour(float* s, int n)
    {
        V4 p = V4.Zero, q = V4.Zero, u = V4.Zero, v = V4.Zero;
        var i = 0;
        for (; i <= n - Lanes; i += Lanes)
        {
            p += V4.Load(s + i);
            q += V4.Load(s + i + 4);
            u += V4.Load(s + i + 8);
            v += V4.Load(s + i + 12);
        }
        p += V4.LoadPart(s + i, Math.Min(4, n - i));
        q += V4.LoadPart(s + i + 4, Math.Clamp(n - i - 4, 0, 4));
        u += V4.LoadPart(s + i + 8, Math.Clamp(n - i - 8, 0, 4));
        v += V4.LoadPart(s + i + 12, Math.Clamp(n - i - 12, 0, 4));
        return V4.Sum(p + u + (q + v));
    }
}
