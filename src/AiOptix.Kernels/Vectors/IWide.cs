using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace AiOptix.Kernels.Vectors;

/// <summary>A vector of float64 lanes for sums whose rounding must not show in float32. No fused operations, so that every width gives the same bits.</summary>
internal unsafe interface IWide<T> where T : unmanaged, IWide<T>
{
    /// <summary>Lanes.</summary>
    static abstract int Count { get; }

    /// <summary>All lanes <paramref name="value"/>.</summary>
    static abstract T Set(double value);

    /// <summary>Reads doubles.</summary>
    static abstract T Load(double* p);

    /// <summary>Reads floats and widens them.</summary>
    static abstract T Widen(float* p);

    /// <summary>Writes doubles.</summary>
    static abstract void Store(double* p, T v);

    /// <summary>Rounds to floats and writes them.</summary>
    static abstract void Narrow(float* p, T v);

    /// <summary>Sum.</summary>
    static abstract T operator +(T a, T b);

    /// <summary>Product.</summary>
    static abstract T operator *(T a, T b);
}

/// <summary>One lane.</summary>
internal readonly unsafe struct D1(double value) : IWide<D1>
{
    private readonly double value = value;

    public static int Count => 1;
    public static D1 Set(double value) => new(value);
    public static D1 Load(double* p) => new(*p);
    public static D1 Widen(float* p) => new(*p);
    public static void Store(double* p, D1 v) => *p = v.value;
    public static void Narrow(float* p, D1 v) => *p = (float)v.value;
    public static D1 operator +(D1 a, D1 b) => new(a.value + b.value);
    public static D1 operator *(D1 a, D1 b) => new(a.value * b.value);
}

/// <summary>Two lanes, portable.</summary>
internal readonly unsafe struct D2(Vector128<double> value) : IWide<D2>
{
    private readonly Vector128<double> value = value;

    public static int Count => 2;
    public static D2 Set(double value) => new(Vector128.Create(value));
    public static D2 Load(double* p) => new(Vector128.Load(p));
    public static D2 Widen(float* p) => new(Vector128.Create((double)p[0], p[1]));
    public static void Store(double* p, D2 v) => v.value.Store(p);

    public static void Narrow(float* p, D2 v)
    {
        p[0] = (float)v.value.GetElement(0);
        p[1] = (float)v.value.GetElement(1);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static D2 operator +(D2 a, D2 b) => new(a.value + b.value);
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static D2 operator *(D2 a, D2 b) => new(a.value * b.value);
}

/// <summary>Four lanes of AVX.</summary>
internal readonly unsafe struct D4(Vector256<double> value) : IWide<D4>
{
    private readonly Vector256<double> value = value;

    public static int Count => 4;
    public static D4 Set(double value) => new(Vector256.Create(value));
    public static D4 Load(double* p) => new(Vector256.Load(p));
    public static D4 Widen(float* p) => new(Avx.ConvertToVector256Double(Vector128.Load(p)));
    public static void Store(double* p, D4 v) => v.value.Store(p);
    public static void Narrow(float* p, D4 v) => Avx.ConvertToVector128Single(v.value).Store(p);
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static D4 operator +(D4 a, D4 b) => new(Avx.Add(a.value, b.value));
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static D4 operator *(D4 a, D4 b) => new(Avx.Multiply(a.value, b.value));
}

/// <summary>Eight lanes of AVX-512.</summary>
internal readonly unsafe struct D8(Vector512<double> value) : IWide<D8>
{
    private readonly Vector512<double> value = value;

    public static int Count => 8;
    public static D8 Set(double value) => new(Vector512.Create(value));
    public static D8 Load(double* p) => new(Vector512.Load(p));
    public static D8 Widen(float* p) => new(Avx512F.ConvertToVector512Double(Vector256.Load(p)));
    public static void Store(double* p, D8 v) => v.value.Store(p);
    public static void Narrow(float* p, D8 v) => Avx512F.ConvertToVector256Single(v.value).Store(p);
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static D8 operator +(D8 a, D8 b) => new(Avx512F.Add(a.value, b.value));
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static D8 operator *(D8 a, D8 b) => new(Avx512F.Multiply(a.value, b.value));
}
