using System.Globalization;
using System.Text;
using AiOptix.Tensors;

namespace AiOptix.Data;

/// <summary>
/// Reads and writes tensors as NPY files, NumPy's own format (NumPy Enhancement Proposal 1). Read: versions 1 to 3, C and Fortran order, either byte order, every
/// numeric type, booleans and text (<c>U</c>). Little-endian arrays in C order are mapped, not copied. Written: version 1, C order, little-endian.
/// </summary>
public static class NpyFile
{
    private static readonly (string Kind, int Size, DType Type)[] kinds =
    [
        ("f", 2, DType.Float16), ("f", 4, DType.Float32), ("f", 8, DType.Float64),
        ("i", 1, DType.Int8), ("i", 2, DType.Int16), ("i", 4, DType.Int32), ("i", 8, DType.Int64),
        ("u", 1, DType.UInt8), ("u", 2, DType.UInt16), ("u", 4, DType.UInt32), ("u", 8, DType.UInt64),
        ("b", 1, DType.Bool), ("c", 8, DType.Complex64), ("c", 16, DType.Complex128),
    ];

    /// <summary>Reads a file. The tensor may lie in the mapped file: replace the file by a rename, never write into it, as long as the tensor lives.</summary>
    /// <param name="path">The file.</param>
    /// <exception cref="IOException">It cannot be opened.</exception>
    /// <exception cref="ModelFormatException">It is damaged, its size is not what its header says, or its element type has no counterpart.</exception>
    public static Tensor Read(string path)
    {
        var file = MemoryBlock.MapFile(path);
        try
        {
            var header = NpyHeader.Read(file, path);
            var (order, kind, size) = Descriptor(header.Descriptor, path);
            var bytes = ByteLength(header.Shape, size);
            var there = file.Length - header.DataOffset;
            if (there != bytes)
                throw new ModelFormatException($"{path}: the header promises '{header.Descriptor}' of shape {header.Shape}, {bytes} bytes; the file has {there} after the header");
            if (kind == "U") return Text(file, header, size, order == '>');
            var type = kinds.First(k => k.Kind == kind && k.Size == size).Type;
            var swap = order == '>' && size > 1;
            if (!swap && (!header.FortranOrder || header.Shape.Rank < 2)) return Tensor.Over(file, header.DataOffset, type, header.Shape);
            var result = Tensor.Allocate(type, header.Shape);
            Reorder(file, header, size, swap ? (kind == "c" ? size / 2 : size) : 0, result.Bytes);
            return result;
        }
        finally
        {
            file.LetGo();
        }
    }

    /// <summary>Writes a tensor: to a temporary file beside it, which then takes its name, so that nobody sees half a file.</summary>
    /// <param name="path">The file; an old one is replaced.</param>
    /// <param name="tensor">Of a type that <see cref="CanHold"/> accepts.</param>
    /// <exception cref="IOException">It cannot be written.</exception>
    /// <exception cref="InputTypeException">NumPy has no such element type.</exception>
    public static void Write(string path, Tensor tensor)
    {
        if (!CanHold(tensor.DType)) throw new InputTypeException($"{path}: NumPy has no element type {tensor.DType.Name()}; convert the tensor before writing it");
        var temporary = $"{path}.{Guid.NewGuid():N}.tmp";
        try
        {
            using (var stream = new FileStream(temporary, FileMode.CreateNew, FileAccess.Write))
            {
                var text = tensor.DType == DType.String ? TextBytes(tensor) : default;
                stream.Write(NpyHeader.Write(tensor.DType == DType.String ? $"<U{text.Width.ToString(CultureInfo.InvariantCulture)}" : Descriptor(tensor.DType), tensor.Shape));
                stream.Write(tensor.DType == DType.String ? text.Bytes : tensor.Bytes);
            }
            File.Move(temporary, path, overwrite: true);
        }
        catch
        {
            File.Delete(temporary);
            throw;
        }
        finally
        {
            GC.KeepAlive(tensor);
        }
    }

    /// <summary>Whether NumPy has a counterpart of the element type: bfloat16, floats of 8 bits and less and packed integers have none.</summary>
    public static bool CanHold(DType type) => type == DType.String || kinds.Any(k => k.Type == type);

    private static string Descriptor(DType type)
    {
        var (kind, size, _) = kinds.First(k => k.Type == type);
        return (size == 1 ? "|" : "<") + kind + size.ToString(CultureInfo.InvariantCulture);
    }

    private static (char Order, string Kind, int Size) Descriptor(string text, string path)
    {
        if (text.Length >= 3 && text[0] is '<' or '>' or '|' or '=' && int.TryParse(text.AsSpan(2), NumberStyles.None, CultureInfo.InvariantCulture, out var size))
        {
            var kind = text[1].ToString();
            if (kind == "U" && size is > 0 and <= 1 << 20) return (text[0], kind, size * 4);
            if (kinds.Any(k => k.Kind == kind && k.Size == size)) return (text[0], kind, size);
        }
        throw new ModelFormatException($"{path}: arrays of NumPy type '{text}' cannot be read; integers, floats up to 64 bits, complex numbers, booleans and text (U) can");
    }

    /// <summary>Bytes of the data, whatever the header claims: more than 63 bits hold are more than any file has.</summary>
    private static Int128 ByteLength(Shape shape, int size)
    {
        if (shape.Dims.Contains(0)) return 0;
        Int128 bytes = size;
        foreach (var extent in shape)
            if ((bytes *= extent) > long.MaxValue) return long.MaxValue;
        return bytes;
    }

    /// <summary>Copies elements into C order; <paramref name="swapBytes"/> is the width of the numbers whose bytes are turned around, or 0.</summary>
    private static void Reorder(MemoryBlock file, NpyHeader header, int size, int swapBytes, Span<byte> destination)
    {
        var shape = header.Shape;
        var source = file.Slice(header.DataOffset, destination.Length);
        var strides = header.FortranOrder ? FortranStrides(shape) : shape.Strides();
        var index = new long[shape.Rank];
        long from = 0;
        for (var to = 0; to < destination.Length; to += size)
        {
            var element = destination.Slice(to, size);
            source.Slice((int)from * size, size).CopyTo(element);
            for (var b = 0; swapBytes > 0 && b < size; b += swapBytes) element.Slice(b, swapBytes).Reverse();
            for (var axis = shape.Rank - 1; axis >= 0; axis--)
            {
                from += strides[axis];
                if (++index[axis] < shape[axis]) break;
                from -= strides[axis] * shape[axis];
                index[axis] = 0;
            }
        }
    }

    private static long[] FortranStrides(Shape shape)
    {
        var strides = new long[shape.Rank];
        for (var axis = 0; axis < strides.Length; axis++) strides[axis] = axis == 0 ? 1 : strides[axis - 1] * shape[axis - 1];
        return strides;
    }

    /// <summary>Text is held as code points of 4 bytes, filled up with zeros.</summary>
    private static Tensor Text(MemoryBlock file, NpyHeader header, int size, bool bigEndian)
    {
        var bytes = new byte[checked((int)(header.Shape.Count * size))];
        Reorder(file, header, size, 0, bytes);
        var encoding = new UTF32Encoding(bigEndian, byteOrderMark: false, throwOnInvalidCharacters: false);
        var strings = new string[bytes.Length / size];
        for (var i = 0; i < strings.Length; i++) strings[i] = encoding.GetString(bytes, i * size, size).TrimEnd('\0');
        return Tensor.FromStrings(strings, header.Shape);
    }

    private static (int Width, byte[] Bytes) TextBytes(Tensor tensor)
    {
        var encoded = tensor.Strings.Select(Encoding.UTF32.GetBytes).ToArray();
        var width = Math.Max(4, encoded.Select(e => e.Length).DefaultIfEmpty(0).Max());
        var bytes = new byte[checked(width * encoded.Length)];
        for (var i = 0; i < encoded.Length; i++) encoded[i].CopyTo(bytes, i * width);
        return (width / 4, bytes);
    }
}
