using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace AiOptix.Kernels.QuantizedConv;

/// <summary>A vector of int32 sums to which products of int16 pairs are added: lane i gains a[2i]·b[2i] + a[2i+1]·b[2i+1]. Exact as long as the sums are.</summary>
/// <typeparam name="T">The vector itself.</typeparam>
internal unsafe interface IPairs<T> where T : unmanaged, IPairs<T>
{
    /// <summary>Lanes of int32.</summary>
    static abstract int Count { get; }

    /// <summary>Reads <see cref="Count"/> pairs, or four bytes a lane.</summary>
    static abstract T Load(int* p);

    /// <summary>The same four bytes in every lane.</summary>
    static abstract T Broadcast(uint quad);

    /// <summary>The first and third byte of every lane, its highest bits flipped by <paramref name="flip"/> before, as a pair of unsigned numbers.</summary>
    static abstract T Even(T quads, uint flip);

    /// <summary>The second and fourth one.</summary>
    static abstract T Odd(T quads, uint flip);

    /// <summary>Writes the sums.</summary>
    static abstract void Store(int* p, T sums);

    /// <summary>The sums with a product of pairs added.</summary>
    static abstract T MultiplyAdd(T sums, T a, T b);
}

/// <summary>Portable code: both halves are widened and multiplied as int32.</summary>
internal readonly unsafe record struct Pairs4(Vector128<int> Value) : IPairs<Pairs4>
{
    public static int Count => 4;

    [MethodImpl(MethodImplOptions.AggressiveInlining)] public static Pairs4 Load(int* p) => new(Vector128.Load(p));

    [MethodImpl(MethodImplOptions.AggressiveInlining)] public static Pairs4 Broadcast(uint quad) => new(Vector128.Create((int)quad));

    [MethodImpl(MethodImplOptions.AggressiveInlining)] public static Pairs4 Even(Pairs4 quads, uint flip) => new((quads.Value ^ Vector128.Create((int)flip)) & Vector128.Create(0x00ff00ff));

    [MethodImpl(MethodImplOptions.AggressiveInlining)] public static Pairs4 Odd(Pairs4 quads, uint flip) => new(((quads.Value ^ Vector128.Create((int)flip)) >>> 8) & Vector128.Create(0x00ff00ff));

    [MethodImpl(MethodImplOptions.AggressiveInlining)] public static void Store(int* p, Pairs4 sums) => sums.Value.Store(p);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Pairs4 MultiplyAdd(Pairs4 sums, Pairs4 a, Pairs4 b) =>
        new(sums.Value + ((a.Value << 16) >> 16) * ((b.Value << 16) >> 16) + (a.Value >> 16) * (b.Value >> 16));
}

/// <summary>AVX2: vpmaddwd and vpaddd.</summary>
internal readonly unsafe record struct Pairs8(Vector256<int> Value) : IPairs<Pairs8>
{
    public static int Count => 8;

    [MethodImpl(MethodImplOptions.AggressiveInlining)] public static Pairs8 Load(int* p) => new(Vector256.Load(p));

    [MethodImpl(MethodImplOptions.AggressiveInlining)] public static Pairs8 Broadcast(uint quad) => new(Vector256.Create((int)quad));

    [MethodImpl(MethodImplOptions.AggressiveInlining)] public static Pairs8 Even(Pairs8 quads, uint flip) => new((quads.Value ^ Vector256.Create((int)flip)) & Vector256.Create(0x00ff00ff));

    [MethodImpl(MethodImplOptions.AggressiveInlining)] public static Pairs8 Odd(Pairs8 quads, uint flip) => new(((quads.Value ^ Vector256.Create((int)flip)) >>> 8) & Vector256.Create(0x00ff00ff));

    [MethodImpl(MethodImplOptions.AggressiveInlining)] public static void Store(int* p, Pairs8 sums) => sums.Value.Store(p);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Pairs8 MultiplyAdd(Pairs8 sums, Pairs8 a, Pairs8 b) => new(sums.Value + Avx2.MultiplyAddAdjacent(a.Value.AsInt16(), b.Value.AsInt16()));
}

/// <summary>AVX-512 BW: vpmaddwd and vpaddd.</summary>
internal readonly unsafe record struct Pairs16(Vector512<int> Value) : IPairs<Pairs16>
{
    public static int Count => 16;

    [MethodImpl(MethodImplOptions.AggressiveInlining)] public static Pairs16 Load(int* p) => new(Vector512.Load(p));

    [MethodImpl(MethodImplOptions.AggressiveInlining)] public static Pairs16 Broadcast(uint quad) => new(Vector512.Create((int)quad));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Pairs16 Even(Pairs16 quads, uint flip) => new(Avx512F.And(Avx512F.Xor(quads.Value, Vector512.Create((int)flip)), Vector512.Create(0x00ff00ff)));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Pairs16 Odd(Pairs16 quads, uint flip) => new(Avx512BW.ShiftRightLogical(Avx512F.Xor(quads.Value, Vector512.Create((int)flip)).AsUInt16(), 8).AsInt32());

    [MethodImpl(MethodImplOptions.AggressiveInlining)] public static void Store(int* p, Pairs16 sums) => sums.Value.Store(p);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Pairs16 MultiplyAdd(Pairs16 sums, Pairs16 a, Pairs16 b) =>
        new(Avx512F.Add(sums.Value, Avx512BW.MultiplyAddAdjacent(a.Value.AsInt16(), b.Value.AsInt16())));
}
