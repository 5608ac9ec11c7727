using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using AiOptix.Kernels.Conv;

namespace AiOptix.Kernels.QuantizedConv;

/// <summary>Pixels of bytes.</summary>
internal readonly unsafe struct ByteLines : IPixelLines<byte>
{
    /// <inheritdoc/>
    [MethodImpl(HotCode.Optimized)]
    public static void Run(byte* from, nint pitch, byte* to, nint toPitch, int n, int channels)
    {
        if (n == 0) return;
        if (pitch == channels && toPitch == channels)
        {
            Buffer.MemoryCopy(from, to, (long)n * channels, (long)n * channels);
            return;
        }
        for (var i = 0; i < n; i++, from += pitch, to += toPitch)
        {
            var c = 0;
            for (; c <= channels - 16; c += 16) Vector128.Load(from + c).Store(to + c);
            for (; c <= channels - 4; c += 4) *(uint*)(to + c) = *(uint*)(from + c);
            for (; c < channels; c++) to[c] = from[c];
        }
    }

    /// <inheritdoc/>
    [MethodImpl(HotCode.Optimized)]
    public static void Interleave(byte* planes, nint planeBytes, byte* to, int n, int channels)
    {
        var i = 0;
        if (channels == 3)
        {
            byte* a = planes, b = planes + planeBytes, c = planes + 2 * planeBytes;
            var pack = Vector128.Create((byte)0, 1, 2, 4, 5, 6, 8, 9, 10, 12, 13, 14, 255, 255, 255, 255);
            // Sixteen bytes are stored for four pixels of twelve; the four behind them belong to the next two pixels.
            for (; i <= n - 6; i += 4)
            {
                var (x, y, z) = (Vector128.CreateScalar(*(uint*)(a + i)).AsByte(), Vector128.CreateScalar(*(uint*)(b + i)).AsByte(), Vector128.CreateScalar(*(uint*)(c + i)).AsByte());
                var xy = Vector128.WidenLower(x) | (Vector128.WidenLower(y) << 8);
                var quads = Vector128.WidenLower(xy) | (Vector128.WidenLower(Vector128.WidenLower(z)) << 16);
                Vector128.Shuffle(quads.AsByte(), pack).Store(to + 3 * i);
            }
        }
        for (; i < n; i++)
            for (var c = 0; c < channels; c++) to[(nint)i * channels + c] = planes[c * planeBytes + i];
    }

    /// <inheritdoc/>
    [MethodImpl(HotCode.Optimized)]
    public static void Fill(byte* to, nint n, byte value) => Unsafe.InitBlockUnaligned(to, value, checked((uint)n));
}
