using System.Runtime.InteropServices;
using AiOptix.Tensors;
using Google.Protobuf.Collections;

namespace AiOptix.Onnx;

/// <summary>
/// The typed data fields of <c>TensorProto</c>: which field holds which element type, and how. Types of 16 bits and less sit in <c>int32_data</c>, floats
/// among them as bit patterns, packed types a whole byte an entry.
/// </summary>
internal static class TypedFields
{
    /// <summary>Checks that the field of the type has as many entries as the shape needs.</summary>
    /// <exception cref="ModelFormatException">It has not.</exception>
    public static void Check(Proto.TensorProto p, DType type, Shape shape, string what)
    {
        var bytes = type.ByteLength(shape.Count);
        var (field, given, expected) = type switch
        {
            DType.Float32 => ("float_data", p.FloatData.Count, shape.Count),
            DType.Complex64 => ("float_data", p.FloatData.Count, bytes / sizeof(float)),
            DType.Float64 => ("double_data", p.DoubleData.Count, shape.Count),
            DType.Complex128 => ("double_data", p.DoubleData.Count, bytes / sizeof(double)),
            DType.Int64 => ("int64_data", p.Int64Data.Count, shape.Count),
            DType.UInt64 or DType.UInt32 => ("uint64_data", p.Uint64Data.Count, shape.Count),
            _ when type.IsPacked() => ("int32_data", p.Int32Data.Count, bytes),
            _ => ("int32_data", p.Int32Data.Count, shape.Count),
        };
        if (given != expected) throw new ModelFormatException($"{what}: {type.Name()} {shape} needs {expected} entries of {field}, found {given}");
    }

    /// <summary>The tensor of a message that passed <see cref="Check"/>.</summary>
    /// <exception cref="ModelFormatException">An entry is outside of the type's range.</exception>
    public static Tensor Decode(Proto.TensorProto p, DType type, Shape shape, string what)
    {
        var t = Tensor.Allocate(type, shape);
        var bytes = t.Bytes;
        switch (type)
        {
            case DType.Float32 or DType.Complex64: Copy(p.FloatData, MemoryMarshal.Cast<byte, float>(bytes)); break;
            case DType.Float64 or DType.Complex128: Copy(p.DoubleData, MemoryMarshal.Cast<byte, double>(bytes)); break;
            case DType.Int64: Copy(p.Int64Data, MemoryMarshal.Cast<byte, long>(bytes)); break;
            case DType.UInt64: Copy(p.Uint64Data, MemoryMarshal.Cast<byte, ulong>(bytes)); break;
            case DType.UInt32: Narrow(p.Uint64Data, MemoryMarshal.Cast<byte, uint>(bytes), v => v <= uint.MaxValue, v => (uint)v, what); break;
            case DType.Int32: Copy(p.Int32Data, MemoryMarshal.Cast<byte, int>(bytes)); break;
            case DType.Bool: Narrow(p.Int32Data, bytes, _ => true, v => v == 0 ? (byte)0 : (byte)1, what); break;
            case DType.Int16: Narrow(p.Int32Data, MemoryMarshal.Cast<byte, short>(bytes), v => v is >= short.MinValue and <= short.MaxValue, v => (short)v, what); break;
            case DType.UInt16 or DType.Float16 or DType.BFloat16:
                Narrow(p.Int32Data, MemoryMarshal.Cast<byte, ushort>(bytes), v => v is >= short.MinValue and <= ushort.MaxValue, v => unchecked((ushort)v), what); break;
            default: Narrow(p.Int32Data, bytes, v => v is >= sbyte.MinValue and <= byte.MaxValue, v => unchecked((byte)v), what); break;
        }
        GC.KeepAlive(t);
        return t;
    }

    private static void Copy<T>(RepeatedField<T> from, Span<T> to)
    {
        for (var i = 0; i < to.Length; i++) to[i] = from[i];
    }

    private static void Narrow<TFrom, TTo>(RepeatedField<TFrom> from, Span<TTo> to, Func<TFrom, bool> fits, Func<TFrom, TTo> convert, string what)
    {
        for (var i = 0; i < to.Length; i++)
            to[i] = fits(from[i]) ? convert(from[i]) : throw new ModelFormatException($"{what}: element {i} is {from[i]}, which its type cannot hold");
    }
}
