using System.Buffers.Binary;
using AiOptix.Tensors;

namespace AiOptix.Codecs;

/// <summary>BMP without compression: 1, 4 and 8 bits with a palette, 16, 24 and 32 bits a point.</summary>
internal static class Bmp
{
    public static Tensor Read(ReadOnlySpan<byte> file, Limits limits)
    {
        try
        {
            return Decode(file, limits);
        }
        catch (Exception e) when (e is ArgumentOutOfRangeException or IndexOutOfRangeException)
        {
            throw ImageFile.Damaged("BMP");
        }
    }

    private static Tensor Decode(ReadOnlySpan<byte> file, Limits limits)
    {
        int Int(ReadOnlySpan<byte> f, int at) => BinaryPrimitives.ReadInt32LittleEndian(f[at..]);
        var (start, header) = (Int(file, 10), Int(file, 14));
        if (header < 40) throw new InvalidInputException("a BMP image of the oldest kind (with a header of 12 bytes) is not supported");
        var (width, height, bits, compression) = (Int(file, 18), Int(file, 22), BinaryPrimitives.ReadUInt16LittleEndian(file[28..]), Int(file, 30));
        if (compression is not (0 or 3) || bits is not (1 or 4 or 8 or 16 or 24 or 32)) throw new InvalidInputException($"a BMP image of {bits} bits with compression {compression} is not supported");
        if (height == int.MinValue) throw ImageFile.Damaged("BMP");
        var fromTop = height < 0;
        using var result = ImageFile.Allocate(width, Math.Abs(height), limits);
        var masks = compression == 3 ? (Int(file, 54), Int(file, 58), Int(file, 62)) : bits == 16 ? (0x7C00, 0x3E0, 0x1F) : (0xFF0000, 0xFF00, 0xFF);
        var palette = file[(14 + header)..];
        var stride = (width * (long)bits + 31) / 32 * 4;
        var target = result.Bytes;
        for (var y = 0; y < result.Shape[0]; y++)
        {
            var row = file[checked((int)(start + stride * (fromTop ? y : result.Shape[0] - 1 - y)))..];
            for (var x = 0; x < width; x++)
            {
                var to = target[((y * width + x) * 3)..];
                if (bits == 24) (to[0], to[1], to[2]) = (row[3 * x + 2], row[3 * x + 1], row[3 * x]);
                else if (bits > 8)
                {
                    var point = bits == 16 ? BinaryPrimitives.ReadUInt16LittleEndian(row[(2 * x)..]) : BinaryPrimitives.ReadUInt32LittleEndian(row[(4 * x)..]);
                    (to[0], to[1], to[2]) = (Part(point, (uint)masks.Item1), Part(point, (uint)masks.Item2), Part(point, (uint)masks.Item3));
                }
                else
                {
                    var index = row[x * bits / 8] >> (8 - bits - x * bits % 8) & (1 << bits) - 1;
                    (to[0], to[1], to[2]) = (palette[4 * index + 2], palette[4 * index + 1], palette[4 * index]);
                }
            }
        }
        return result.Share();
    }

    private static byte Part(uint point, uint mask)
    {
        if (mask == 0) return 0;
        var shift = System.Numerics.BitOperations.TrailingZeroCount(mask);
        var most = mask >> shift;
        return (byte)((((point & mask) >> shift) * 255ul + most / 2) / most);
    }
}
