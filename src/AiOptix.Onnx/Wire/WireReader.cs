using AiOptix.Tensors;

namespace AiOptix.Onnx;

/// <summary>A cursor over protobuf's wire format that believes no length and no tag. Every error names the file and the offset.</summary>
internal sealed class WireReader(MemoryBlock block, string source)
{
    /// <summary>The wire type of integers.</summary>
    public const int Varint = 0;

    /// <summary>The wire type of bytes, strings and messages.</summary>
    public const int Delimited = 2;

    /// <summary>The next byte.</summary>
    public long Position { get; set; }

    /// <summary>The bytes under it.</summary>
    public MemoryBlock Block => block;

    /// <summary>Reads a tag.</summary>
    /// <exception cref="ModelFormatException">It is none.</exception>
    public (int Field, int WireType) ReadTag(long end)
    {
        var at = Position;
        var tag = ReadVarint(end);
        if (tag > uint.MaxValue || tag < 8) throw Error($"0x{tag:x} is no field tag", at);
        return ((int)(tag >> 3), (int)(tag & 7));
    }

    /// <summary>Reads an integer of 1 to 10 bytes.</summary>
    /// <exception cref="ModelFormatException">It has no end, or more than 64 bits.</exception>
    public ulong ReadVarint(long end)
    {
        var bytes = block.Slice(Position, (int)Math.Min(10, end - Position));
        ulong value = 0;
        for (var i = 0; i < bytes.Length; i++)
        {
            if (i == 9 && bytes[i] > 1) throw Error("a number has more than 64 bits", Position);
            value |= (ulong)(bytes[i] & 0x7F) << (7 * i);
            if (bytes[i] >= 0x80) continue;
            Position += i + 1;
            return value;
        }
        throw Error(bytes.Length == 10 ? "a number has more than 64 bits" : "the data ends inside a number", Position);
    }

    /// <summary>Reads a length, which must fit before <paramref name="end"/>.</summary>
    /// <exception cref="ModelFormatException">It does not.</exception>
    public long ReadLength(long end)
    {
        var at = Position;
        var length = ReadVarint(end);
        if (length > (ulong)(end - Position)) throw Error($"a length of {length} bytes runs {(length - (ulong)(end - Position))} bytes past the end of what holds it", at);
        return (long)length;
    }

    /// <summary>Skips the value of a field.</summary>
    /// <exception cref="ModelFormatException">It runs past the end, or its wire type is not one of the format.</exception>
    public void Skip(int wireType, long end)
    {
        var at = Position;
        switch (wireType)
        {
            case Varint: ReadVarint(end); return;
            case 1: Position += 8; break;
            case Delimited:
                var length = ReadLength(end);
                Position += length;
                return;
            case 5: Position += 4; break;
            default: throw Error($"wire type {wireType} does not occur in ONNX files", at);
        }
        if (Position > end) throw Error("the data ends inside a number", at);
    }

    /// <summary>An error at an offset.</summary>
    public ModelFormatException Error(string what, long at) => new($"{source}: damaged at byte {at}: {what}");
}
