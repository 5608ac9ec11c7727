using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using AiOptix.Kernels.Vectors;

namespace AiOptix.Kernels.Attention;

/// <summary>
/// One row of scores on its way to weights: e^(s − max) of the scaled, capped and masked scores s, and the sum of them. Keys come in blocks: the largest score of earlier
/// blocks goes in, that of all blocks comes out. Scores that are neither capped nor masked are scaled on the way into the exponent. Vectors have sixteen lanes at every machine width, and scores have room up to a multiple of sixteen, so every width
/// gives the same bits. A row that sees no key of the block gives weights of 0 and the sum 0.
/// </summary>
internal unsafe struct SoftmaxRow
{
    private const int Lanes = 16;

    /// <summary>The scores, overwritten by the weights; room for a multiple of sixteen.</summary>
    public float* Scores;
    /// <summary>Addends of the keys, or null.</summary>
    public float* Mask;
    /// <summary>Bytes that are 0 where a key is hidden, or null.</summary>
    public byte* Allowed;
    /// <summary>The first key that the query sees; those before get the weight 0.</summary>
    public int First;
    /// <summary>The key after the last one that it sees; those from there on get the weight 0.</summary>
    public int End;
    /// <summary>Keys of the block.</summary>
    public int Keys;
    /// <summary>The factor of the scores.</summary>
    public float Factor;
    /// <summary>The soft cap of the scaled scores, or 0.</summary>
    public float Softcap;
    /// <summary>The largest score of earlier blocks, −∞ when there is none; on return of this one too. Not scaled where no score is.</summary>
    public float Max;
    /// <summary>Result: what the weights of earlier blocks count beside those of this one.</summary>
    public float Kept;
    /// <summary>Result: the sum of the weights.</summary>
    public float Sum;

    [MethodImpl(HotCode.Optimized)]
    public static void Run<T>(SoftmaxRow* r) where T : unmanaged, IVec<T>
    {
        var s = r->Scores;
        int begin = r->First & -Lanes, end = (r->End + Lanes - 1) & -Lanes, all = (r->Keys + Lanes - 1) & -Lanes;
        // A factor that is not positive turns the order of the scores round or hides it.
        var isPlain = r->Mask == null && r->Allowed == null && r->Softcap == 0 && r->Factor > 0;
        var largest = r->First >= r->End ? float.NegativeInfinity : isPlain ? Plain<T>(r, begin, end) : r->Mask != null && r->Softcap == 0 ? Added<T>(r, begin, end) : Masked<T>(r, begin, end);
        if (r->First >= r->End || (float.IsNegativeInfinity(largest) && !HasNaN(s + begin, end - begin)))
        {
            new Span<float>(s, all).Clear();
            (r->Sum, r->Kept) = (0, 1);
            return;
        }
        var before = r->Max;
        var unit = isPlain ? r->Factor * VecMath.Log2E : VecMath.Log2E;
        r->Max = Math.Max(largest, before);
        r->Kept = float.IsNegativeInfinity(before) ? 0 : before == r->Max ? 1 : VecMath.Exp2(new V1((before - r->Max) * unit)).Value;
        r->Sum = Powers<T>(s + begin, end - begin, r->Max, unit);
        if (begin > 0) new Span<float>(s, begin).Clear();
        if (end < all) new Span<float>(s + end, all - end).Clear();
    }

    /// <summary>
    /// Rows that see all keys of the block, their scores neither capped nor masked: what <see cref="Run"/> does to each, without a call a row. Returns how many rows were done before one that has only scores of −∞
    /// or NaN.
    /// </summary>
    /// <param name="r">The first row; its keys and factor are those of all.</param>
    /// <param name="rows">How many.</param>
    /// <param name="pitch">From the scores of a row to those of the next.</param>
    /// <param name="maxima">The largest score of earlier blocks a row, and then of this one too.</param>
    /// <param name="kept">Result: <see cref="Kept"/> of each row.</param>
    /// <param name="sums">Result: <see cref="Sum"/> of each row.</param>
    [MethodImpl(HotCode.Optimized)]
    public static int RunAll<T>(SoftmaxRow* r, int rows, nint pitch, float* maxima, float* kept, float* sums) where T : unmanaged, IVec<T>
    {
        var unit = r->Factor * VecMath.Log2E;
        int keys = r->Keys, all = (keys + Lanes - 1) & -Lanes;
        for (var i = 0; i < rows; i++)
        {
            var s = r->Scores + i * pitch;
            for (var j = keys; j < all; j++) s[j] = float.NegativeInfinity;
            var largest = LargestOf<T>(s, all);
            if (float.IsNegativeInfinity(largest)) return i;
            var before = maxima[i];
            largest = Math.Max(largest, before);
            maxima[i] = largest;
            kept[i] = float.IsNegativeInfinity(before) ? 0 : before == largest ? 1 : VecMath.Exp2(new V1((before - largest) * unit)).Value;
            sums[i] = PowersOf<T>(s, all, largest, unit);
        }
        return rows;
    }

    // A method of its own: beside calls the sum would lie in memory.
    [MethodImpl(HotCode.Optimized | MethodImplOptions.NoInlining)]
    private static float Powers<T>(float* s, int n, float max, float unit) where T : unmanaged, IVec<T> => PowersOf<T>(s, n, max, unit);

    /// <summary>n scores, whole vectors, to powers; returns their sum.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static float PowersOf<T>(float* s, int n, float max, float unit) where T : unmanaged, IVec<T>
    {
        var (shift, factor, sum) = (T.Set(max), T.Set(unit), T.Zero);
        for (var j = 0; j < n; j += T.Count)
        {
            var v = VecMath.Exp2((T.Load(s + j) - shift) * factor);
            T.Store(s + j, v);
            sum += v;
        }
        return T.Sum(sum);
    }

    [MethodImpl(HotCode.Optimized | MethodImplOptions.NoInlining)]
    private static float Largest<T>(float* s, int n) where T : unmanaged, IVec<T> => LargestOf<T>(s, n);

    /// <summary>The largest of n floats, whole vectors, that is not NaN.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static float LargestOf<T>(float* s, int n) where T : unmanaged, IVec<T>
    {
        var max = T.Set(float.NegativeInfinity);
        var second = max;
        var j = 0;
        for (; j <= n - 2 * T.Count; j += 2 * T.Count)
        {
            max = T.MaxOr(T.Load(s + j), max);
            second = T.MaxOr(T.Load(s + j + T.Count), second);
        }
        if (j < n) max = T.MaxOr(T.Load(s + j), max);
        return T.MaxLane(T.MaxOr(max, second));
    }

    /// <summary>Hides what the query does not see in the vectors in which the seen keys begin and end. Returns the largest score that is not NaN.</summary>
    private static float Plain<T>(SoftmaxRow* r, int begin, int end) where T : unmanaged, IVec<T>
    {
        for (var i = begin; i < r->First; i++) r->Scores[i] = float.NegativeInfinity;
        for (var i = r->End; i < end; i++) r->Scores[i] = float.NegativeInfinity;
        return Largest<T>(r->Scores + begin, end - begin);
    }

    /// <summary>Scales and adds a mask, in whole vectors but for those in which the seen keys begin and end. Returns the largest score that is not NaN.</summary>
    private static float Added<T>(SoftmaxRow* r, int begin, int end) where T : unmanaged, IVec<T>
    {
        int first = (r->First + Lanes - 1) & -Lanes, last = Math.Max(first, r->End & -Lanes);
        var max = AddMask<T>(r->Scores + first, r->Mask + first, last - first, r->Factor);
        if (begin < first) max = Math.Max(max, Masked<T>(r, begin, first));
        return last < end ? Math.Max(max, Masked<T>(r, last, end)) : max;
    }

    [MethodImpl(HotCode.Optimized | MethodImplOptions.NoInlining)]
    private static float AddMask<T>(float* s, float* mask, int n, float factor) where T : unmanaged, IVec<T>
    {
        var (f, max) = (T.Set(factor), T.Set(float.NegativeInfinity));
        for (var j = 0; j < n; j += T.Count)
        {
            var v = T.Fma(T.Load(s + j), f, T.Load(mask + j));
            T.Store(s + j, v);
            max = T.MaxOr(v, max);
        }
        return T.MaxLane(max);
    }

    [MethodImpl(HotCode.Optimized)]
    private static float Masked<T>(SoftmaxRow* r, int begin, int end) where T : unmanaged, IVec<T>
    {
        var s = r->Scores;
        var addends = stackalloc float[Lanes];
        T factor = T.Set(r->Softcap == 0 ? r->Factor : r->Factor / r->Softcap), cap = T.Set(r->Softcap), none = T.Set(-0f);
        var max = T.Set(float.NegativeInfinity);
        for (var j = begin; j < end; j += T.Count)
        {
            var left = r->End - j;
            var addend = none;
            if (r->Mask != null) addend = left >= T.Count ? T.Load(r->Mask + j) : T.LoadPart(r->Mask + j, left);
            else if (r->Allowed != null)
            {
                Addends(r->Allowed + j, Math.Min(left, Lanes), addends);
                addend = T.Load(addends);
            }
            var v = T.Load(s + j);
            v = r->Softcap == 0 ? T.Fma(v, factor, addend) : T.Fma(VecMath.Tanh(v * factor), cap, addend);
            T.Store(s + j, v);
            if (j < r->First || left < T.Count)
            {
                for (var i = j; i < r->First; i++) s[i] = float.NegativeInfinity;
                for (var i = Math.Max(r->End, j); i < j + T.Count; i++) s[i] = float.NegativeInfinity;
                v = T.Load(s + j);
            }
            max = T.MaxOr(v, max);
        }
        return T.MaxLane(max);
    }

    // 0 for the bytes that are not 0, −∞ for those that are.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Addends(byte* allowed, int n, float* addends)
    {
        if (n < Lanes)
        {
            for (var i = 0; i < n; i++) addends[i] = allowed[i] != 0 ? -0f : float.NegativeInfinity;
            for (var i = n; i < Lanes; i++) addends[i] = 0;
            return;
        }
        var (low, high) = Vector128.Widen(Vector128.Equals(Vector128.Load(allowed), Vector128<byte>.Zero).AsSByte());
        var (a, b) = Vector128.Widen(low);
        var (c, d) = Vector128.Widen(high);
        Hide(a).Store(addends);
        Hide(b).Store(addends + 4);
        Hide(c).Store(addends + 8);
        Hide(d).Store(addends + 12);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<float> Hide(Vector128<int> hidden) => Vector128.ConditionalSelect(hidden.AsSingle(), Vector128.Create(float.NegativeInfinity), Vector128.Create(-0f));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static bool HasNaN(float* s, int n)
    {
        for (var j = 0; j < n; j++)
            if (float.IsNaN(s[j])) return true;
        return false;
    }

    /// <summary>Multiplies n floats by a factor.</summary>
    [MethodImpl(HotCode.Optimized)]
    public static void Scale<T>(float* y, int n, float factor) where T : unmanaged, IVec<T>
    {
        var f = T.Set(factor);
        var j = 0;
        for (; j <= n - T.Count; j += T.Count) T.Store(y + j, T.Load(y + j) * f);
        if (j < n) T.StorePart(y + j, T.LoadPart(y + j, n - j) * f, n - j);
    }

    /// <summary>y = y·factor + added over n floats.</summary>
    [MethodImpl(HotCode.Optimized)]
    public static void Join<T>(float* y, float* added, int n, float factor) where T : unmanaged, IVec<T>
    {
        var f = T.Set(factor);
        var j = 0;
        for (; j <= n - T.Count; j += T.Count) T.Store(y + j, T.Fma(T.Load(y + j), f, T.Load(added + j)));
        if (j < n) T.StorePart(y + j, T.Fma(T.LoadPart(y + j, n - j), f, T.LoadPart(added + j, n - j)), n - j);
    }
}
