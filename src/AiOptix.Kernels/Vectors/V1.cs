using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics.Arm;
using System.Runtime.Intrinsics.X86;

namespace AiOptix.Kernels.Vectors;

/// <summary>One lane: the scalar reference of every width.</summary>
/// <param name="Value">The lane.</param>
public readonly unsafe record struct V1(float Value) : IVec<V1>
{
    private const MethodImplOptions Inline = MethodImplOptions.AggressiveInlining;

    /// <inheritdoc/>
    public static int Count => 1;

    /// <inheritdoc/>
    public static V1 Zero => default;

    /// <inheritdoc/>
    [MethodImpl(Inline)] public static V1 Set(float value) => new(value);

    /// <inheritdoc/>
    [MethodImpl(Inline)] public static V1 Load(float* p) => new(*p);

    /// <inheritdoc/>
    [MethodImpl(Inline)] public static void Store(float* p, V1 v) => *p = v.Value;

    /// <inheritdoc/>
    [MethodImpl(Inline)] public static V1 LoadPart(float* p, int n) => n > 0 ? new(*p) : default;

    /// <inheritdoc/>
    [MethodImpl(Inline)]
    public static void StorePart(float* p, V1 v, int n)
    {
        if (n > 0) *p = v.Value;
    }

    /// <inheritdoc/>
    [MethodImpl(Inline)] public static V1 operator +(V1 a, V1 b) => new(a.Value + b.Value);

    /// <inheritdoc/>
    [MethodImpl(Inline)] public static V1 operator -(V1 a, V1 b) => new(a.Value - b.Value);

    /// <inheritdoc/>
    [MethodImpl(Inline)] public static V1 operator *(V1 a, V1 b) => new(a.Value * b.Value);

    /// <inheritdoc/>
    [MethodImpl(Inline)] public static V1 operator /(V1 a, V1 b) => new(a.Value / b.Value);

    /// <inheritdoc/>
    [MethodImpl(Inline)] public static V1 operator -(V1 a) => new(-a.Value);

    /// <inheritdoc/>
    [MethodImpl(Inline)]
    public static V1 Fma(V1 a, V1 b, V1 c)
        => System.Runtime.Intrinsics.X86.Fma.IsSupported || AdvSimd.IsSupported
            ? new(MathF.FusedMultiplyAdd(a.Value, b.Value, c.Value))
            : new(a.Value * b.Value + c.Value);

    /// <inheritdoc/>
    [MethodImpl(Inline)] public static V1 MinOr(V1 a, V1 b) => a.Value < b.Value ? a : b;

    /// <inheritdoc/>
    [MethodImpl(Inline)] public static V1 MaxOr(V1 a, V1 b) => a.Value > b.Value ? a : b;

    /// <inheritdoc/>
    [MethodImpl(Inline)] public static V1 Abs(V1 a) => new(MathF.Abs(a.Value));

    /// <inheritdoc/>
    [MethodImpl(Inline)] public static V1 Sqrt(V1 a) => new(MathF.Sqrt(a.Value));

    /// <inheritdoc/>
    [MethodImpl(Inline)] public static V1 Round(V1 a) => new(MathF.Round(a.Value));

    /// <inheritdoc/>
    [MethodImpl(Inline)] public static V1 Floor(V1 a) => new(MathF.Floor(a.Value));

    /// <inheritdoc/>
    [MethodImpl(Inline)] public static V1 CopySign(V1 a, V1 sign) => new(MathF.CopySign(a.Value, sign.Value));

    /// <inheritdoc/>
    [MethodImpl(Inline)] public static V1 IfLess(V1 a, V1 b, V1 yes, V1 no) => a.Value < b.Value ? yes : no;

    /// <inheritdoc/>
    [MethodImpl(Inline)] public static V1 IfEqual(V1 a, V1 b, V1 yes, V1 no) => a.Value == b.Value ? yes : no;

    /// <inheritdoc/>
    [MethodImpl(Inline)]
    public static V1 Scale(V1 a, V1 n)
    {
        var i = float.IsNaN(n.Value) ? 0 : (int)n.Value;
        var half = i >> 1;
        return new(a.Value * BitConverter.Int32BitsToSingle((half + 127) << 23) * BitConverter.Int32BitsToSingle((i - half + 127) << 23));
    }

    /// <inheritdoc/>
    [MethodImpl(Inline)]
    public static V1 Split(V1 a, out V1 exponent)
    {
        var bits = BitConverter.SingleToInt32Bits(a.Value);
        var e = (bits - VecMath.SqrtHalfBits) >> 23;
        exponent = new(e);
        return new(BitConverter.Int32BitsToSingle(bits - (e << 23)));
    }

    /// <inheritdoc/>
    public static float Sum(V1 a) => a.Value;

    /// <inheritdoc/>
    public static float MaxLane(V1 a) => a.Value;
}
