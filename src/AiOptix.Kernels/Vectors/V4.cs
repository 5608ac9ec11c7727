using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.Arm;

namespace AiOptix.Kernels.Vectors;

/// <summary>Four lanes of portable <see cref="Vector128"/> code.</summary>
/// <param name="Value">The lanes.</param>
public readonly unsafe record struct V4(Vector128<float> Value) : IVec<V4>
{
    private const MethodImplOptions Inline = MethodImplOptions.AggressiveInlining;

    /// <inheritdoc/>
    public static int Count => 4;

    /// <inheritdoc/>
    public static V4 Zero => default;

    /// <inheritdoc/>
    [MethodImpl(Inline)] public static V4 Set(float value) => new(Vector128.Create(value));

    /// <inheritdoc/>
    [MethodImpl(Inline)] public static V4 Load(float* p) => new(Vector128.Load(p));

    /// <inheritdoc/>
    [MethodImpl(Inline)] public static void Store(float* p, V4 v) => v.Value.Store(p);

    /// <inheritdoc/>
    [MethodImpl(Inline)]
    public static V4 LoadPart(float* p, int n) => n switch
    {
        0 => default,
        1 => new(Vector128.CreateScalar(*p)),
        2 => new(Vector128.Create(Vector64.Load(p), Vector64<float>.Zero)),
        3 => new(Vector128.Create(p[0], p[1], p[2], 0f)),
        _ => Load(p),
    };

    /// <inheritdoc/>
    [MethodImpl(Inline)]
    public static void StorePart(float* p, V4 v, int n)
    {
        if (n >= Count)
        {
            Store(p, v);
            return;
        }
        for (var i = 0; i < n; i++) p[i] = v.Value.GetElement(i);
    }

    /// <inheritdoc/>
    [MethodImpl(Inline)] public static V4 operator +(V4 a, V4 b) => new(a.Value + b.Value);

    /// <inheritdoc/>
    [MethodImpl(Inline)] public static V4 operator -(V4 a, V4 b) => new(a.Value - b.Value);

    /// <inheritdoc/>
    [MethodImpl(Inline)] public static V4 operator *(V4 a, V4 b) => new(a.Value * b.Value);

    /// <inheritdoc/>
    [MethodImpl(Inline)] public static V4 operator /(V4 a, V4 b) => new(a.Value / b.Value);

    /// <inheritdoc/>
    [MethodImpl(Inline)] public static V4 operator -(V4 a) => new(-a.Value);

    /// <inheritdoc/>
    [MethodImpl(Inline)] public static V4 Fma(V4 a, V4 b, V4 c) => new(System.Runtime.Intrinsics.X86.Fma.IsSupported || AdvSimd.IsSupported
        ? Vector128.FusedMultiplyAdd(a.Value, b.Value, c.Value)
        : a.Value * b.Value + c.Value);

    /// <inheritdoc/>
    [MethodImpl(Inline)] public static V4 MinOr(V4 a, V4 b) => new(Vector128.ConditionalSelect(Vector128.LessThan(a.Value, b.Value), a.Value, b.Value));

    /// <inheritdoc/>
    [MethodImpl(Inline)] public static V4 MaxOr(V4 a, V4 b) => new(Vector128.ConditionalSelect(Vector128.GreaterThan(a.Value, b.Value), a.Value, b.Value));

    /// <inheritdoc/>
    [MethodImpl(Inline)] public static V4 Abs(V4 a) => new(Vector128.Abs(a.Value));

    /// <inheritdoc/>
    [MethodImpl(Inline)] public static V4 Sqrt(V4 a) => new(Vector128.Sqrt(a.Value));

    /// <inheritdoc/>
    [MethodImpl(Inline)] public static V4 Round(V4 a) => new(Vector128.Round(a.Value));

    /// <inheritdoc/>
    [MethodImpl(Inline)] public static V4 Floor(V4 a) => new(Vector128.Floor(a.Value));

    /// <inheritdoc/>
    [MethodImpl(Inline)] public static V4 CopySign(V4 a, V4 sign) => new(Vector128.CopySign(a.Value, sign.Value));

    /// <inheritdoc/>
    [MethodImpl(Inline)] public static V4 IfLess(V4 a, V4 b, V4 yes, V4 no) => new(Vector128.ConditionalSelect(Vector128.LessThan(a.Value, b.Value), yes.Value, no.Value));

    /// <inheritdoc/>
    [MethodImpl(Inline)] public static V4 IfEqual(V4 a, V4 b, V4 yes, V4 no) => new(Vector128.ConditionalSelect(Vector128.Equals(a.Value, b.Value), yes.Value, no.Value));

    /// <inheritdoc/>
    [MethodImpl(Inline)]
    public static V4 Scale(V4 a, V4 n)
    {
        var i = Vector128.ConvertToInt32Native(n.Value);
        var half = Vector128.ShiftRightArithmetic(i, 1);
        var low = Vector128.ShiftLeft(half + Vector128.Create(127), 23);
        var high = Vector128.ShiftLeft(i - half + Vector128.Create(127), 23);
        return new(a.Value * low.AsSingle() * high.AsSingle());
    }

    /// <inheritdoc/>
    [MethodImpl(Inline)]
    public static V4 Split(V4 a, out V4 exponent)
    {
        var bits = a.Value.AsInt32();
        var e = Vector128.ShiftRightArithmetic(bits - Vector128.Create(VecMath.SqrtHalfBits), 23);
        exponent = new(Vector128.ConvertToSingle(e));
        return new((bits - Vector128.ShiftLeft(e, 23)).AsSingle());
    }

    /// <inheritdoc/>
    [MethodImpl(Inline)] public static float Sum(V4 a) => a.Value.GetElement(0) + a.Value.GetElement(2) + (a.Value.GetElement(1) + a.Value.GetElement(3));

    /// <inheritdoc/>
    [MethodImpl(Inline)] public static float MaxLane(V4 a) => MathF.Max(MathF.Max(a.Value.GetElement(0), a.Value.GetElement(1)), MathF.Max(a.Value.GetElement(2), a.Value.GetElement(3)));
}
