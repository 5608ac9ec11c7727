namespace AiOptix.Kernels.Vectors;

/// <summary>
/// A vector of float32 lanes. Maths written once over this interface runs at every width, and each lane gets the same bits at every width:
/// operations are correctly rounded, <see cref="Fma"/> is fused wherever the machine can, and comparisons with NaN are false.
/// </summary>
/// <typeparam name="T">The vector itself: <see cref="V1"/>, <see cref="V4"/>, <see cref="V8"/> or <see cref="V16"/>.</typeparam>
public unsafe interface IVec<T> where T : unmanaged, IVec<T>
{
    /// <summary>Lanes.</summary>
    static abstract int Count { get; }

    /// <summary>All lanes zero.</summary>
    static abstract T Zero { get; }

    /// <summary>All lanes <paramref name="value"/>.</summary>
    static abstract T Set(float value);

    /// <summary>Reads <see cref="Count"/> floats from any address.</summary>
    static abstract T Load(float* p);

    /// <summary>Writes <see cref="Count"/> floats to any address.</summary>
    static abstract void Store(float* p, T v);

    /// <summary>Reads the first <paramref name="n"/> lanes, 0 to <see cref="Count"/>; touches no memory beyond; the other lanes are zero.</summary>
    static abstract T LoadPart(float* p, int n);

    /// <summary>Writes the first <paramref name="n"/> lanes, 0 to <see cref="Count"/>, and touches no memory beyond.</summary>
    static abstract void StorePart(float* p, T v, int n);

    /// <summary>Sum.</summary>
    static abstract T operator +(T a, T b);

    /// <summary>Difference.</summary>
    static abstract T operator -(T a, T b);

    /// <summary>Product.</summary>
    static abstract T operator *(T a, T b);

    /// <summary>Quotient.</summary>
    static abstract T operator /(T a, T b);

    /// <summary>Sign flipped, also of zero and NaN.</summary>
    static abstract T operator -(T a);

    /// <summary>a·b + c, rounded once where the machine has fused multiply-add.</summary>
    static abstract T Fma(T a, T b, T c);

    /// <summary>a·b + c with b in memory: the compiler makes the load part of the instruction only where the two stand together.</summary>
    static virtual T FmaLoad(T a, float* b, T c) => T.Fma(a, T.Load(b), c);

    /// <summary>a where a &lt; b, otherwise b; so b where either is NaN.</summary>
    static abstract T MinOr(T a, T b);

    /// <summary>a where a &gt; b, otherwise b; so b where either is NaN.</summary>
    static abstract T MaxOr(T a, T b);

    /// <summary>Sign cleared.</summary>
    static abstract T Abs(T a);

    /// <summary>Square root.</summary>
    static abstract T Sqrt(T a);

    /// <summary>The nearest integer, ties to even.</summary>
    static abstract T Round(T a);

    /// <summary>The next integer below.</summary>
    static abstract T Floor(T a);

    /// <summary>The magnitude of <paramref name="a"/> with the sign of <paramref name="sign"/>.</summary>
    static abstract T CopySign(T a, T sign);

    /// <summary>yes where a &lt; b, otherwise no.</summary>
    static abstract T IfLess(T a, T b, T yes, T no);

    /// <summary>yes where a = b, otherwise no.</summary>
    static abstract T IfEqual(T a, T b, T yes, T no);

    /// <summary>a·2ⁿ, rounded once, for an integral n in −252…254; the result may be denormal or infinite.</summary>
    static abstract T Scale(T a, T n);

    /// <summary>For a normal positive a: the m in [√½, √2) and the integral <paramref name="exponent"/> with a = m·2^exponent.</summary>
    static abstract T Split(T a, out T exponent);

    /// <summary>The sum of all lanes, in pairs: halves are added until one lane is left.</summary>
    static abstract float Sum(T a);

    /// <summary>The largest lane; NaN when any lane is NaN.</summary>
    static abstract float MaxLane(T a);
}
