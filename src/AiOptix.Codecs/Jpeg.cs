using System.Buffers.Binary;
using AiOptix.Tensors;

namespace AiOptix.Codecs;

/// <summary>JPEG put into a TIFF of one strip (compression 7 of TIFF Technical Note 2), which libtiff decodes by libjpeg as libjpeg alone would.</summary>
internal static class Jpeg
{
    private const ushort Short = 3, Long = 4;

    public static Tensor Read(ReadOnlySpan<byte> file, Limits limits)
    {
        var frame = FrameOf(file);
        if (frame.Components is not (1 or 3)) throw new InvalidInputException($"a JPEG image of {frame.Components} components is not supported; convert it to RGB");
        (ushort Tag, ushort Type, uint Count, uint Value)[] entries =
        [
            (256, Long, 1, frame.Width), (257, Long, 1, frame.Height), (258, Short, (uint)frame.Components, 0), (259, Short, 1, 7), (262, Short, 1, frame.Components == 1 ? 1u : frame.IsRgb ? 2u : 6u), (273, Long, 1, 0),
            (277, Short, 1, (uint)frame.Components), (278, Long, 1, frame.Height), (279, Long, 1, (uint)file.Length), (284, Short, 1, 1), (530, Short, 2, frame.Across | frame.Down << 16),
        ];
        var bits = 8 + 2 + 12 * entries.Length + 4;
        var start = bits + 8;
        var tiff = new byte[start + file.Length];
        "II*\0"u8.CopyTo(tiff);
        Put(tiff, 4, 8);
        BinaryPrimitives.WriteUInt16LittleEndian(tiff.AsSpan(8), (ushort)entries.Length);
        for (var i = 0; i < entries.Length; i++)
        {
            var (tag, type, count, value) = entries[i];
            var at = tiff.AsSpan(10 + 12 * i);
            BinaryPrimitives.WriteUInt16LittleEndian(at, tag);
            BinaryPrimitives.WriteUInt16LittleEndian(at[2..], type);
            BinaryPrimitives.WriteUInt32LittleEndian(at[4..], count);
            BinaryPrimitives.WriteUInt32LittleEndian(at[8..], tag == 273 ? (uint)start : tag == 258 ? frame.Components == 1 ? 8 : (uint)bits : value);
        }
        for (var i = 0; i < 3; i++) BinaryPrimitives.WriteUInt16LittleEndian(tiff.AsSpan(bits + 2 * i), 8);
        file.CopyTo(tiff.AsSpan(start));
        try
        {
            return Tiff.Read(tiff, limits);
        }
        catch (InvalidInputException)
        {
            throw ImageFile.Damaged("JPEG");
        }
    }

    private static void Put(Span<byte> bytes, int at, uint value) => BinaryPrimitives.WriteUInt32LittleEndian(bytes[at..], value);

    /// <summary>The frame header: extents, components, how often the first one is sampled for each sample of the others, and whether the components are red, green and blue.</summary>
    private static (uint Width, uint Height, int Components, uint Across, uint Down, bool IsRgb) FrameOf(ReadOnlySpan<byte> file)
    {
        var isRgb = false;
        for (var at = 2; at + 4 <= file.Length;)
        {
            if (file[at] != 0xFF) break;
            var marker = file[at + 1];
            if (marker == 0xFF)
            {
                at++;
                continue;
            }
            var length = BinaryPrimitives.ReadUInt16BigEndian(file[(at + 2)..]);
            if (length < 2 || at + 2 + length > file.Length) break;
            var segment = file.Slice(at + 4, length - 2);
            if (marker == 0xEE && segment.StartsWith("Adobe"u8) && segment.Length >= 12) isRgb = segment[11] == 0;
            if (marker is >= 0xC0 and <= 0xCF and not (0xC4 or 0xC8 or 0xCC))
            {
                if (segment.Length < 9 || segment.Length < 6 + 3 * segment[5]) break;
                if (segment[0] != 8) throw new InvalidInputException($"a JPEG image of {segment[0]} bits a sample is not supported");
                return (BinaryPrimitives.ReadUInt16BigEndian(segment[3..]), BinaryPrimitives.ReadUInt16BigEndian(segment[1..]), segment[5], (uint)(segment[7] >> 4), (uint)(segment[7] & 15), isRgb);
            }
            at += 2 + length;
        }
        throw ImageFile.Damaged("JPEG");
    }
}
