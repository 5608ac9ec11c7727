using AiOptix.Tensors;

namespace AiOptix.Codecs;

/// <summary>The portable formats P1 to P6: bits, grey values and colours, as text or as bytes.</summary>
internal static class Pnm
{
    public static Tensor Read(ReadOnlySpan<byte> file, Limits limits)
    {
        var kind = file[1] - '0';
        var at = 2;
        var (width, height) = (Number(file, ref at), Number(file, ref at));
        var most = kind is 1 or 4 ? 1 : Number(file, ref at);
        if (most is < 1 or > 65535) throw ImageFile.Damaged("PNM");
        var result = ImageFile.Allocate(width, height, limits);
        try
        {
            if (kind > 3) at++;
            Fill(file, at, kind, most, result);
            return result;
        }
        catch (Exception e) when (e is ArgumentOutOfRangeException or IndexOutOfRangeException)
        {
            result.Dispose();
            throw ImageFile.Damaged("PNM");
        }
    }

    private static void Fill(ReadOnlySpan<byte> file, int at, int kind, int most, Tensor result)
    {
        var target = result.Bytes;
        var width = (int)result.Shape[1];
        var colours = kind is 3 or 6;
        var samples = colours ? target.Length : target.Length / 3;
        for (var i = 0; i < samples; i++)
        {
            int value;
            switch (kind)
            {
                case 1: value = Bit(file, ref at) == 1 ? 0 : 1; break;
                case 4:
                    var (row, column) = (i / width, i % width);
                    value = (file[at + row * ((width + 7) / 8) + column / 8] >> (7 - column % 8) & 1) == 1 ? 0 : 1;
                    break;
                case 2 or 3: value = Number(file, ref at); break;
                default:
                    value = most > 255 ? file[at + 2 * i] << 8 | file[at + 2 * i + 1] : file[at + i];
                    break;
            }
            var scaled = (byte)(most == 255 ? value : Math.Clamp((value * 255 + most / 2) / most, 0, 255));
            if (colours) target[i] = scaled;
            else target[3 * i] = target[3 * i + 1] = target[3 * i + 2] = scaled;
        }
    }

    private static int Bit(ReadOnlySpan<byte> file, ref int at)
    {
        Skip(file, ref at);
        return file[at++] - '0';
    }

    private static int Number(ReadOnlySpan<byte> file, ref int at)
    {
        Skip(file, ref at);
        var value = 0;
        var first = at;
        for (; at < file.Length && file[at] is >= (byte)'0' and <= (byte)'9' && value < 1 << 27; at++) value = value * 10 + file[at] - '0';
        return at > first ? value : throw ImageFile.Damaged("PNM");
    }

    /// <summary>White space, and comments to the end of their lines.</summary>
    private static void Skip(ReadOnlySpan<byte> file, ref int at)
    {
        for (; at < file.Length; at++)
        {
            if (file[at] == '#')
                while (at < file.Length && file[at] != '\n') at++;
            else if (!char.IsWhiteSpace((char)file[at])) return;
        }
    }
}
