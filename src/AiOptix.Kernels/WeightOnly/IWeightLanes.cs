using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;
using AiOptix.Kernels.Vectors;

namespace AiOptix.Kernels.WeightOnly;

/// <summary>Small integers to float32 lanes.</summary>
/// <typeparam name="T">The vector.</typeparam>
internal unsafe interface IWeightLanes<T> where T : unmanaged, IVec<T>
{
    /// <summary>As many signed bytes as the vector has lanes.</summary>
    static abstract T Bytes(byte* p);

    /// <summary>Of every 32-bit lane, read as it is, the four bits from <paramref name="shift"/> on, less 8.</summary>
    static abstract T Nibbles(T lanes, int shift);
}

/// <summary>One lane.</summary>
internal readonly unsafe struct Weights1 : IWeightLanes<V1>
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)] public static V1 Bytes(byte* p) => new((sbyte)*p);

    [MethodImpl(MethodImplOptions.AggressiveInlining)] public static V1 Nibbles(V1 lanes, int shift) => new((int)(BitConverter.SingleToUInt32Bits(lanes.Value) >> shift & 15) - 8);
}

/// <summary>Four lanes, portable.</summary>
internal readonly unsafe struct Weights4 : IWeightLanes<V4>
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V4 Bytes(byte* p) => new(Vector128.ConvertToSingle(Vector128.WidenLower(Vector128.WidenLower(Vector128.CreateScalarUnsafe(*(uint*)p).AsSByte()))));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V4 Nibbles(V4 lanes, int shift) => new(Vector128.ConvertToSingle(((lanes.Value.AsInt32() >>> shift) & Vector128.Create(15)) - Vector128.Create(8)));
}

/// <summary>Eight lanes: AVX2.</summary>
internal readonly unsafe struct Weights8 : IWeightLanes<V8>
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)] public static V8 Bytes(byte* p) => new(Avx.ConvertToVector256Single(Avx2.ConvertToVector256Int32((sbyte*)p)));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V8 Nibbles(V8 lanes, int shift) => new(Avx.ConvertToVector256Single(((lanes.Value.AsInt32() >>> shift) & Vector256.Create(15)) - Vector256.Create(8)));
}

/// <summary>Sixteen lanes: AVX-512 F. Four bits are looked up in a register of sixteen floats.</summary>
internal readonly unsafe struct Weights16 : IWeightLanes<V16>
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V16 Bytes(byte* p) => new(Avx512F.ConvertToVector512Single(Avx512F.ConvertToVector512Int32(Vector128.Load((sbyte*)p))));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V16 Nibbles(V16 lanes, int shift) => new(Avx512F.PermuteVar16x32(Vector512.Create(-8f, -7f, -6f, -5f, -4f, -3f, -2f, -1f, 0f, 1f, 2f, 3f, 4f, 5f, 6f, 7f),
        lanes.Value.AsInt32() >>> shift));
}
