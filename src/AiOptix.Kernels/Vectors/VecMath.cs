using System.Runtime.CompilerServices;

namespace AiOptix.Kernels.Vectors;

/// <summary>
/// Elementary functions over any <see cref="IVec{T}"/>. NaN propagates, infinities give the limits. The polynomials are minimax fits
/// (reweighted least squares); the stated bounds hold against correctly rounded results and are tested.
/// </summary>
public static class VecMath
{
    internal const int SqrtHalfBits = 0x3f3504f3;

    internal const float Log2E = 1.44269504f;
    private const float Ln2High = 0.693145752f;
    private const float Ln2Low = 1.42860677e-6f;
    private const MethodImplOptions Inline = MethodImplOptions.AggressiveInlining;

    /// <summary>eˣ within 2 ulp, denormal results included.</summary>
    [MethodImpl(Inline)]
    public static T Exp<T>(T x) where T : unmanaged, IVec<T> => ExpUpTo90(T.MinOr(T.Set(90f), x));

    [MethodImpl(Inline)]
    private static T ExpUpTo90<T>(T x) where T : unmanaged, IVec<T>
    {
        var q = ReducedExpm1(T.MaxOr(T.Set(-106f), x), out var n);
        return T.Scale(q + T.Set(1f), n);
    }

    /// <summary>2ˣ within 1 ulp for x below 128; below −150 it is 0.</summary>
    [MethodImpl(Inline)]
    public static T Exp2<T>(T x) where T : unmanaged, IVec<T>
    {
        x = T.MaxOr(T.Set(-151f), x);
        var n = T.Round(x);
        var r = x - n;
        var p = T.Fma(T.Set(0.00015329309098888189f), r, T.Set(0.0013390970416367054f));
        p = T.Fma(p, r, T.Set(0.00961849931627512f));
        p = T.Fma(p, r, T.Set(0.05550359562039375f));
        p = T.Fma(p, r, T.Set(0.24022647738456726f));
        p = T.Fma(p, r, T.Set(0.6931471824645996f));
        return T.Scale(T.Fma(p, r, T.Set(1f)), n);
    }

    /// <summary>eˣ − 1 within 3 ulp, also near zero.</summary>
    [MethodImpl(Inline)]
    public static T Expm1<T>(T x) where T : unmanaged, IVec<T>
    {
        var c = T.MinOr(T.Set(90f), T.MaxOr(T.Set(-30f), x));
        var q = ReducedExpm1(c, out var n);
        var below = n - T.Set(1f);
        var half = T.Scale(q, below) + (T.Scale(T.Set(1f), below) - T.Set(0.5f));
        return T.IfEqual(x, T.Zero, x, half + half);
    }

    // e^r − 1 for the r in [−ln2/2, ln2/2] with x = n·ln2 + r
    [MethodImpl(Inline)]
    private static T ReducedExpm1<T>(T x, out T n) where T : unmanaged, IVec<T>
    {
        n = T.Round(x * T.Set(Log2E));
        var r = T.Fma(n, T.Set(-Ln2High), x);
        r = T.Fma(n, T.Set(-Ln2Low), r);
        var p = T.Fma(T.Set(0.0013946548569947481f), r, T.Set(0.008366644382476807f));
        p = T.Fma(p, r, T.Set(0.04166628047823906f));
        p = T.Fma(p, r, T.Set(0.16666541993618011f));
        p = T.Fma(p, r, T.Set(0.5f));
        return T.Fma(p, r * r, r);
    }

    /// <summary>The natural logarithm within 2 ulp; denormal arguments included.</summary>
    [MethodImpl(Inline)]
    public static T Log<T>(T x) where T : unmanaged, IVec<T>
    {
        var tiny = T.Set(1.17549435e-38f);
        var m = T.Split(T.IfLess(x, tiny, x * T.Set(8388608f), x), out var e);
        e = T.IfLess(x, tiny, e - T.Set(23f), e);
        var y = LogSum(m - T.Set(1f), e);
        y = T.IfLess(x, T.Set(float.PositiveInfinity), y, x);
        y = T.IfEqual(x, T.Zero, T.Set(float.NegativeInfinity), y);
        return T.IfLess(x, T.Zero, T.Set(float.NaN), y);
    }

    /// <summary>log(1 + x) for x in [0, 1] within 3 ulp.</summary>
    [MethodImpl(Inline)]
    public static T Log1pUnit<T>(T x) where T : unmanaged, IVec<T>
    {
        var u = x + T.Set(1f);
        var m = T.Split(u, out var e);
        var lost = (x - (u - T.Set(1f))) / u;
        return LogSum(m - T.Set(1f), e) + lost;
    }

    // log(1 + f) + e·ln2 for f in [√½ − 1, √2 − 1)
    [MethodImpl(Inline)]
    private static T LogSum<T>(T f, T e) where T : unmanaged, IVec<T>
    {
        var p = T.Fma(T.Set(-0.07634340226650238f), f, T.Set(0.12761515378952026f));
        p = T.Fma(p, f, T.Set(-0.13160212337970734f));
        p = T.Fma(p, f, T.Set(0.1420176774263382f));
        p = T.Fma(p, f, T.Set(-0.16623355448246002f));
        p = T.Fma(p, f, T.Set(0.20001226663589478f));
        p = T.Fma(p, f, T.Set(-0.250008225440979f));
        p = T.Fma(p, f, T.Set(0.3333333134651184f));
        var f2 = f * f;
        var low = T.Fma(p * f, f2, e * T.Set(Ln2Low));
        low = T.Fma(T.Set(-0.5f), f2, low);
        return T.Fma(e, T.Set(Ln2High), f + low);
    }

    /// <summary>tanh within 4 ulp.</summary>
    [MethodImpl(Inline)]
    public static T Tanh<T>(T x) where T : unmanaged, IVec<T>
    {
        var twice = T.MinOr(T.Set(20f), T.Abs(x) + T.Abs(x));
        var q = ReducedExpm1(twice, out var n);
        var em = T.Scale(q, n) + (T.Scale(T.Set(1f), n) - T.Set(1f));
        return T.CopySign(em / (em + T.Set(2f)), x);
    }

    /// <summary>1 / (1 + e⁻ˣ) within 4 ulp, denormal results included.</summary>
    [MethodImpl(Inline)]
    public static T Sigmoid<T>(T x) where T : unmanaged, IVec<T>
    {
        var e = ExpUpTo90(-T.Abs(x));
        return T.IfLess(x, T.Zero, e, T.Set(1f)) / (e + T.Set(1f));
    }

    /// <summary>The error function within 3 ulp.</summary>
    [MethodImpl(Inline)]
    public static T Erf<T>(T x) where T : unmanaged, IVec<T>
    {
        var s = x * x;
        var p = T.Fma(T.Set(7.85385345807299e-05f), s, T.Set(-0.000801019137725234f));
        p = T.Fma(p, s, T.Set(0.00518832728266716f));
        p = T.Fma(p, s, T.Set(-0.026853810995817184f));
        p = T.Fma(p, s, T.Set(0.1128358542919159f));
        p = T.Fma(p, s, T.Set(-0.3761262595653534f));
        p = T.Fma(p, s, T.Set(0.1283791065216064f));
        var small = T.Fma(p, x, x);
        var a = T.Abs(x);
        var t = T.MinOr(T.Set(4f), a);
        var l = T.Fma(T.Set(0.0001863782963482663f), t, T.Set(-0.0029476468916982412f));
        l = T.Fma(l, t, T.Set(0.021838007494807243f));
        l = T.Fma(l, t, T.Set(-0.10310661047697067f));
        l = T.Fma(l, t, T.Set(-0.6381450295448303f));
        l = T.Fma(l, t, T.Set(-1.127089023590088f));
        l = T.Fma(l, t, T.Set(-0.000341559003572911f));
        var q = ReducedExpm1(l, out var n);
        var large = T.CopySign(T.Set(1f) - T.Scale(q + T.Set(1f), n), x);
        return T.IfLess(a, T.Set(1f), small, large);
    }

    /// <summary>The integral of the normal distribution up to x within 1.4e-7; exactly 0 and 1 beyond ±5.35. A polynomial of c² on its way from −1 to 1, so that its terms stay small.</summary>
    [MethodImpl(Inline)]
    public static T NormalIntegral<T>(T x) where T : unmanaged, IVec<T>
    {
        var c = T.MinOr(T.Set(5.35f), T.MaxOr(T.Set(-5.35f), x));
        var s = T.Fma(c * c, T.Set(0.06987509876489639f), T.Set(-1f));
        var p = T.Fma(T.Set(0.0004189041501376778f), s, T.Set(-0.0009506920468993485f));
        p = T.Fma(p, s, T.Set(0.000544683076441288f));
        p = T.Fma(p, s, T.Set(-0.000963220139965415f));
        p = T.Fma(p, s, T.Set(0.003693685866892338f));
        p = T.Fma(p, s, T.Set(-0.006473152432590723f));
        p = T.Fma(p, s, T.Set(0.00906610582023859f));
        p = T.Fma(p, s, T.Set(-0.013476487249135971f));
        p = T.Fma(p, s, T.Set(0.019344614818692207f));
        p = T.Fma(p, s, T.Set(-0.025559455156326294f));
        p = T.Fma(p, s, T.Set(0.03210098296403885f));
        p = T.Fma(p, s, T.Set(-0.03940025344491005f));
        p = T.Fma(p, s, T.Set(0.04888221248984337f));
        p = T.Fma(p, s, T.Set(-0.06591899693012238f));
        p = T.Fma(p, s, T.Set(0.13214901089668274f));
        return p * c + T.Set(0.5f);
    }
}
