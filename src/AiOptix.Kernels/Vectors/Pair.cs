using System.Runtime.CompilerServices;

namespace AiOptix.Kernels.Vectors;

/// <summary>
/// Two vectors as one of twice the lanes. Pairs bring every width to sixteen lanes, so that a sum that is kept in sixteen partial sums adds in
/// the same order on every machine.
/// </summary>
/// <param name="Low">The first lanes.</param>
/// <param name="High">The last lanes.</param>
public readonly unsafe record struct Pair<T>(T Low, T High) : IVec<Pair<T>> where T : unmanaged, IVec<T>
{
    private const MethodImplOptions Inline = MethodImplOptions.AggressiveInlining;

    /// <inheritdoc/>
    public static int Count => 2 * T.Count;

    /// <inheritdoc/>
    public static Pair<T> Zero => default;

    /// <inheritdoc/>
    [MethodImpl(Inline)] public static Pair<T> Set(float value) => new(T.Set(value), T.Set(value));

    /// <inheritdoc/>
    [MethodImpl(Inline)] public static Pair<T> Load(float* p) => new(T.Load(p), T.Load(p + T.Count));

    /// <inheritdoc/>
    [MethodImpl(Inline)]
    public static void Store(float* p, Pair<T> v)
    {
        T.Store(p, v.Low);
        T.Store(p + T.Count, v.High);
    }

    /// <inheritdoc/>
    [MethodImpl(Inline)]
    public static Pair<T> LoadPart(float* p, int n) =>
        n <= T.Count ? new(T.LoadPart(p, n), T.Zero) : new(T.Load(p), T.LoadPart(p + T.Count, n - T.Count));

    /// <inheritdoc/>
    [MethodImpl(Inline)]
    public static void StorePart(float* p, Pair<T> v, int n)
    {
        if (n <= T.Count)
        {
            T.StorePart(p, v.Low, n);
            return;
        }
        T.Store(p, v.Low);
        T.StorePart(p + T.Count, v.High, n - T.Count);
    }

    /// <inheritdoc/>
    [MethodImpl(Inline)] public static Pair<T> operator +(Pair<T> a, Pair<T> b) => new(a.Low + b.Low, a.High + b.High);

    /// <inheritdoc/>
    [MethodImpl(Inline)] public static Pair<T> operator -(Pair<T> a, Pair<T> b) => new(a.Low - b.Low, a.High - b.High);

    /// <inheritdoc/>
    [MethodImpl(Inline)] public static Pair<T> operator *(Pair<T> a, Pair<T> b) => new(a.Low * b.Low, a.High * b.High);

    /// <inheritdoc/>
    [MethodImpl(Inline)] public static Pair<T> operator /(Pair<T> a, Pair<T> b) => new(a.Low / b.Low, a.High / b.High);

    /// <inheritdoc/>
    [MethodImpl(Inline)] public static Pair<T> operator -(Pair<T> a) => new(-a.Low, -a.High);

    /// <inheritdoc/>
    [MethodImpl(Inline)] public static Pair<T> Fma(Pair<T> a, Pair<T> b, Pair<T> c) => new(T.Fma(a.Low, b.Low, c.Low), T.Fma(a.High, b.High, c.High));

    /// <inheritdoc/>
    [MethodImpl(Inline)] public static Pair<T> MinOr(Pair<T> a, Pair<T> b) => new(T.MinOr(a.Low, b.Low), T.MinOr(a.High, b.High));

    /// <inheritdoc/>
    [MethodImpl(Inline)] public static Pair<T> MaxOr(Pair<T> a, Pair<T> b) => new(T.MaxOr(a.Low, b.Low), T.MaxOr(a.High, b.High));

    /// <inheritdoc/>
    [MethodImpl(Inline)] public static Pair<T> Abs(Pair<T> a) => new(T.Abs(a.Low), T.Abs(a.High));

    /// <inheritdoc/>
    [MethodImpl(Inline)] public static Pair<T> Sqrt(Pair<T> a) => new(T.Sqrt(a.Low), T.Sqrt(a.High));

    /// <inheritdoc/>
    [MethodImpl(Inline)] public static Pair<T> Round(Pair<T> a) => new(T.Round(a.Low), T.Round(a.High));

    /// <inheritdoc/>
    [MethodImpl(Inline)] public static Pair<T> Floor(Pair<T> a) => new(T.Floor(a.Low), T.Floor(a.High));

    /// <inheritdoc/>
    [MethodImpl(Inline)] public static Pair<T> CopySign(Pair<T> a, Pair<T> sign) => new(T.CopySign(a.Low, sign.Low), T.CopySign(a.High, sign.High));

    /// <inheritdoc/>
    [MethodImpl(Inline)]
    public static Pair<T> IfLess(Pair<T> a, Pair<T> b, Pair<T> yes, Pair<T> no) =>
        new(T.IfLess(a.Low, b.Low, yes.Low, no.Low), T.IfLess(a.High, b.High, yes.High, no.High));

    /// <inheritdoc/>
    [MethodImpl(Inline)]
    public static Pair<T> IfEqual(Pair<T> a, Pair<T> b, Pair<T> yes, Pair<T> no) =>
        new(T.IfEqual(a.Low, b.Low, yes.Low, no.Low), T.IfEqual(a.High, b.High, yes.High, no.High));

    /// <inheritdoc/>
    [MethodImpl(Inline)] public static Pair<T> Scale(Pair<T> a, Pair<T> n) => new(T.Scale(a.Low, n.Low), T.Scale(a.High, n.High));

    /// <inheritdoc/>
    [MethodImpl(Inline)]
    public static Pair<T> Split(Pair<T> a, out Pair<T> exponent)
    {
        var low = T.Split(a.Low, out var lowExponent);
        var high = T.Split(a.High, out var highExponent);
        exponent = new(lowExponent, highExponent);
        return new(low, high);
    }

    /// <inheritdoc/>
    [MethodImpl(Inline)] public static float Sum(Pair<T> a) => T.Sum(a.Low + a.High);

    /// <inheritdoc/>
    [MethodImpl(Inline)] public static float MaxLane(Pair<T> a) => MathF.Max(T.MaxLane(a.Low), T.MaxLane(a.High));
}
