using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using AiOptix.Kernels.Vectors;

namespace AiOptix.Kernels.Gemm;

/// <summary>Lanes of <see cref="CompactPanels"/>: 28 bits of a weight above four bits of another one.</summary>
/// <typeparam name="T">The vector.</typeparam>
internal interface ICompactLanes<T> where T : unmanaged, IVec<T>
{
    /// <summary>A base of exponents as it is added to every lane.</summary>
    static abstract T Base(int exponent);

    /// <summary>The weights of the upper 28 bits: sign, exponent above the base, mantissa.</summary>
    static abstract T Weight(T lanes, T exponents);

    /// <summary>Four bits more at the low end: <paramref name="lanes"/> moved up, and the lowest four of <paramref name="low"/>.</summary>
    static abstract T Append(T lanes, T low);
}

/// <summary>Four lanes, portable.</summary>
internal readonly struct Compact4 : ICompactLanes<V4>
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)] public static V4 Base(int exponent) => new(Vector128.Create(exponent << 23).AsSingle());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V4 Weight(V4 lanes, V4 exponents) => new(((lanes.Value.AsInt32() >> 4 & Vector128.Create(unchecked((int)0x87FFFFFF))) + exponents.Value.AsInt32()).AsSingle());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V4 Append(V4 lanes, V4 low) => new(Vector128.ConditionalSelect(Vector128.Create(15), low.Value.AsInt32(), lanes.Value.AsInt32() << 4).AsSingle());
}

/// <summary>Eight lanes: AVX2.</summary>
internal readonly struct Compact8 : ICompactLanes<V8>
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)] public static V8 Base(int exponent) => new(Vector256.Create(exponent << 23).AsSingle());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V8 Weight(V8 lanes, V8 exponents) => new(((lanes.Value.AsInt32() >> 4 & Vector256.Create(unchecked((int)0x87FFFFFF))) + exponents.Value.AsInt32()).AsSingle());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V8 Append(V8 lanes, V8 low) => new(Vector256.ConditionalSelect(Vector256.Create(15), low.Value.AsInt32(), lanes.Value.AsInt32() << 4).AsSingle());
}

/// <summary>Sixteen lanes: AVX-512 F.</summary>
internal readonly struct Compact16 : ICompactLanes<V16>
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)] public static V16 Base(int exponent) => new(Vector512.Create(exponent << 23).AsSingle());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V16 Weight(V16 lanes, V16 exponents) => new(((lanes.Value.AsInt32() >> 4 & Vector512.Create(unchecked((int)0x87FFFFFF))) + exponents.Value.AsInt32()).AsSingle());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V16 Append(V16 lanes, V16 low) => new(Vector512.ConditionalSelect(Vector512.Create(15), low.Value.AsInt32(), lanes.Value.AsInt32() << 4).AsSingle());
}
