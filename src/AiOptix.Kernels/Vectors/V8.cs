using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace AiOptix.Kernels.Vectors;

/// <summary>Eight lanes; needs AVX2 and FMA3.</summary>
/// <param name="Value">The lanes.</param>
public readonly unsafe record struct V8(Vector256<float> Value) : IVec<V8>
{
    private const MethodImplOptions Inline = MethodImplOptions.AggressiveInlining;

    /// <inheritdoc/>
    public static int Count => 8;

    /// <inheritdoc/>
    public static V8 Zero => default;

    /// <inheritdoc/>
    [MethodImpl(Inline)] public static V8 Set(float value) => new(Vector256.Create(value));

    /// <inheritdoc/>
    [MethodImpl(Inline)] public static V8 Load(float* p) => new(Avx.LoadVector256(p));

    /// <inheritdoc/>
    [MethodImpl(Inline)] public static void Store(float* p, V8 v) => Avx.Store(p, v.Value);

    /// <summary>All bits set in the first <paramref name="n"/> lanes.</summary>
    [MethodImpl(Inline)]
    public static Vector256<float> Mask(int n) => Avx2.CompareGreaterThan(Vector256.Create(n), Vector256.Create(0, 1, 2, 3, 4, 5, 6, 7)).AsSingle();

    /// <inheritdoc/>
    [MethodImpl(Inline)] public static V8 LoadPart(float* p, int n) => new(Avx.MaskLoad(p, Mask(n)));

    /// <inheritdoc/>
    [MethodImpl(Inline)] public static void StorePart(float* p, V8 v, int n) => Avx.MaskStore(p, Mask(n), v.Value);

    /// <inheritdoc/>
    [MethodImpl(Inline)] public static V8 operator +(V8 a, V8 b) => new(Avx.Add(a.Value, b.Value));

    /// <inheritdoc/>
    [MethodImpl(Inline)] public static V8 operator -(V8 a, V8 b) => new(Avx.Subtract(a.Value, b.Value));

    /// <inheritdoc/>
    [MethodImpl(Inline)] public static V8 operator *(V8 a, V8 b) => new(Avx.Multiply(a.Value, b.Value));

    /// <inheritdoc/>
    [MethodImpl(Inline)] public static V8 operator /(V8 a, V8 b) => new(Avx.Divide(a.Value, b.Value));

    /// <inheritdoc/>
    [MethodImpl(Inline)] public static V8 operator -(V8 a) => new(Avx.Xor(a.Value, Vector256.Create(-0f)));

    /// <inheritdoc/>
    [MethodImpl(Inline)] public static V8 Fma(V8 a, V8 b, V8 c) => new(System.Runtime.Intrinsics.X86.Fma.MultiplyAdd(a.Value, b.Value, c.Value));

    /// <inheritdoc/>
    [MethodImpl(Inline)] public static V8 FmaLoad(V8 a, float* b, V8 c) => new(System.Runtime.Intrinsics.X86.Fma.MultiplyAdd(a.Value, Avx.LoadVector256(b), c.Value));

    /// <inheritdoc/>
    [MethodImpl(Inline)] public static V8 MinOr(V8 a, V8 b) => new(Avx.Min(a.Value, b.Value));

    /// <inheritdoc/>
    [MethodImpl(Inline)] public static V8 MaxOr(V8 a, V8 b) => new(Avx.Max(a.Value, b.Value));

    /// <inheritdoc/>
    [MethodImpl(Inline)] public static V8 Abs(V8 a) => new(Avx.AndNot(Vector256.Create(-0f), a.Value));

    /// <inheritdoc/>
    [MethodImpl(Inline)] public static V8 Sqrt(V8 a) => new(Avx.Sqrt(a.Value));

    /// <inheritdoc/>
    [MethodImpl(Inline)] public static V8 Round(V8 a) => new(Avx.RoundToNearestInteger(a.Value));

    /// <inheritdoc/>
    [MethodImpl(Inline)] public static V8 Floor(V8 a) => new(Avx.Floor(a.Value));

    /// <inheritdoc/>
    [MethodImpl(Inline)] public static V8 CopySign(V8 a, V8 sign) => new(Avx.Or(Avx.AndNot(Vector256.Create(-0f), a.Value), Avx.And(Vector256.Create(-0f), sign.Value)));

    /// <inheritdoc/>
    [MethodImpl(Inline)] public static V8 IfLess(V8 a, V8 b, V8 yes, V8 no) => new(Avx.BlendVariable(no.Value, yes.Value, Avx.CompareLessThan(a.Value, b.Value)));

    /// <inheritdoc/>
    [MethodImpl(Inline)] public static V8 IfEqual(V8 a, V8 b, V8 yes, V8 no) => new(Avx.BlendVariable(no.Value, yes.Value, Avx.CompareEqual(a.Value, b.Value)));

    /// <inheritdoc/>
    [MethodImpl(Inline)]
    public static V8 Scale(V8 a, V8 n)
    {
        var i = Avx.ConvertToVector256Int32(n.Value);
        var half = Avx2.ShiftRightArithmetic(i, 1);
        var low = Avx2.ShiftLeftLogical(Avx2.Add(half, Vector256.Create(127)), 23);
        var high = Avx2.ShiftLeftLogical(Avx2.Add(Avx2.Subtract(i, half), Vector256.Create(127)), 23);
        return new(Avx.Multiply(Avx.Multiply(a.Value, low.AsSingle()), high.AsSingle()));
    }

    /// <inheritdoc/>
    [MethodImpl(Inline)]
    public static V8 Split(V8 a, out V8 exponent)
    {
        var bits = a.Value.AsInt32();
        var e = Avx2.ShiftRightArithmetic(Avx2.Subtract(bits, Vector256.Create(VecMath.SqrtHalfBits)), 23);
        exponent = new(Avx.ConvertToVector256Single(e));
        return new(Avx2.Subtract(bits, Avx2.ShiftLeftLogical(e, 23)).AsSingle());
    }

    /// <inheritdoc/>
    [MethodImpl(Inline)] public static float Sum(V8 a) => V4.Sum(new V4(a.Value.GetLower() + a.Value.GetUpper()));

    /// <inheritdoc/>
    [MethodImpl(Inline)] public static float MaxLane(V8 a) => V4.MaxLane(new V4(Vector128.Max(a.Value.GetLower(), a.Value.GetUpper())));
}
