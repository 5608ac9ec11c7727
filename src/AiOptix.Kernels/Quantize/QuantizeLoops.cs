using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using AiOptix.Kernels.Bytes;
using AiOptix.Kernels.Vectors;

namespace AiOptix.Kernels.Quantize;

/// <summary>
/// float32 to bytes and back. Quantising: the quotient rounds to the nearest even integer, the zero point is added, the sum is cut off at the type's range;
/// NaN gives the zero point. The tail goes one by one.
/// </summary>
internal static unsafe class QuantizeLoops
{
    [MethodImpl(HotCode.Optimized)]
    public static void Quantize<T>(byte* x, byte* y, long n, float scale, int zero) where T : unmanaged
    {
        var from = (float*)x;
        var (least, greatest) = Range<T>();
        var (low, high) = ((float)(least - zero), (float)(greatest - zero));
        for (long i = 0; i < n; i++)
        {
            var step = MathF.Round(from[i] / scale, MidpointRounding.ToEven);
            y[i] = (byte)(float.IsNaN(step) ? zero : (int)MathF.Min(MathF.Max(step, low), high) + zero);
        }
    }

    [MethodImpl(HotCode.Optimized)]
    public static void QuantizeVector<T>(byte* x, byte* y, long n, float scale, int zero) where T : unmanaged
    {
        var from = (float*)x;
        var (least, greatest) = Range<T>();
        var (low, high, divisor, offset) = (Vector128.Create((float)(least - zero)), Vector128.Create((float)(greatest - zero)), Vector128.Create(scale), Vector128.Create(zero));
        long i = 0;
        for (; i <= n - 16; i += 16)
        {
            var a = Vector128.Narrow(Step(from + i, divisor, low, high, offset), Step(from + i + 4, divisor, low, high, offset));
            var b = Vector128.Narrow(Step(from + i + 8, divisor, low, high, offset), Step(from + i + 12, divisor, low, high, offset));
            Vector128.Narrow(a, b).AsByte().Store(y + i);
        }
        Quantize<T>(x + i * sizeof(float), y + i, n - i, scale, zero);
    }

    [MethodImpl(HotCode.Optimized)]
    public static void QuantizeLanes<T, TB, TV>(byte* x, byte* y, long n, float scale, int zero) where T : unmanaged where TB : struct, IByteLanes<TV> where TV : unmanaged, IVec<TV>
    {
        var from = (float*)x;
        var (least, greatest) = Range<T>();
        TV low = TV.Set(least - zero), high = TV.Set(greatest - zero), divisor = TV.Set(scale);
        long i = 0;
        for (; i <= n - TV.Count; i += TV.Count)
        {
            var steps = TV.Load(from + i) / divisor;
            TB.Store(y + i, TV.IfEqual(steps, steps, steps, TV.Zero), low, high, zero);
        }
        Quantize<T>(x + i * sizeof(float), y + i, n - i, scale, zero);
    }

    [MethodImpl(HotCode.Optimized)]
    public static void DequantizeLanes<T, TB, TV>(byte* x, byte* y, long n, float scale, int zero) where T : unmanaged where TB : struct, IByteLanes<TV> where TV : unmanaged, IVec<TV>
    {
        var to = (float*)y;
        var numbers = new ByteNumbers(scale, zero, typeof(T) == typeof(sbyte));
        var factor = TV.Set(scale);
        long i = 0;
        for (; i <= n - TV.Count; i += TV.Count) TV.Store(to + i, TB.Load(x + i, numbers.Flip, numbers.UnsignedZero, factor));
        Dequantize<T>(x + i, y + i * sizeof(float), n - i, scale, zero);
    }

    [MethodImpl(HotCode.Optimized)]
    public static void Dequantize<T>(byte* x, byte* y, long n, float scale, int zero) where T : unmanaged
    {
        var to = (float*)y;
        for (long i = 0; i < n; i++) to[i] = (One<T>(x[i]) - zero) * scale;
    }

    [MethodImpl(HotCode.Optimized)]
    public static void DequantizeVector<T>(byte* x, byte* y, long n, float scale, int zero) where T : unmanaged
    {
        var to = (float*)y;
        var (offset, factor) = (Vector128.Create(zero), Vector128.Create(scale));
        long i = 0;
        for (; i <= n - 16; i += 16)
        {
            var bytes = Vector128.Load(x + i);
            var (a, b) = typeof(T) == typeof(sbyte) ? Vector128.Widen(bytes.AsSByte()) : Signed(Vector128.Widen(bytes));
            Store(to + i, a, offset, factor);
            Store(to + i + 8, b, offset, factor);
        }
        Dequantize<T>(x + i, y + i * sizeof(float), n - i, scale, zero);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<int> Step(float* x, Vector128<float> divisor, Vector128<float> low, Vector128<float> high, Vector128<int> offset)
    {
        var step = Vector128.Round(Vector128.Load(x) / divisor);
        var number = Vector128.Equals(step, step);
        return (Vector128.ConvertToInt32(Vector128.Min(Vector128.Max(step, low), high)) & number.AsInt32()) + offset;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Store(float* to, Vector128<short> values, Vector128<int> offset, Vector128<float> factor)
    {
        var (low, high) = Vector128.Widen(values);
        (Vector128.ConvertToSingle(low - offset) * factor).Store(to);
        (Vector128.ConvertToSingle(high - offset) * factor).Store(to + 4);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static (Vector128<short>, Vector128<short>) Signed((Vector128<ushort> A, Vector128<ushort> B) pair) => (pair.A.AsInt16(), pair.B.AsInt16());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static (int Least, int Greatest) Range<T>() => typeof(T) == typeof(sbyte) ? (sbyte.MinValue, sbyte.MaxValue) : (byte.MinValue, byte.MaxValue);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static int One<T>(byte x) => typeof(T) == typeof(sbyte) ? (sbyte)x : x;
}
