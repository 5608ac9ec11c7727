using System.Buffers.Binary;
using System.Globalization;
using System.Text;
using AiOptix.Tensors;

namespace AiOptix.Data;

/// <summary>The header of an NPY file (NumPy Enhancement Proposal 1, versions 1.0 to 3.0): element type, order of the axes, shape, and where the data begins.</summary>
/// <param name="Descriptor">NumPy's type string, <c>&lt;f4</c>.</param>
/// <param name="FortranOrder">Whether the first axis varies fastest.</param>
/// <param name="Shape">The extents.</param>
/// <param name="DataOffset">The first byte of the data.</param>
internal sealed record NpyHeader(string Descriptor, bool FortranOrder, Shape Shape, long DataOffset)
{
    private const int MostHeaderBytes = 1 << 20;

    private static ReadOnlySpan<byte> Magic => [0x93, (byte)'N', (byte)'U', (byte)'M', (byte)'P', (byte)'Y'];

    /// <summary>The most bytes that may stand in front of the data.</summary>
    public const int MostBytes = MostHeaderBytes + 12;

    /// <summary>Reads the header of a file.</summary>
    /// <param name="begin">The file's first bytes: all of it, or at least as many as <see cref="Needed"/> says.</param>
    /// <param name="fileLength">Bytes of the whole file.</param>
    /// <param name="name">The file, for messages.</param>
    /// <exception cref="ModelFormatException">They are not a header.</exception>
    public static NpyHeader Read(ReadOnlySpan<byte> begin, long fileLength, string name)
    {
        var (start, length) = Extent(begin, fileLength, name);
        var text = (begin[6] == 3 ? Encoding.UTF8 : Encoding.Latin1).GetString(begin.Slice(start, length));
        return new Literal(text, name).Header(start + length);
    }

    /// <summary>How many bytes stand in front of the data, by the first 12 of the file.</summary>
    /// <inheritdoc cref="Read"/>
    public static int Needed(ReadOnlySpan<byte> begin, long fileLength, string name)
    {
        var (start, length) = Extent(begin, fileLength, name);
        return start + length;
    }

    private static (int Start, int Length) Extent(ReadOnlySpan<byte> begin, long fileLength, string name)
    {
        if (begin.Length < 10 || !begin.StartsWith(Magic)) throw new ModelFormatException($"{name} is not an NPY file: it does not begin with \\x93NUMPY (write it with numpy.save)");
        var major = begin[6];
        if (major is < 1 or > 3) throw new ModelFormatException($"{name}: NPY version {major} is not known; versions 1 to 3 are");
        var start = major == 1 ? 10 : 12;
        if (begin.Length < start) throw new ModelFormatException($"{name}: the file ends inside its header");
        long length = major == 1 ? BinaryPrimitives.ReadUInt16LittleEndian(begin[8..]) : BinaryPrimitives.ReadUInt32LittleEndian(begin[8..]);
        if (length > MostHeaderBytes || length > fileLength - start)
            throw new ModelFormatException($"{name}: the header claims {length} bytes; the file has {fileLength - start} after its length field, and at most {MostHeaderBytes} are accepted");
        return (start, (int)length);
    }

    /// <summary>The bytes of a header, padded so that the data behind it begins at a multiple of 64.</summary>
    public static byte[] Write(string descriptor, Shape shape)
    {
        var extents = shape.Rank == 1 ? shape[0].ToString(CultureInfo.InvariantCulture) + "," : string.Join(", ", shape.Dims.ToArray());
        var text = $"{{'descr': '{descriptor}', 'fortran_order': False, 'shape': ({extents}), }}";
        var fixedBytes = text.Length + 1 + 10 <= ushort.MaxValue ? 10 : 12;
        var total = (fixedBytes + text.Length + 1 + 63) / 64 * 64;
        var bytes = new byte[total];
        Magic.CopyTo(bytes);
        bytes[6] = (byte)(fixedBytes == 10 ? 1 : 2);
        if (fixedBytes == 10) BinaryPrimitives.WriteUInt16LittleEndian(bytes.AsSpan(8), (ushort)(total - fixedBytes));
        else BinaryPrimitives.WriteUInt32LittleEndian(bytes.AsSpan(8), (uint)(total - fixedBytes));
        bytes.AsSpan(fixedBytes).Fill((byte)' ');
        Encoding.Latin1.GetBytes(text, bytes.AsSpan(fixedBytes));
        bytes[^1] = (byte)'\n';
        return bytes;
    }

    /// <summary>The Python dictionary literal of a header: strings, booleans, integers and one tuple, nothing else.</summary>
    private sealed class Literal(string text, string name)
    {
        private int at;

        public NpyHeader Header(long dataOffset)
        {
            string? descriptor = null;
            bool? fortran = null;
            Shape? shape = null;
            Expect('{');
            while (!Take('}'))
            {
                var key = String();
                Expect(':');
                switch (key)
                {
                    case "descr":
                        if (Peek() == '[') throw new ModelFormatException($"{name} holds a structured array; only arrays of plain numbers, booleans and text can be read");
                        descriptor = String();
                        break;
                    case "fortran_order":
                        fortran = Boolean();
                        break;
                    case "shape":
                        shape = Tuple();
                        break;
                    default:
                        throw Error($"key '{key}' is not known");
                }
                if (!Take(',') && Peek() != '}') throw Error("expected ',' or '}'");
            }
            if (descriptor is null || fortran is null || shape is null) throw Error("one of the keys descr, fortran_order and shape is missing");
            return new(descriptor, fortran.Value, shape.Value, dataOffset);
        }

        private Shape Tuple()
        {
            var extents = new List<long>();
            Expect('(');
            while (!Take(')'))
            {
                extents.Add(Integer());
                if (!Take(',') && Peek() != ')') throw Error("expected ',' or ')'");
            }
            return new Shape([.. extents]);
        }

        private long Integer()
        {
            Peek();
            var begin = at;
            while (at < text.Length && char.IsAsciiDigit(text[at])) at++;
            if (!long.TryParse(text.AsSpan(begin, at - begin), NumberStyles.None, CultureInfo.InvariantCulture, out var value)) throw Error("expected an extent");
            if (at < text.Length && text[at] == 'L') at++;
            return value;
        }

        private bool Boolean()
        {
            Peek();
            foreach (var (word, value) in new[] { ("True", true), ("False", false) })
            {
                if (!text.AsSpan(at).StartsWith(word, StringComparison.Ordinal)) continue;
                at += word.Length;
                return value;
            }
            throw Error("expected True or False");
        }

        private string String()
        {
            var quote = Peek();
            if (quote is not ('\'' or '"')) throw Error("expected a string");
            var end = text.IndexOf(quote, at + 1);
            if (end < 0) throw Error("a string does not end");
            var value = text[(at + 1)..end];
            at = end + 1;
            return value;
        }

        private char Peek()
        {
            while (at < text.Length && char.IsWhiteSpace(text[at])) at++;
            return at < text.Length ? text[at] : throw Error("it ends too early");
        }

        private bool Take(char c)
        {
            if (Peek() != c) return false;
            at++;
            return true;
        }

        private void Expect(char c)
        {
            if (!Take(c)) throw Error($"expected '{c}'");
        }

        private ModelFormatException Error(string what) => new($"{name}: the NPY header is damaged at character {at}: {what}");
    }
}
