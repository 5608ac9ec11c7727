using System.Numerics;
using System.Runtime.CompilerServices;
using AiOptix.Kernels.Vectors;

namespace AiOptix.Kernels.Elementwise;

internal readonly struct ReciprocalSqrtF32 : IUnaryF32
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Apply<T>(T x, in ActivationArgs args) where T : unmanaged, IVec<T> => T.Set(1f) / T.Sqrt(x);
}

internal readonly struct SignF32 : IUnaryF32
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Apply<T>(T x, in ActivationArgs args) where T : unmanaged, IVec<T> =>
        T.IfLess(T.Zero, x, T.Set(1f), T.IfLess(x, T.Zero, T.Set(-1f), x));
}

internal readonly struct CubeF32 : IUnaryF32
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Apply<T>(T x, in ActivationArgs args) where T : unmanaged, IVec<T> => x * x * x;
}

internal readonly struct AffineF32 : IUnaryF32
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Apply<T>(T x, in ActivationArgs args) where T : unmanaged, IVec<T> => T.Fma(T.Set(args.Alpha), x, T.Set(args.Beta));
}

internal readonly struct SoftsignF32 : IUnaryF32
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Apply<T>(T x, in ActivationArgs args) where T : unmanaged, IVec<T> => x / (T.Set(1f) + T.Abs(x));
}

internal readonly struct ThresholdedReluF32 : IUnaryF32
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Apply<T>(T x, in ActivationArgs args) where T : unmanaged, IVec<T> => T.IfLess(T.Set(args.Alpha), x, x, T.Zero);
}

internal readonly struct CeluF32 : IUnaryF32
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Apply<T>(T x, in ActivationArgs args) where T : unmanaged, IVec<T> =>
        T.MaxOr(T.Zero, x) + T.MinOr(T.Zero, T.Set(args.Alpha) * VecMath.Expm1(x / T.Set(args.Alpha)));
}

/// <summary>A function of one float.</summary>
internal interface IScalarF32
{
    static abstract float Apply(float x);
}

/// <summary>Sixteen lanes in memory, where a function of one float is applied to a vector.</summary>
[InlineArray(16)]
internal struct Lanes
{
    private float first;
}

/// <summary>A function of one float, lane by lane.</summary>
internal readonly unsafe struct Lanewise<TF> : IUnaryF32 where TF : struct, IScalarF32
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Apply<T>(T x, in ActivationArgs args) where T : unmanaged, IVec<T>
    {
        Lanes lanes;
        var p = (float*)&lanes;
        T.Store(p, x);
        for (var i = 0; i < T.Count; i++) p[i] = TF.Apply(p[i]);
        return T.Load(p);
    }
}

internal readonly struct SinF : IScalarF32 { public static float Apply(float x) => MathF.Sin(x); }
internal readonly struct CosF : IScalarF32 { public static float Apply(float x) => MathF.Cos(x); }
internal readonly struct TanF : IScalarF32 { public static float Apply(float x) => MathF.Tan(x); }
internal readonly struct AsinF : IScalarF32 { public static float Apply(float x) => MathF.Asin(x); }
internal readonly struct AcosF : IScalarF32 { public static float Apply(float x) => MathF.Acos(x); }
internal readonly struct AtanF : IScalarF32 { public static float Apply(float x) => MathF.Atan(x); }
internal readonly struct SinhF : IScalarF32 { public static float Apply(float x) => MathF.Sinh(x); }
internal readonly struct CoshF : IScalarF32 { public static float Apply(float x) => MathF.Cosh(x); }
internal readonly struct AsinhF : IScalarF32 { public static float Apply(float x) => MathF.Asinh(x); }
internal readonly struct AcoshF : IScalarF32 { public static float Apply(float x) => MathF.Acosh(x); }
internal readonly struct AtanhF : IScalarF32 { public static float Apply(float x) => MathF.Atanh(x); }

/// <summary>A function of one element of any type.</summary>
internal interface IUnaryOp<T>
{
    static abstract T Apply(T x);
}

internal readonly struct NegOp<T> : IUnaryOp<T> where T : INumber<T> { public static T Apply(T x) => T.Zero - x; }
internal readonly struct AbsOp<T> : IUnaryOp<T> where T : INumber<T> { public static T Apply(T x) => T.IsNegative(x) ? T.Zero - x : x; }
internal readonly struct SignOp<T> : IUnaryOp<T> where T : INumber<T> { public static T Apply(T x) => x > T.Zero ? T.One : x < T.Zero ? T.Zero - T.One : x; }
internal readonly struct FlipOp<T> : IUnaryOp<T> where T : IBinaryInteger<T> { public static T Apply(T x) => ~x; }
internal readonly struct NotOp : IUnaryOp<byte> { public static byte Apply(byte x) => x == 0 ? (byte)1 : (byte)0; }
internal readonly struct SqrtOp : IUnaryOp<double> { public static double Apply(double x) => Math.Sqrt(x); }
