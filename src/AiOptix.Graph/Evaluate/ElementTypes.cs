using AiOptix.Tensors;

namespace AiOptix.Graphs.Evaluate;

/// <summary>
/// Conversion between element types, by the rules of ONNX Cast, and access to elements of any numeric type as float64 or int64.
/// Narrow floats round to nearest even; floats become integers by cutting the fraction off; integers become narrower ones by keeping the low bits.
/// A float outside an integer's range, which ONNX leaves undefined, gives the nearest int64 first and keeps its low bits; NaN gives 0.
/// </summary>
public static partial class ElementTypes
{
    private const int Chunk = 512;

    /// <summary>The same values in another element type: a further holder of the same memory when the type is the same, otherwise a new tensor.</summary>
    /// <param name="source">The tensor.</param>
    /// <param name="target">The element type to convert to.</param>
    /// <param name="saturate">Whether values out of range of a narrow float give its largest value rather than infinity or NaN.</param>
    /// <param name="rounding">How values become float8e8m0.</param>
    /// <exception cref="InvalidInputException">A string is not a number, or there is no conversion (complex numbers).</exception>
    public static Tensor Convert(Tensor source, DType target, bool saturate = true, PowerRounding rounding = PowerRounding.Up)
    {
        if (source.DType == target) return source.Reshape(source.Shape);
        if (!IsConvertible(source.DType) || !IsConvertible(target))
            throw new InvalidInputException($"there is no conversion from {source.DType.Name()} to {target.Name()}");
        if (target == DType.String) return Tensor.FromStrings(Format(source), source.Shape);
        if (source.DType == DType.String) return Parse(source, target, saturate, rounding);
        var result = Tensor.Allocate(target, source.Shape);
        var throughFloat = source.DType.IsFloat() || (source.DType == DType.UInt64 && target.IsFloat());
        Span<double> floats = stackalloc double[Chunk];
        Span<long> integers = stackalloc long[Chunk];
        for (long at = 0; at < source.Count; at += Chunk)
        {
            var n = (int)Math.Min(Chunk, source.Count - at);
            if (throughFloat)
            {
                Read(source, at, floats[..n]);
                Write(result, at, floats[..n], saturate, rounding);
            }
            else
            {
                Read(source, at, integers[..n]);
                Write(result, at, integers[..n], saturate, rounding);
            }
        }
        GC.KeepAlive(source);
        return result;
    }

    /// <summary>True for every type but complex numbers.</summary>
    public static bool IsConvertible(DType type) => type is not (DType.Complex64 or DType.Complex128 or DType.Undefined);

    /// <summary>The type in which evaluation computes: float32 for bfloat16 and narrow floats, int8 and uint8 for packed integers, otherwise the type itself.</summary>
    public static DType Wide(DType type) => type switch
    {
        DType.BFloat16 => DType.Float32,
        _ when type.IsNarrowFloat() => DType.Float32,
        DType.Int4 or DType.Int2 => DType.Int8,
        DType.UInt4 or DType.UInt2 => DType.UInt8,
        _ => type,
    };

    /// <summary>The tensor in the type that evaluation computes in (<see cref="Wide"/>); to be disposed of.</summary>
    public static Tensor Widen(Tensor tensor) => Convert(tensor, Wide(tensor.DType));

    /// <summary>All elements as float64; exact for floats and for integers up to 53 bits.</summary>
    public static double[] ToFloat64(Tensor tensor)
    {
        var r = new double[tensor.Count];
        Read(tensor, 0, r);
        return r;
    }

    /// <summary>A tensor of a numeric type from float64 values, rounded once.</summary>
    public static Tensor From(ReadOnlySpan<double> values, DType type, Shape shape)
    {
        var t = Tensor.Allocate(type, shape);
        Write(t, 0, values);
        return t;
    }

    private static int Packed(ReadOnlySpan<byte> bytes, int bits, long index)
    {
        var perByte = 8 / bits;
        return (bytes[(int)(index / perByte)] >> (int)(index % perByte * bits)) & ((1 << bits) - 1);
    }

    private static void SetPacked(Span<byte> bytes, int bits, long index, int value)
    {
        var perByte = 8 / bits;
        var shift = (int)(index % perByte * bits);
        var mask = ((1 << bits) - 1) << shift;
        ref var b = ref bytes[(int)(index / perByte)];
        b = (byte)(index % perByte == 0 ? (value << shift) & mask : (b & ~mask) | ((value << shift) & mask));
    }
}
