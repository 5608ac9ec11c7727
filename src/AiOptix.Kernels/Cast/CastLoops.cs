using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using AiOptix.Tensors;

namespace AiOptix.Kernels.Cast;

/// <summary>A boolean element: one byte, 0 or 1.</summary>
internal readonly struct Flag(byte value)
{
    public readonly byte Value = value;
}

/// <summary>
/// Conversions. Floats round to nearest even. Floats become integers by cutting the fraction off: the nearest int64 or int32 (NaN gives 0); narrower
/// types keep the low bits of the int64. Integers become narrower by keeping the low bits. Booleans are 0 and 1; everything but zero is true.
/// </summary>
internal static unsafe class CastLoops
{
    [MethodImpl(HotCode.Optimized)]
    public static void Scalar<TFrom, TTo>(byte* x, byte* y, long n) where TFrom : unmanaged where TTo : unmanaged
    {
        var from = (TFrom*)x;
        var to = (TTo*)y;
        for (long i = 0; i < n; i++) to[i] = One<TFrom, TTo>(from[i]);
    }

    /// <summary>Booleans to 0 and 1, sixteen at a time.</summary>
    [MethodImpl(HotCode.Optimized)]
    public static void FlagToSingle(byte* x, byte* y, long n)
    {
        long i = 0;
        var to = (float*)y;
        for (; i <= n - 16; i += 16)
        {
            var (low, high) = Vector128.Widen(~Vector128.Equals(Vector128.Load(x + i), Vector128<byte>.Zero) & Vector128<byte>.One);
            var (a, b) = Vector128.Widen(low);
            var (c, d) = Vector128.Widen(high);
            Vector128.ConvertToSingle(a.AsInt32()).Store(to + i);
            Vector128.ConvertToSingle(b.AsInt32()).Store(to + i + 4);
            Vector128.ConvertToSingle(c.AsInt32()).Store(to + i + 8);
            Vector128.ConvertToSingle(d.AsInt32()).Store(to + i + 12);
        }
        Scalar<Flag, float>(x + i, y + i * 4, n - i);
    }

    /// <summary>binary16 to binary32: the exponent is moved by a multiplication, which also makes denormals normal.</summary>
    [MethodImpl(HotCode.Optimized)]
    public static void HalfToSingle(byte* x, byte* y, long n)
    {
        long i = 0;
        for (; i <= n - 8; i += 8)
        {
            var (low, high) = Vector128.Widen(Vector128.Load((ushort*)x + i));
            Widen(low).Store((uint*)y + i);
            Widen(high).Store((uint*)y + i + 4);
        }
        Scalar<Half, float>(x + i * 2, y + i * 4, n - i);
    }

    /// <summary>binary32 to binary16, rounded to nearest even: normal results by an addition to the bits, denormal ones by a floating-point addition.</summary>
    [MethodImpl(HotCode.Optimized)]
    public static void SingleToHalf(byte* x, byte* y, long n)
    {
        long i = 0;
        for (; i <= n - 8; i += 8)
            Vector128.Narrow(NarrowHalf(Vector128.Load((uint*)x + i)), NarrowHalf(Vector128.Load((uint*)x + i + 4))).Store((ushort*)y + i);
        Scalar<float, Half>(x + i * 4, y + i * 2, n - i);
    }

    /// <summary>bfloat16 to binary32.</summary>
    [MethodImpl(HotCode.Optimized)]
    public static void BrainToSingle(byte* x, byte* y, long n)
    {
        long i = 0;
        for (; i <= n - 8; i += 8)
        {
            var (low, high) = Vector128.Widen(Vector128.Load((ushort*)x + i));
            (low << 16).Store((uint*)y + i);
            (high << 16).Store((uint*)y + i + 4);
        }
        Scalar<BFloat16, float>(x + i * 2, y + i * 4, n - i);
    }

    /// <summary>binary32 to bfloat16, rounded to nearest even; NaN stays NaN.</summary>
    [MethodImpl(HotCode.Optimized)]
    public static void SingleToBrain(byte* x, byte* y, long n)
    {
        long i = 0;
        for (; i <= n - 8; i += 8)
            Vector128.Narrow(NarrowBrain(Vector128.Load((uint*)x + i)), NarrowBrain(Vector128.Load((uint*)x + i + 4))).Store((ushort*)y + i);
        Scalar<float, BFloat16>(x + i * 4, y + i * 2, n - i);
    }

    /// <summary>binary32 to int32; vectors with an element beyond int32 go one by one.</summary>
    [MethodImpl(HotCode.Optimized)]
    public static void SingleToInt32(byte* x, byte* y, long n)
    {
        long i = 0;
        for (; i <= n - 4; i += 4)
        {
            var v = Vector128.Load((float*)x + i);
            if (Vector128.LessThanAll(Vector128.Abs(v), Vector128.Create(2147483648f))) Vector128.ConvertToInt32Native(v).Store((int*)y + i);
            else Scalar<float, int>(x + i * 4, y + i * 4, 4);
        }
        Scalar<float, int>(x + i * 4, y + i * 4, n - i);
    }

    /// <summary>int32 to binary32.</summary>
    [MethodImpl(HotCode.Optimized)]
    public static void Int32ToSingle(byte* x, byte* y, long n)
    {
        long i = 0;
        for (; i <= n - 4; i += 4) Vector128.ConvertToSingle(Vector128.Load((int*)x + i)).Store((float*)y + i);
        Scalar<int, float>(x + i * 4, y + i * 4, n - i);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<uint> Widen(Vector128<uint> h)
    {
        var magnitude = (h & Vector128.Create(0x7FFFu)) << 13;
        var scaled = (magnitude.AsSingle() * Vector128.Create(0x77800000u).AsSingle()).AsUInt32();
        var special = Vector128.GreaterThanOrEqual(magnitude.AsInt32(), Vector128.Create(0x0F800000)).AsUInt32();
        var nan = Vector128.GreaterThan(magnitude.AsInt32(), Vector128.Create(0x0F800000)).AsUInt32();
        var infinite = magnitude | Vector128.Create(0x7F800000u) | (nan & Vector128.Create(0x00400000u));
        return Vector128.ConditionalSelect(special, infinite, scaled) | ((h & Vector128.Create(0x8000u)) << 16);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<uint> NarrowHalf(Vector128<uint> x)
    {
        var sign = x & Vector128.Create(0x80000000u);
        var a = x ^ sign;
        var normal = (a - Vector128.Create(0x38000000u) + Vector128.Create(0xFFFu) + ((a >> 13) & Vector128<uint>.One)) >> 13;
        var half = Vector128.Create(0x3F000000u);
        var denormal = (a.AsSingle() + half.AsSingle()).AsUInt32() - half;
        var result = Vector128.ConditionalSelect(Vector128.LessThan(a.AsInt32(), Vector128.Create(0x38800000)).AsUInt32(), denormal, normal);
        result = Vector128.ConditionalSelect(Vector128.GreaterThanOrEqual(a.AsInt32(), Vector128.Create(0x47800000)).AsUInt32(), Vector128.Create(0x7C00u), result);
        var payload = Vector128.Create(0x7E00u) | ((a >> 13) & Vector128.Create(0x3FFu));
        result = Vector128.ConditionalSelect(Vector128.GreaterThan(a.AsInt32(), Vector128.Create(0x7F800000)).AsUInt32(), payload, result);
        return result | (sign >> 16);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<uint> NarrowBrain(Vector128<uint> x)
    {
        var rounded = (x + Vector128.Create(0x7FFFu) + ((x >> 16) & Vector128<uint>.One)) >> 16;
        var nan = ~Vector128.Equals(x.AsSingle(), x.AsSingle()).AsUInt32();
        return Vector128.ConditionalSelect(nan, (x >> 16) | Vector128.Create(0x40u), rounded);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static TTo One<TFrom, TTo>(TFrom x) where TFrom : unmanaged where TTo : unmanaged
    {
        if (typeof(TFrom) == typeof(TTo)) return Unsafe.BitCast<TFrom, TTo>(x);
        if (typeof(TFrom) == typeof(BFloat16) && typeof(TTo) == typeof(float)) return Unsafe.BitCast<float, TTo>(Unsafe.BitCast<TFrom, BFloat16>(x));
        if (typeof(TFrom) == typeof(float)) return OfDouble<TTo>(Unsafe.BitCast<TFrom, float>(x));
        if (typeof(TFrom) == typeof(double)) return OfDouble<TTo>(Unsafe.BitCast<TFrom, double>(x));
        if (typeof(TFrom) == typeof(Half)) return OfDouble<TTo>((float)Unsafe.BitCast<TFrom, Half>(x));
        if (typeof(TFrom) == typeof(BFloat16)) return OfDouble<TTo>(Unsafe.BitCast<TFrom, BFloat16>(x));
        if (typeof(TFrom) == typeof(ulong))
        {
            var wide = Unsafe.BitCast<TFrom, ulong>(x);
            return IsFloat<TTo>() ? OfDouble<TTo>(wide) : OfLong<TTo>((long)wide);
        }
        if (typeof(TFrom) == typeof(long)) return OfLong<TTo>(Unsafe.BitCast<TFrom, long>(x));
        if (typeof(TFrom) == typeof(int)) return OfLong<TTo>(Unsafe.BitCast<TFrom, int>(x));
        if (typeof(TFrom) == typeof(uint)) return OfLong<TTo>(Unsafe.BitCast<TFrom, uint>(x));
        if (typeof(TFrom) == typeof(short)) return OfLong<TTo>(Unsafe.BitCast<TFrom, short>(x));
        if (typeof(TFrom) == typeof(ushort)) return OfLong<TTo>(Unsafe.BitCast<TFrom, ushort>(x));
        if (typeof(TFrom) == typeof(sbyte)) return OfLong<TTo>(Unsafe.BitCast<TFrom, sbyte>(x));
        if (typeof(TFrom) == typeof(byte)) return OfLong<TTo>(Unsafe.BitCast<TFrom, byte>(x));
        return OfLong<TTo>(Unsafe.BitCast<TFrom, Flag>(x).Value != 0 ? 1 : 0);
    }

    private static bool IsFloat<T>() => typeof(T) == typeof(float) || typeof(T) == typeof(double) || typeof(T) == typeof(Half) || typeof(T) == typeof(BFloat16);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static T OfDouble<T>(double x) where T : unmanaged
    {
        if (typeof(T) == typeof(float)) return Unsafe.BitCast<float, T>((float)x);
        if (typeof(T) == typeof(double)) return Unsafe.BitCast<double, T>(x);
        if (typeof(T) == typeof(Half)) return Unsafe.BitCast<Half, T>((Half)x);
        if (typeof(T) == typeof(BFloat16)) return Unsafe.BitCast<BFloat16, T>((BFloat16)(float)x);
        if (typeof(T) == typeof(Flag)) return Unsafe.BitCast<Flag, T>(new Flag(x != 0 ? (byte)1 : (byte)0));
        if (typeof(T) == typeof(ulong)) return Unsafe.BitCast<ulong, T>(x >= 9223372036854775808.0 ? (ulong)x : (ulong)(long)x);
        if (typeof(T) == typeof(int)) return Unsafe.BitCast<int, T>((int)x);
        return OfLong<T>((long)x);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static T OfLong<T>(long x) where T : unmanaged
    {
        if (typeof(T) == typeof(float)) return Unsafe.BitCast<float, T>(x);
        if (typeof(T) == typeof(double)) return Unsafe.BitCast<double, T>(x);
        if (typeof(T) == typeof(Half)) return Unsafe.BitCast<Half, T>((Half)x);
        if (typeof(T) == typeof(BFloat16)) return Unsafe.BitCast<BFloat16, T>((BFloat16)(float)x);
        if (typeof(T) == typeof(Flag)) return Unsafe.BitCast<Flag, T>(new Flag(x != 0 ? (byte)1 : (byte)0));
        if (sizeof(T) == 8) return Unsafe.BitCast<long, T>(x);
        if (sizeof(T) == 4) return Unsafe.BitCast<int, T>((int)x);
        return sizeof(T) == 2 ? Unsafe.BitCast<short, T>((short)x) : Unsafe.BitCast<sbyte, T>((sbyte)x);
    }
}
