using System.Runtime.CompilerServices;

namespace AiOptix.Kernels.Vectors;

/// <summary>x.</summary>
public readonly struct IdentityF32 : IUnaryF32
{
    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Apply<T>(T x, in ActivationArgs args) where T : unmanaged, IVec<T>
        => x;
}

/// <summary>max(x, 0).</summary>
public readonly struct ReluF32 : IUnaryF32
{
    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Apply<T>(T x, in ActivationArgs args) where T : unmanaged, IVec<T>
        => T.MaxOr(T.Zero, x);
}

/// <summary>See <see cref="Activation.LeakyRelu"/>.</summary>
public readonly struct LeakyReluF32 : IUnaryF32
{
    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Apply<T>(T x, in ActivationArgs args) where T : unmanaged, IVec<T>
        => T.IfLess(x, T.Zero, x * T.Set(args.Alpha), x);
}

/// <summary>x limited to Alpha…Beta; Beta wins where Alpha is larger.</summary>
public readonly struct ClipF32 : IUnaryF32
{
    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Apply<T>(T x, in ActivationArgs args) where T : unmanaged, IVec<T>
        => T.MinOr(T.Set(args.Beta), T.MaxOr(T.Set(args.Alpha), x));
}

/// <summary>1 / (1 + e⁻ˣ).</summary>
public readonly struct SigmoidF32 : IUnaryF32
{
    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Apply<T>(T x, in ActivationArgs args) where T : unmanaged, IVec<T>
        => VecMath.Sigmoid(x);
}

/// <summary>The hyperbolic tangent.</summary>
public readonly struct TanhF32 : IUnaryF32
{
    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Apply<T>(T x, in ActivationArgs args) where T : unmanaged, IVec<T>
        => VecMath.Tanh(x);
}

/// <summary>x·sigmoid(x).</summary>
public readonly struct SiluF32 : IUnaryF32
{
    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Apply<T>(T x, in ActivationArgs args) where T : unmanaged, IVec<T>
        => x * VecMath.Sigmoid(x);
}

/// <summary>x·sigmoid(Alpha·x).</summary>
public readonly struct SwishF32 : IUnaryF32
{
    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Apply<T>(T x, in ActivationArgs args) where T : unmanaged, IVec<T>
        => x * VecMath.Sigmoid(x * T.Set(args.Alpha));
}

/// <summary>½·x·(1 + erf(x/√2)).</summary>
public readonly struct GeluF32 : IUnaryF32
{
    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Apply<T>(T x, in ActivationArgs args) where T : unmanaged, IVec<T>
        => x * VecMath.NormalIntegral(x);
}

/// <summary>The tanh form of Gelu, evaluated as x·sigmoid(2·√(2/π)·(x + 0.044715·x³)).</summary>
public readonly struct GeluTanhF32 : IUnaryF32
{
    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Apply<T>(T x, in ActivationArgs args) where T : unmanaged, IVec<T>
        => x * VecMath.Sigmoid(x * T.Fma(x * x, T.Set(0.0713548162f), T.Set(1.59576912f)));
}

/// <summary>x·max(0, min(1, x/6 + ½)).</summary>
public readonly struct HardSwishF32 : IUnaryF32
{
    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Apply<T>(T x, in ActivationArgs args) where T : unmanaged, IVec<T>
        => x * T.MaxOr(T.Zero, T.MinOr(T.Set(1f), T.Fma(x, T.Set(1f / 6f), T.Set(0.5f))));
}

/// <summary>max(0, min(1, Alpha·x + Beta)).</summary>
public readonly struct HardSigmoidF32 : IUnaryF32
{
    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Apply<T>(T x, in ActivationArgs args) where T : unmanaged, IVec<T>
        => T.MaxOr(T.Zero, T.MinOr(T.Set(1f), T.Fma(x, T.Set(args.Alpha), T.Set(args.Beta))));
}

/// <summary>See <see cref="Activation.Elu"/>.</summary>
public readonly struct EluF32 : IUnaryF32
{
    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Apply<T>(T x, in ActivationArgs args) where T : unmanaged, IVec<T>
        => T.IfLess(x, T.Zero, T.Set(args.Alpha) * VecMath.Expm1(x), x);
}

/// <summary>See <see cref="Activation.Selu"/>.</summary>
public readonly struct SeluF32 : IUnaryF32
{
    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Apply<T>(T x, in ActivationArgs args) where T : unmanaged, IVec<T>
        => T.Set(args.Beta) * T.IfLess(x, T.Zero, T.Set(args.Alpha) * VecMath.Expm1(x), x);
}

/// <summary>log(1 + eˣ).</summary>
public readonly struct SoftplusF32 : IUnaryF32
{
    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Apply<T>(T x, in ActivationArgs args) where T : unmanaged, IVec<T>
        => T.MaxOr(T.Zero, x) + VecMath.Log1pUnit(VecMath.Exp(-T.Abs(x)));
}

/// <summary>x·tanh(log(1 + eˣ)), evaluated as x·n / (n + 2) with n = eˣ·(eˣ + 2).</summary>
public readonly struct MishF32 : IUnaryF32
{
    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Apply<T>(T x, in ActivationArgs args) where T : unmanaged, IVec<T>
    {
        var e = VecMath.Exp(T.MinOr(T.Set(20f), x));
        var n = e * (e + T.Set(2f));
        return x * (n / (n + T.Set(2f)));
    }
}
