using System.Runtime.CompilerServices;

namespace AiOptix.Kernels.Vectors;

/// <summary>eˣ.</summary>
public readonly struct ExpF32 : IUnaryF32
{
    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Apply<T>(T x, in ActivationArgs args) where T : unmanaged, IVec<T> => VecMath.Exp(x);
}

/// <summary>eˣ − 1.</summary>
public readonly struct Expm1F32 : IUnaryF32
{
    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Apply<T>(T x, in ActivationArgs args) where T : unmanaged, IVec<T> => VecMath.Expm1(x);
}

/// <summary>The natural logarithm.</summary>
public readonly struct LogF32 : IUnaryF32
{
    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Apply<T>(T x, in ActivationArgs args) where T : unmanaged, IVec<T> => VecMath.Log(x);
}

/// <summary>The error function.</summary>
public readonly struct ErfF32 : IUnaryF32
{
    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Apply<T>(T x, in ActivationArgs args) where T : unmanaged, IVec<T> => VecMath.Erf(x);
}

/// <summary>The square root.</summary>
public readonly struct SqrtF32 : IUnaryF32
{
    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Apply<T>(T x, in ActivationArgs args) where T : unmanaged, IVec<T> => T.Sqrt(x);
}

/// <summary>1 / x.</summary>
public readonly struct ReciprocalF32 : IUnaryF32
{
    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Apply<T>(T x, in ActivationArgs args) where T : unmanaged, IVec<T> => T.Set(1f) / x;
}

/// <summary>−x.</summary>
public readonly struct NegF32 : IUnaryF32
{
    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Apply<T>(T x, in ActivationArgs args) where T : unmanaged, IVec<T> => -x;
}

/// <summary>The magnitude.</summary>
public readonly struct AbsF32 : IUnaryF32
{
    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Apply<T>(T x, in ActivationArgs args) where T : unmanaged, IVec<T> => T.Abs(x);
}

/// <summary>The next integer below.</summary>
public readonly struct FloorF32 : IUnaryF32
{
    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Apply<T>(T x, in ActivationArgs args) where T : unmanaged, IVec<T> => T.Floor(x);
}

/// <summary>The next integer above.</summary>
public readonly struct CeilF32 : IUnaryF32
{
    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Apply<T>(T x, in ActivationArgs args) where T : unmanaged, IVec<T> => -T.Floor(-x);
}

/// <summary>The nearest integer, ties to even.</summary>
public readonly struct RoundF32 : IUnaryF32
{
    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Apply<T>(T x, in ActivationArgs args) where T : unmanaged, IVec<T> => T.Round(x);
}

/// <summary>x².</summary>
public readonly struct SquareF32 : IUnaryF32
{
    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Apply<T>(T x, in ActivationArgs args) where T : unmanaged, IVec<T> => x * x;
}
