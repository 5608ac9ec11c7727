namespace AiOptix.Tensors;

/// <summary>Element types of tensors: the whole ONNX list (<c>TensorProto.DataType</c>, IR version 13).</summary>
public enum DType : byte
{
    /// <summary>No type; never the type of a tensor.</summary>
    Undefined = 0,
    /// <summary>IEEE 754 binary32.</summary>
    Float32,
    /// <summary>Unsigned 8-bit integer.</summary>
    UInt8,
    /// <summary>Signed 8-bit integer.</summary>
    Int8,
    /// <summary>Unsigned 16-bit integer.</summary>
    UInt16,
    /// <summary>Signed 16-bit integer.</summary>
    Int16,
    /// <summary>Signed 32-bit integer.</summary>
    Int32,
    /// <summary>Signed 64-bit integer.</summary>
    Int64,
    /// <summary>UTF-8 text; held as managed strings, never as raw bytes.</summary>
    String,
    /// <summary>One byte, 0 or 1.</summary>
    Bool,
    /// <summary>IEEE 754 binary16.</summary>
    Float16,
    /// <summary>IEEE 754 binary64.</summary>
    Float64,
    /// <summary>Unsigned 32-bit integer.</summary>
    UInt32,
    /// <summary>Unsigned 64-bit integer.</summary>
    UInt64,
    /// <summary>Two binary32: real, imaginary.</summary>
    Complex64,
    /// <summary>Two binary64: real, imaginary.</summary>
    Complex128,
    /// <summary>The upper half of a binary32.</summary>
    BFloat16,
    /// <summary>8-bit float, 4 exponent bits, no infinity.</summary>
    Float8E4M3FN,
    /// <summary>8-bit float, 4 exponent bits, no infinity, no negative zero.</summary>
    Float8E4M3FNUZ,
    /// <summary>8-bit float, 5 exponent bits.</summary>
    Float8E5M2,
    /// <summary>8-bit float, 5 exponent bits, no infinity, no negative zero.</summary>
    Float8E5M2FNUZ,
    /// <summary>Unsigned 4-bit integer, two a byte, low nibble first.</summary>
    UInt4,
    /// <summary>Signed 4-bit integer, two a byte, low nibble first.</summary>
    Int4,
    /// <summary>4-bit float, 2 exponent bits, two a byte, low nibble first.</summary>
    Float4E2M1,
    /// <summary>8-bit power of two, no sign.</summary>
    Float8E8M0,
    /// <summary>Unsigned 2-bit integer, four a byte, lowest bits first.</summary>
    UInt2,
    /// <summary>Signed 2-bit integer, four a byte, lowest bits first.</summary>
    Int2,
}

/// <summary>Facts about element types.</summary>
public static class DTypes
{
    /// <summary>Bits of one element; 0 for strings, which have no fixed size.</summary>
    public static int Bits(this DType type) => type switch
    {
        DType.Int2 or DType.UInt2 => 2,
        DType.UInt4 or DType.Int4 or DType.Float4E2M1 => 4,
        DType.UInt8 or DType.Int8 or DType.Bool or DType.Float8E4M3FN or DType.Float8E4M3FNUZ or DType.Float8E5M2
            or DType.Float8E5M2FNUZ or DType.Float8E8M0 => 8,
        DType.UInt16 or DType.Int16 or DType.Float16 or DType.BFloat16 => 16,
        DType.Float32 or DType.Int32 or DType.UInt32 => 32,
        DType.Float64 or DType.Int64 or DType.UInt64 or DType.Complex64 => 64,
        DType.Complex128 => 128,
        _ => 0,
    };

    /// <summary>Bytes that <paramref name="count"/> elements take, packed types rounded up to a whole byte.</summary>
    /// <exception cref="LimitExceededException">The size does not fit in 63 bits.</exception>
    public static long ByteLength(this DType type, long count)
    {
        var bits = type.Bits();
        var (eights, rest) = (count / 8, (count % 8 * bits + 7) / 8);
        return bits > 0 && eights > (long.MaxValue - rest) / bits ? throw new LimitExceededException($"{count} elements of {type.Name()} exceed the address space") : eights * bits + rest;
    }

    /// <summary>The name used in messages, listings and the command line: <c>float32</c>, <c>int64</c>, <c>bfloat16</c>, …</summary>
    public static string Name(this DType type) => type switch
    {
        DType.Float8E4M3FN => "float8e4m3fn",
        DType.Float8E4M3FNUZ => "float8e4m3fnuz",
        DType.Float8E5M2 => "float8e5m2",
        DType.Float8E5M2FNUZ => "float8e5m2fnuz",
        DType.Float4E2M1 => "float4e2m1",
        DType.Float8E8M0 => "float8e8m0",
        _ => type.ToString().ToLowerInvariant(),
    };

    /// <summary>True for the binary floating-point types, wide and narrow.</summary>
    public static bool IsFloat(this DType type) => type is DType.Float32 or DType.Float64 or DType.Float16 or DType.BFloat16 || type.IsNarrowFloat();

    /// <summary>True for the floating-point types of 8 bits and less.</summary>
    public static bool IsNarrowFloat(this DType type) => type is DType.Float8E4M3FN or DType.Float8E4M3FNUZ or DType.Float8E5M2
        or DType.Float8E5M2FNUZ or DType.Float4E2M1 or DType.Float8E8M0;

    /// <summary>True for integers of any width, signed or not; false for Bool.</summary>
    public static bool IsInteger(this DType type) => type is DType.UInt8 or DType.Int8 or DType.UInt16 or DType.Int16 or DType.Int32
        or DType.Int64 or DType.UInt32 or DType.UInt64 or DType.UInt4 or DType.Int4 or DType.UInt2 or DType.Int2;

    /// <summary>True for types whose elements share bytes (4 and 2 bits).</summary>
    public static bool IsPacked(this DType type) => type.Bits() is 2 or 4;

    /// <summary>The element type that a C# type stands for.</summary>
    /// <exception cref="NotSupportedException">No element type has this representation.</exception>
    public static DType Of<T>() where T : unmanaged
    {
        if (typeof(T) == typeof(float)) return DType.Float32;
        if (typeof(T) == typeof(double)) return DType.Float64;
        if (typeof(T) == typeof(Half)) return DType.Float16;
        if (typeof(T) == typeof(BFloat16)) return DType.BFloat16;
        if (typeof(T) == typeof(long)) return DType.Int64;
        if (typeof(T) == typeof(int)) return DType.Int32;
        if (typeof(T) == typeof(short)) return DType.Int16;
        if (typeof(T) == typeof(sbyte)) return DType.Int8;
        if (typeof(T) == typeof(ulong)) return DType.UInt64;
        if (typeof(T) == typeof(uint)) return DType.UInt32;
        if (typeof(T) == typeof(ushort)) return DType.UInt16;
        if (typeof(T) == typeof(byte)) return DType.UInt8;
        if (typeof(T) == typeof(bool)) return DType.Bool;
        throw new NotSupportedException($"no tensor element type is represented by {typeof(T).Name}");
    }
}
