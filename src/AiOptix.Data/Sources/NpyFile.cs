using System.Buffers;
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
            var header = NpyHeader.Read(file.Slice(0, (int)Math.Min(file.Length, NpyHeader.MostBytes)), file.Length, path);
            var data = Content.Of(header, file.Length, path);
            if (data.IsPlain) return Tensor.Over(file, header.DataOffset, data.Type, header.Shape);
            if (data.Bytes > int.MaxValue) throw new LimitExceededException($"{path}: {data.Bytes} bytes that are in Fortran's order, byte-swapped or text; at most {int.MaxValue} can be rearranged");
            return data.Arrange(file.Slice(header.DataOffset, (int)data.Bytes), static (type, shape) => Tensor.Allocate(type, shape));
        }
        finally
        {
            file.LetGo();
        }
    }

    /// <summary>Gives the next bytes of a file; fewer than asked for, but at least one, unless it is at its end.</summary>
    internal delegate int NextBytes(Span<byte> target);

    /// <summary>Reads a file into memory.</summary>
    /// <param name="path">The file.</param>
    /// <param name="limits">What it may ask for.</param>
    /// <param name="allocate">Gives the memory.</param>
    /// <inheritdoc cref="Read(string)"/>
    internal static Tensor Load(string path, Limits limits, Func<DType, Shape, Tensor> allocate)
    {
        using var file = File.OpenHandle(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
        long at = 0;
        return Load(target =>
        {
            var n = RandomAccess.Read(file, target, at);
            at += n;
            return n;
        }, RandomAccess.GetLength(file), path, limits, allocate);
    }

    /// <summary>Reads a file, or part of an archive, from its beginning to its end.</summary>
    /// <param name="read">Gives its bytes.</param>
    /// <param name="length">How many it has, or claims to have.</param>
    /// <param name="name">Its name for messages.</param>
    /// <param name="limits">What it may ask for.</param>
    /// <param name="allocate">Gives the memory.</param>
    internal static Tensor Load(NextBytes read, long length, string name, Limits limits, Func<DType, Shape, Tensor> allocate)
    {
        const int First = 4096;
        var buffer = ArrayPool<byte>.Shared.Rent(First);
        try
        {
            var there = Fill(read, buffer.AsSpan(0, (int)Math.Min(First, length)));
            var needed = NpyHeader.Needed(buffer.AsSpan(0, there), length, name);
            if (needed > there)
            {
                var larger = ArrayPool<byte>.Shared.Rent(needed);
                buffer.AsSpan(0, there).CopyTo(larger);
                ArrayPool<byte>.Shared.Return(buffer);
                buffer = larger;
                there += Fill(read, buffer.AsSpan(there, needed - there));
            }
            if (there < needed) throw new ModelFormatException($"{name} ends inside its header");
            var header = NpyHeader.Read(buffer.AsSpan(0, there), length, name);
            var data = Content.Of(header, length, name);
            limits.CheckTensor(data.Type, header.Shape, name);
            if (data.Bytes > limits.MaxTensorBytes) throw new LimitExceededException($"{name} has {data.Bytes} bytes of data; the limit is {limits.MaxTensorBytes} bytes (Limits.MaxTensorBytes)");
            var rest = buffer.AsSpan((int)header.DataOffset, there - (int)header.DataOffset);
            var raw = data.IsPlain ? allocate(data.Type, header.Shape) : Tensor.Allocate(DType.UInt8, new Shape(data.Bytes));
            try
            {
                rest.CopyTo(raw.BytesAt(0, rest.Length));
                for (long at = rest.Length; at < raw.ByteLength;)
                {
                    var n = read(raw.BytesAt(at, (int)Math.Min(1 << 30, raw.ByteLength - at)));
                    if (n <= 0) throw new ModelFormatException($"{name} ends after {header.DataOffset + at} bytes; {length} were expected");
                    at += n;
                }
                if (read(buffer.AsSpan(0, 1)) > 0) throw new ModelFormatException($"{name} has more than the {length} bytes that it claims");
            }
            catch
            {
                raw.Dispose();
                throw;
            }
            if (data.IsPlain) return raw;
            using (raw) return data.Arrange(raw.Bytes, allocate);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    private static int Fill(NextBytes read, Span<byte> target)
    {
        var there = 0;
        while (there < target.Length && read(target[there..]) is > 0 and var n) there += n;
        return there;
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

    /// <summary>What lies behind a header.</summary>
    private sealed record Content(NpyHeader Header, DType Type, string Kind, int Size, bool Swaps, long Bytes)
    {
        /// <summary>True when the elements lie as a tensor has them.</summary>
        public bool IsPlain => Kind != "U" && !Swaps && (!Header.FortranOrder || Header.Shape.Rank < 2);

        /// <exception cref="ModelFormatException">It has not the length that the header says, or its type has no counterpart.</exception>
        public static Content Of(NpyHeader header, long fileLength, string path)
        {
            var (order, kind, size) = Descriptor(header.Descriptor, path);
            var bytes = ByteLength(header.Shape, size);
            var there = fileLength - header.DataOffset;
            if (there != bytes)
                throw new ModelFormatException($"{path}: the header promises '{header.Descriptor}' of shape {header.Shape}, {bytes} bytes; the file has {there} after the header");
            return new(header, kind == "U" ? DType.String : kinds.First(k => k.Kind == kind && k.Size == size).Type, kind, size, order == '>' && size > 1, there);
        }

        /// <summary>The elements in C order and this machine's byte order, or as strings.</summary>
        public Tensor Arrange(ReadOnlySpan<byte> source, Func<DType, Shape, Tensor> allocate)
        {
            if (Kind == "U") return Text(source);
            var result = allocate(Type, Header.Shape);
            Reorder(source, Swaps ? (Kind == "c" ? Size / 2 : Size) : 0, result.Bytes);
            return result;
        }

        private Tensor Text(ReadOnlySpan<byte> source)
        {
            var bytes = new byte[source.Length];
            Reorder(source, 0, bytes);
            var encoding = new UTF32Encoding(Swaps, byteOrderMark: false, throwOnInvalidCharacters: false);
            var strings = new string[Header.Shape.Count];
            for (var i = 0; i < strings.Length; i++) strings[i] = encoding.GetString(bytes, i * Size, Size).TrimEnd('\0');
            return Tensor.FromStrings(strings, Header.Shape);
        }

        /// <summary>Copies elements into C order; <paramref name="swapBytes"/> is the width of the numbers whose bytes are turned around, or 0.</summary>
        private void Reorder(ReadOnlySpan<byte> source, int swapBytes, Span<byte> destination)
        {
            var shape = Header.Shape;
            var strides = Header.FortranOrder ? FortranStrides(shape) : shape.Strides();
            var index = new long[shape.Rank];
            long from = 0;
            for (var to = 0; to < destination.Length; to += Size)
            {
                var element = destination.Slice(to, Size);
                source.Slice((int)from * Size, Size).CopyTo(element);
                for (var b = 0; swapBytes > 0 && b < Size; b += swapBytes) element.Slice(b, swapBytes).Reverse();
                for (var axis = shape.Rank - 1; axis >= 0; axis--)
                {
                    from += strides[axis];
                    if (++index[axis] < shape[axis]) break;
                    from -= strides[axis] * shape[axis];
                    index[axis] = 0;
                }
            }
        }

        private static Int128 ByteLength(Shape shape, int size)
        {
            if (shape.Dims.Contains(0)) return 0;
            Int128 bytes = size;
            foreach (var extent in shape)
                if ((bytes *= extent) > long.MaxValue) return long.MaxValue;
            return bytes;
        }

        private static long[] FortranStrides(Shape shape)
        {
            var strides = new long[shape.Rank];
            for (var axis = 0; axis < strides.Length; axis++) strides[axis] = axis == 0 ? 1 : strides[axis - 1] * shape[axis - 1];
            return strides;
        }
    }

    /// <summary>Text is held as code points of 4 bytes, filled up with zeros.</summary>
    private static (int Width, byte[] Bytes) TextBytes(Tensor tensor)
    {
        var encoded = tensor.Strings.Select(Encoding.UTF32.GetBytes).ToArray();
        var width = Math.Max(4, encoded.Select(e => e.Length).DefaultIfEmpty(0).Max());
        var bytes = new byte[checked(width * encoded.Length)];
        for (var i = 0; i < encoded.Length; i++) encoded[i].CopyTo(bytes, i * width);
        return (width / 4, bytes);
    }
}
