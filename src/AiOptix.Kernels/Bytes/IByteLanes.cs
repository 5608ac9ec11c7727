using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;
using AiOptix.Kernels.Vectors;

namespace AiOptix.Kernels.Bytes;

/// <summary>How bytes stand for numbers: (x − zero) · scale, of signed bytes or unsigned ones.</summary>
/// <param name="Scale">The scale: normal and positive.</param>
/// <param name="Zero">The zero point.</param>
/// <param name="IsSigned">Whether bytes are signed.</param>
public readonly record struct ByteNumbers(float Scale, int Zero, bool IsSigned)
{
    /// <summary>What bytes are combined with to be read as unsigned ones.</summary>
    internal byte Flip => IsSigned ? (byte)0x80 : (byte)0;

    /// <summary>The zero point of those.</summary>
    internal int UnsignedZero => IsSigned ? Zero + 128 : Zero;

    /// <summary>The least byte.</summary>
    public int Least => IsSigned ? sbyte.MinValue : byte.MinValue;

    /// <summary>The greatest byte.</summary>
    public int Greatest => IsSigned ? sbyte.MaxValue : byte.MaxValue;
}

/// <summary>Bytes to float32 lanes and back.</summary>
/// <typeparam name="T">The vector.</typeparam>
internal unsafe interface IByteLanes<T> where T : unmanaged, IVec<T>
{
    /// <summary>The numbers of as many bytes as the vector has lanes.</summary>
    static abstract T Load(byte* p, byte flip, int zero, T scale);

    /// <summary>As many bytes as the vector has lanes, counted from 0 upwards.</summary>
    static abstract T Load(byte* p, byte flip);

    /// <summary>Writes numbers in steps of the result: cut off, rounded to the nearest even integer, plus the zero point.</summary>
    static abstract void Store(byte* p, T steps, T low, T high, int zero);
}

/// <summary>One lane.</summary>
internal readonly unsafe struct Bytes1 : IByteLanes<V1>
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V1 Load(byte* p, byte flip) => new(*p ^ flip);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V1 Load(byte* p, byte flip, int zero, V1 scale) => new(((*p ^ flip) - zero) * scale.Value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store(byte* p, V1 steps, V1 low, V1 high, int zero) => *p = (byte)((int)MathF.Round(MathF.Min(MathF.Max(steps.Value, low.Value), high.Value), MidpointRounding.ToEven) + zero);
}

/// <summary>Four lanes, portable.</summary>
internal readonly unsafe struct Bytes4 : IByteLanes<V4>
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V4 Load(byte* p, byte flip) => new(Vector128.ConvertToSingle(Vector128.WidenLower(Vector128.WidenLower(Vector128.CreateScalarUnsafe(*(uint*)p).AsByte() ^ Vector128.Create(flip))).AsInt32()));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V4 Load(byte* p, byte flip, int zero, V4 scale)
    {
        var bytes = (Vector128.CreateScalarUnsafe(*(uint*)p).AsByte() ^ Vector128.Create(flip));
        return new(Vector128.ConvertToSingle(Vector128.WidenLower(Vector128.WidenLower(bytes)).AsInt32() - Vector128.Create(zero)) * scale.Value);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store(byte* p, V4 steps, V4 low, V4 high, int zero)
    {
        var ints = Vector128.ConvertToInt32(Vector128.Round(Vector128.Min(Vector128.Max(steps.Value, low.Value), high.Value))) + Vector128.Create(zero);
        var words = Vector128.Narrow(ints, ints);
        *(uint*)p = Vector128.Narrow(words, words).AsUInt32().ToScalar();
    }
}

/// <summary>Eight lanes: AVX2.</summary>
internal readonly unsafe struct Bytes8 : IByteLanes<V8>
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V8 Load(byte* p, byte flip) => new(Avx.ConvertToVector256Single(Avx2.ConvertToVector256Int32(Vector128.CreateScalarUnsafe(*(ulong*)p).AsByte() ^ Vector128.Create(flip))));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V8 Load(byte* p, byte flip, int zero, V8 scale)
    {
        var bytes = Vector128.CreateScalarUnsafe(*(ulong*)p).AsByte() ^ Vector128.Create(flip);
        return new(Avx.ConvertToVector256Single(Avx2.ConvertToVector256Int32(bytes) - Vector256.Create(zero)) * scale.Value);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store(byte* p, V8 steps, V8 low, V8 high, int zero)
    {
        var ints = Avx.ConvertToVector256Int32(Avx.Min(Avx.Max(steps.Value, low.Value), high.Value)) + Vector256.Create(zero);
        var words = Vector128.Narrow(ints.GetLower(), ints.GetUpper());
        *(ulong*)p = Vector128.Narrow(words, words).AsUInt64().ToScalar();
    }
}

/// <summary>Sixteen lanes: AVX-512 F and BW.</summary>
internal readonly unsafe struct Bytes16 : IByteLanes<V16>
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V16 Load(byte* p, byte flip) => new(Avx512F.ConvertToVector512Single(Avx512F.ConvertToVector512Int32(Vector128.Load(p) ^ Vector128.Create(flip))));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V16 Load(byte* p, byte flip, int zero, V16 scale)
    {
        var ints = Avx512F.ConvertToVector512Int32(Vector128.Load(p) ^ Vector128.Create(flip));
        return new(Avx512F.Multiply(Avx512F.ConvertToVector512Single(Avx512F.Subtract(ints, Vector512.Create(zero))), scale.Value));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store(byte* p, V16 steps, V16 low, V16 high, int zero)
    {
        var ints = Avx512F.Add(Avx512F.ConvertToVector512Int32(Avx512F.Min(Avx512F.Max(steps.Value, low.Value), high.Value)), Vector512.Create(zero));
        Avx512F.ConvertToVector128Byte(ints).Store(p);
    }
}
