using AiOptix.Tensors;

namespace AiOptix.Python;

/// <summary>Element types in the words of others: the letters of the buffer protocol (PEP 3118, the struct module), DLPack's codes, ONNX's names.</summary>
internal static unsafe class DTypeFormat
{
    private const byte DlInt = 0, DlUnsigned = 1, DlFloat = 2, DlBrain = 4, DlComplex = 5, DlBool = 6;

    /// <summary>The letter of a type, ending in a zero byte; <c>B</c> with <paramref name="exact"/> false for types that have none and show as bytes.</summary>
    public static byte* Letters(DType type, out bool exact)
    {
        exact = true;
        switch (type)
        {
            case DType.Float32: return Py.Ascii("f"u8);
            case DType.Float64: return Py.Ascii("d"u8);
            case DType.Float16: return Py.Ascii("e"u8);
            case DType.Int64: return Py.Ascii("q"u8);
            case DType.Int32: return Py.Ascii("i"u8);
            case DType.Int16: return Py.Ascii("h"u8);
            case DType.Int8: return Py.Ascii("b"u8);
            case DType.UInt64: return Py.Ascii("Q"u8);
            case DType.UInt32: return Py.Ascii("I"u8);
            case DType.UInt16: return Py.Ascii("H"u8);
            case DType.UInt8: return Py.Ascii("B"u8);
            case DType.Bool: return Py.Ascii("?"u8);
            case DType.Complex64: return Py.Ascii("Zf"u8);
            case DType.Complex128: return Py.Ascii("Zd"u8);
            default:
                exact = false;
                return Py.Ascii("B"u8);
        }
    }

    /// <summary>The type that a buffer declares; Undefined when no element type fits; <paramref name="swapped"/> when its bytes are in the other order.</summary>
    public static DType Of(byte* letters, nint itemSize, out bool swapped)
    {
        swapped = false;
        if (letters == null) return DType.UInt8;
        switch (*letters)
        {
            case (byte)'@' or (byte)'=' or (byte)'<': letters++; break;
            case (byte)'>' or (byte)'!':
                letters++;
                swapped = itemSize > 1;
                break;
        }
        var complex = *letters == 'Z';
        if (complex) letters++;
        if (*letters == 0 || letters[1] != 0) return DType.Undefined;
        return ((char)*letters, complex, itemSize) switch
        {
            ('f', false, 4) => DType.Float32,
            ('d' or 'g', false, 8) => DType.Float64,
            ('e', false, 2) => DType.Float16,
            ('?', false, 1) => DType.Bool,
            ('f', true, 8) => DType.Complex64,
            ('d', true, 16) => DType.Complex128,
            ('b' or 'h' or 'i' or 'l' or 'q' or 'n', false, 8) => DType.Int64,
            ('b' or 'h' or 'i' or 'l' or 'q' or 'n', false, 4) => DType.Int32,
            ('b' or 'h' or 'i' or 'l' or 'q' or 'n', false, 2) => DType.Int16,
            ('b' or 'h' or 'i' or 'l' or 'q' or 'n', false, 1) => DType.Int8,
            ('B' or 'H' or 'I' or 'L' or 'Q' or 'N', false, 8) => DType.UInt64,
            ('B' or 'H' or 'I' or 'L' or 'Q' or 'N', false, 4) => DType.UInt32,
            ('B' or 'H' or 'I' or 'L' or 'Q' or 'N', false, 2) => DType.UInt16,
            ('B' or 'H' or 'I' or 'L' or 'Q' or 'N', false, 1) => DType.UInt8,
            _ => DType.Undefined,
        };
    }

    /// <summary>DLPack's code and bits; null when it has none.</summary>
    public static (byte Code, byte Bits)? ToDLPack(DType type) => type switch
    {
        DType.Float16 or DType.Float32 or DType.Float64 => (DlFloat, (byte)type.Bits()),
        DType.BFloat16 => (DlBrain, 16),
        DType.Int8 or DType.Int16 or DType.Int32 or DType.Int64 => (DlInt, (byte)type.Bits()),
        DType.UInt8 or DType.UInt16 or DType.UInt32 or DType.UInt64 => (DlUnsigned, (byte)type.Bits()),
        DType.Complex64 or DType.Complex128 => (DlComplex, (byte)type.Bits()),
        DType.Bool => (DlBool, 8),
        _ => null,
    };

    /// <summary>The type of DLPack's code and bits; Undefined when there is none.</summary>
    public static DType FromDLPack(byte code, byte bits) => (code, bits) switch
    {
        (DlFloat, 16) => DType.Float16,
        (DlFloat, 32) => DType.Float32,
        (DlFloat, 64) => DType.Float64,
        (DlBrain, 16) => DType.BFloat16,
        (DlInt, 8) => DType.Int8,
        (DlInt, 16) => DType.Int16,
        (DlInt, 32) => DType.Int32,
        (DlInt, 64) => DType.Int64,
        (DlUnsigned, 8) => DType.UInt8,
        (DlUnsigned, 16) => DType.UInt16,
        (DlUnsigned, 32) => DType.UInt32,
        (DlUnsigned, 64) => DType.UInt64,
        (DlComplex, 64) => DType.Complex64,
        (DlComplex, 128) => DType.Complex128,
        (DlBool, 8) => DType.Bool,
        _ => DType.Undefined,
    };

    /// <summary>The element type of a name: <c>float32</c>, <c>bfloat16</c>, <c>int4</c>.</summary>
    public static DType Parse(string name)
    {
        foreach (var type in Enum.GetValues<DType>())
            if (type != DType.Undefined && type.Name() == name) return type;
        throw new ArgumentException($"there is no element type '{name}'; there are {string.Join(", ", Enum.GetValues<DType>().Where(t => t != DType.Undefined).Select(t => t.Name()))}");
    }

    /// <summary>ONNX's word for an element type: <c>float</c>, <c>double</c>, <c>int64</c>.</summary>
    public static string OnnxName(DType type) => type switch
    {
        DType.Float32 => "float",
        DType.Float64 => "double",
        _ => type.Name(),
    };
}
