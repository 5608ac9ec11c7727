using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace AiOptix.Kernels.Vectors;

/// <summary>Sixteen lanes; needs AVX-512 F, DQ and VL.</summary>
/// <param name="Value">The lanes.</param>
public readonly unsafe record struct V16(Vector512<float> Value) : IVec<V16>
{
    private const MethodImplOptions Inline = MethodImplOptions.AggressiveInlining;

    /// <inheritdoc/>
    public static int Count => 16;

    /// <inheritdoc/>
    public static V16 Zero => default;

    /// <inheritdoc/>
    [MethodImpl(Inline)] public static V16 Set(float value) => new(Vector512.Create(value));

    /// <inheritdoc/>
    [MethodImpl(Inline)] public static V16 Load(float* p) => new(Avx512F.LoadVector512(p));

    /// <inheritdoc/>
    [MethodImpl(Inline)] public static void Store(float* p, V16 v) => Avx512F.Store(p, v.Value);

    /// <summary>All bits set in the first <paramref name="n"/> lanes.</summary>
    [MethodImpl(Inline)]
    public static Vector512<float> Mask(int n) => Avx512F.CompareGreaterThan(Vector512.Create(n), Vector512.Create(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15)).AsSingle();

    /// <inheritdoc/>
    [MethodImpl(Inline)] public static V16 LoadPart(float* p, int n) => new(Avx512F.MaskLoad(p, Mask(n), Vector512<float>.Zero));

    /// <inheritdoc/>
    [MethodImpl(Inline)] public static void StorePart(float* p, V16 v, int n) => Avx512F.MaskStore(p, Mask(n), v.Value);

    /// <inheritdoc/>
    [MethodImpl(Inline)] public static V16 operator +(V16 a, V16 b) => new(Avx512F.Add(a.Value, b.Value));

    /// <inheritdoc/>
    [MethodImpl(Inline)] public static V16 operator -(V16 a, V16 b) => new(Avx512F.Subtract(a.Value, b.Value));

    /// <inheritdoc/>
    [MethodImpl(Inline)] public static V16 operator *(V16 a, V16 b) => new(Avx512F.Multiply(a.Value, b.Value));

    /// <inheritdoc/>
    [MethodImpl(Inline)] public static V16 operator /(V16 a, V16 b) => new(Avx512F.Divide(a.Value, b.Value));

    /// <inheritdoc/>
    [MethodImpl(Inline)] public static V16 operator -(V16 a) => new(Avx512DQ.Xor(a.Value, Vector512.Create(-0f)));

    /// <inheritdoc/>
    [MethodImpl(Inline)] public static V16 Fma(V16 a, V16 b, V16 c) => new(Avx512F.FusedMultiplyAdd(a.Value, b.Value, c.Value));

    /// <inheritdoc/>
    [MethodImpl(Inline)] public static V16 FmaLoad(V16 a, float* b, V16 c) => new(Avx512F.FusedMultiplyAdd(a.Value, Avx512F.LoadVector512(b), c.Value));

    /// <inheritdoc/>
    [MethodImpl(Inline)] public static V16 MinOr(V16 a, V16 b) => new(Avx512F.Min(a.Value, b.Value));

    /// <inheritdoc/>
    [MethodImpl(Inline)] public static V16 MaxOr(V16 a, V16 b) => new(Avx512F.Max(a.Value, b.Value));

    /// <inheritdoc/>
    [MethodImpl(Inline)] public static V16 Abs(V16 a) => new(Avx512DQ.AndNot(Vector512.Create(-0f), a.Value));

    /// <inheritdoc/>
    [MethodImpl(Inline)] public static V16 Sqrt(V16 a) => new(Avx512F.Sqrt(a.Value));

    /// <inheritdoc/>
    [MethodImpl(Inline)] public static V16 Round(V16 a) => new(Avx512F.RoundScale(a.Value, 0));

    /// <inheritdoc/>
    [MethodImpl(Inline)] public static V16 Floor(V16 a) => new(Avx512F.RoundScale(a.Value, 1));

    /// <inheritdoc/>
    [MethodImpl(Inline)] public static V16 CopySign(V16 a, V16 sign) => new(Avx512DQ.Or(Avx512DQ.AndNot(Vector512.Create(-0f), a.Value), Avx512DQ.And(Vector512.Create(-0f), sign.Value)));

    /// <inheritdoc/>
    [MethodImpl(Inline)] public static V16 IfLess(V16 a, V16 b, V16 yes, V16 no) => new(Avx512F.BlendVariable(no.Value, yes.Value, Avx512F.CompareLessThan(a.Value, b.Value)));

    /// <inheritdoc/>
    [MethodImpl(Inline)] public static V16 IfEqual(V16 a, V16 b, V16 yes, V16 no) => new(Avx512F.BlendVariable(no.Value, yes.Value, Avx512F.CompareEqual(a.Value, b.Value)));

    /// <inheritdoc/>
    [MethodImpl(Inline)] public static V16 Scale(V16 a, V16 n) => new(Avx512F.Scale(a.Value, n.Value));

    /// <inheritdoc/>
    [MethodImpl(Inline)]
    public static V16 Split(V16 a, out V16 exponent)
    {
        var bits = a.Value.AsInt32();
        var e = Avx512F.ShiftRightArithmetic(Avx512F.Subtract(bits, Vector512.Create(VecMath.SqrtHalfBits)), 23);
        exponent = new(Avx512F.ConvertToVector512Single(e));
        return new(Avx512F.Subtract(bits, Avx512F.ShiftLeftLogical(e, 23)).AsSingle());
    }

    /// <inheritdoc/>
    [MethodImpl(Inline)] public static float Sum(V16 a) => V8.Sum(new V8(Avx.Add(a.Value.GetLower(), a.Value.GetUpper())));

    /// <inheritdoc/>
    [MethodImpl(Inline)] public static float MaxLane(V16 a) => V8.MaxLane(new V8(Vector256.Max(a.Value.GetLower(), a.Value.GetUpper())));
}
