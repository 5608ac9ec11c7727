using AiOptix.Graphs.Evaluate;
using AiOptix.Tensors;

namespace AiOptix.Graphs.Ops;

/// <summary>
/// Elements widened for calculation and narrowed again: floating-point ones to float64, integers to 64 bits, modulo 2^64, so that sums and products
/// come out right in the type's own arithmetic after narrowing.
/// </summary>
internal static class Numbers
{
    /// <summary>float16, bfloat16, float32, float64.</summary>
    public static bool IsReal(DType type) => NumericTypes.IsFloat(type);

    /// <summary>Integers of 8 to 64 bits.</summary>
    public static bool IsWhole(DType type) => NumericTypes.IsInteger(type);

    /// <summary>Integers of 8 to 64 bits and float16, bfloat16, float32, float64.</summary>
    public static bool IsNumber(DType type) => IsReal(type) || IsWhole(type);

    /// <summary>The elements as float64; integers too.</summary>
    public static double[] ToReals(this Tensor tensor) => ElementTypes.ToFloat64(tensor);

    /// <summary>complex64 and complex128.</summary>
    public static bool IsComplex(DType type) => type is DType.Complex64 or DType.Complex128;

    /// <summary>The elements as float64; a complex one as its real and its imaginary part.</summary>
    public static double[] ToComponents(this Tensor tensor) => tensor.DType switch
    {
        DType.Complex64 => Array.ConvertAll(System.Runtime.InteropServices.MemoryMarshal.Cast<byte, float>(tensor.Bytes).ToArray(), v => (double)v),
        DType.Complex128 => System.Runtime.InteropServices.MemoryMarshal.Cast<byte, double>(tensor.Bytes).ToArray(),
        _ => tensor.ToReals(),
    };

    /// <summary>Rounds what <see cref="ToComponents"/> gives into a tensor.</summary>
    public static void StoreComponents(this Tensor tensor, ReadOnlySpan<double> values)
    {
        if (tensor.DType == DType.Complex128) values.CopyTo(System.Runtime.InteropServices.MemoryMarshal.Cast<byte, double>(tensor.Bytes));
        else if (tensor.DType == DType.Complex64)
        {
            var target = System.Runtime.InteropServices.MemoryMarshal.Cast<byte, float>(tensor.Bytes);
            for (var i = 0; i < target.Length; i++) target[i] = (float)values[i];
        }
        else ElementTypes.Write(tensor, 0, values);
    }

    /// <summary>Rounds float64 values into a tensor of a floating-point type.</summary>
    public static void Store(this Tensor tensor, ReadOnlySpan<double> values)
    {
        if (!IsReal(tensor.DType)) throw new ArgumentException($"expected a floating-point type, found {tensor.DType.Name()}", nameof(tensor));
        ElementTypes.Write(tensor, 0, values);
    }

    /// <summary>Narrows 64-bit values into a tensor of an integer type, modulo its range.</summary>
    public static void Store(this Tensor tensor, ReadOnlySpan<long> values)
    {
        switch (tensor.DType)
        {
            case DType.Int64:
                values.CopyTo(tensor.Span<long>());
                break;
            case DType.UInt64:
                var u = tensor.Span<ulong>();
                for (var i = 0; i < values.Length; i++) u[i] = unchecked((ulong)values[i]);
                break;
            case DType.Int32:
                var n = tensor.Span<int>();
                for (var i = 0; i < values.Length; i++) n[i] = unchecked((int)values[i]);
                break;
            case DType.UInt32:
                var m = tensor.Span<uint>();
                for (var i = 0; i < values.Length; i++) m[i] = unchecked((uint)values[i]);
                break;
            case DType.Int16 or DType.UInt16:
                var s = System.Runtime.InteropServices.MemoryMarshal.Cast<byte, ushort>(tensor.Bytes);
                for (var i = 0; i < values.Length; i++) s[i] = unchecked((ushort)values[i]);
                break;
            case DType.Int8 or DType.UInt8 or DType.Bool:
                var b = tensor.Bytes;
                for (var i = 0; i < values.Length; i++) b[i] = unchecked((byte)values[i]);
                break;
            default:
                throw new ArgumentException($"expected an integer type, found {tensor.DType.Name()}", nameof(tensor));
        }
        GC.KeepAlive(tensor);
    }

    /// <summary>A value as if it had been stored in a type and read back.</summary>
    public static double Round(double value, DType type) => type switch
    {
        DType.Float32 => (float)value,
        DType.Float16 => (double)(Half)value,
        DType.BFloat16 => (BFloat16)(float)value,
        _ => value,
    };

    /// <summary>Compares elements by value; NaN is above all.</summary>
    public static Func<long, long, int> Order(this Tensor tensor)
    {
        if (IsReal(tensor.DType))
        {
            var r = tensor.ToReals();
            return (a, b) => double.IsNaN(r[a]) ? double.IsNaN(r[b]) ? 0 : 1 : double.IsNaN(r[b]) ? -1 : r[a].CompareTo(r[b]);
        }
        var n = tensor.ToInt64();
        if (tensor.DType == DType.UInt64) return (a, b) => ((ulong)n[a]).CompareTo((ulong)n[b]);
        return (a, b) => n[a].CompareTo(n[b]);
    }
}
