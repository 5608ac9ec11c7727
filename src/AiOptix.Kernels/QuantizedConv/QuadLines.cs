using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.Arm;
using System.Runtime.Intrinsics.X86;

namespace AiOptix.Kernels.QuantizedConv;

/// <summary>Four lines of pixels whose bytes are brought together: four bytes, one a line, for every channel of a pixel.</summary>
internal unsafe struct QuadLines
{
    /// <summary>The first pixel of each line.</summary>
    public byte* A, B, C, D;
    /// <summary>From a pixel of each to the next.</summary>
    public nint StepA, StepB, StepC, StepD;
    /// <summary>Channels of a pixel.</summary>
    public int Channels;
    /// <summary>Where four channels of a pixel go.</summary>
    public int* Places;
    /// <summary>From a pixel's quads to the next one's.</summary>
    public int PixelBytes;
    /// <summary>How many vectors of <see cref="VectorBytes"/> the quads go to, 128 bits of each in turn; 0 where they go elsewhere.</summary>
    public int Vectors;
    /// <summary>Bytes of such a vector.</summary>
    public int VectorBytes;

    /// <summary>Sets a line.</summary>
    public void Set(int line, byte* from, nint step)
    {
        switch (line)
        {
            case 0: A = from; StepA = step; break;
            case 1: B = from; StepB = step; break;
            case 2: C = from; StepC = step; break;
            default: D = from; StepD = step; break;
        }
    }

    /// <summary>Brings n pixels together.</summary>
    [MethodImpl(HotCode.Optimized)]
    public void Join(byte* to, int n)
    {
        var isWhole = 4 * Channels == Vectors * VectorBytes;
        if (isWhole && (Vectors, VectorBytes) == (4, 64) && Avx512BW.IsSupported) Join512(to, n);
        else if (isWhole && (Vectors, VectorBytes) == (2, 64) && Avx2.IsSupported) JoinTwo(to, n);
        else if (isWhole && (Vectors, VectorBytes) == (1, 64) && Sse2.IsSupported) JoinOne(to, n);
        else if (isWhole && (Vectors, VectorBytes) == (4, 32) && Avx2.IsSupported) Join256(to, n);
        else Join128(to, n);
    }

    [MethodImpl(HotCode.Optimized)]
    private readonly void Join512(byte* to, int n)
    {
        byte* a = A, b = B, c = C, d = D;
        for (; n > 0; n--, a += StepA, b += StepB, c += StepC, d += StepD, to += 256)
        {
            Vector512<byte> x = Vector512.Load(a), y = Vector512.Load(b), z = Vector512.Load(c), w = Vector512.Load(d);
            Vector512<ushort> xy = Avx512BW.UnpackLow(x, y).AsUInt16(), zw = Avx512BW.UnpackLow(z, w).AsUInt16(), xyHigh = Avx512BW.UnpackHigh(x, y).AsUInt16(), zwHigh = Avx512BW.UnpackHigh(z, w).AsUInt16();
            Avx512BW.UnpackLow(xy, zw).AsByte().Store(to);
            Avx512BW.UnpackHigh(xy, zw).AsByte().Store(to + 64);
            Avx512BW.UnpackLow(xyHigh, zwHigh).AsByte().Store(to + 128);
            Avx512BW.UnpackHigh(xyHigh, zwHigh).AsByte().Store(to + 192);
        }
    }

    [MethodImpl(HotCode.Optimized)]
    private readonly void JoinTwo(byte* to, int n)
    {
        byte* a = A, b = B, c = C, d = D;
        for (; n > 0; n--, a += StepA, b += StepB, c += StepC, d += StepD, to += 128)
        {
            Vector256<byte> x = Vector256.Load(a), y = Vector256.Load(b), z = Vector256.Load(c), w = Vector256.Load(d);
            Vector256<ushort> xy = Avx2.UnpackLow(x, y).AsUInt16(), zw = Avx2.UnpackLow(z, w).AsUInt16(), xyHigh = Avx2.UnpackHigh(x, y).AsUInt16(), zwHigh = Avx2.UnpackHigh(z, w).AsUInt16();
            Vector256<byte> q0 = Avx2.UnpackLow(xy, zw).AsByte(), q1 = Avx2.UnpackHigh(xy, zw).AsByte(), q2 = Avx2.UnpackLow(xyHigh, zwHigh).AsByte(), q3 = Avx2.UnpackHigh(xyHigh, zwHigh).AsByte();
            Avx2.Permute2x128(q0, q2, 0x20).Store(to);
            Avx2.Permute2x128(q0, q2, 0x31).Store(to + 32);
            Avx2.Permute2x128(q1, q3, 0x20).Store(to + 64);
            Avx2.Permute2x128(q1, q3, 0x31).Store(to + 96);
        }
    }

    [MethodImpl(HotCode.Optimized)]
    private readonly void JoinOne(byte* to, int n)
    {
        byte* a = A, b = B, c = C, d = D;
        for (; n > 0; n--, a += StepA, b += StepB, c += StepC, d += StepD, to += 64)
        {
            Vector128<byte> x = Vector128.Load(a), y = Vector128.Load(b), z = Vector128.Load(c), w = Vector128.Load(d);
            Vector128<ushort> xy = Sse2.UnpackLow(x, y).AsUInt16(), zw = Sse2.UnpackLow(z, w).AsUInt16(), xyHigh = Sse2.UnpackHigh(x, y).AsUInt16(), zwHigh = Sse2.UnpackHigh(z, w).AsUInt16();
            Sse2.UnpackLow(xy, zw).AsByte().Store(to);
            Sse2.UnpackHigh(xy, zw).AsByte().Store(to + 16);
            Sse2.UnpackLow(xyHigh, zwHigh).AsByte().Store(to + 32);
            Sse2.UnpackHigh(xyHigh, zwHigh).AsByte().Store(to + 48);
        }
    }

    [MethodImpl(HotCode.Optimized)]
    private readonly void Join256(byte* to, int n)
    {
        byte* a = A, b = B, c = C, d = D;
        for (; n > 0; n--, a += StepA, b += StepB, c += StepC, d += StepD, to += 128)
        {
            Vector256<byte> x = Vector256.Load(a), y = Vector256.Load(b), z = Vector256.Load(c), w = Vector256.Load(d);
            Vector256<ushort> xy = Avx2.UnpackLow(x, y).AsUInt16(), zw = Avx2.UnpackLow(z, w).AsUInt16(), xyHigh = Avx2.UnpackHigh(x, y).AsUInt16(), zwHigh = Avx2.UnpackHigh(z, w).AsUInt16();
            Avx2.UnpackLow(xy, zw).AsByte().Store(to);
            Avx2.UnpackHigh(xy, zw).AsByte().Store(to + 32);
            Avx2.UnpackLow(xyHigh, zwHigh).AsByte().Store(to + 64);
            Avx2.UnpackHigh(xyHigh, zwHigh).AsByte().Store(to + 96);
        }
    }

    [MethodImpl(HotCode.Optimized)]
    private readonly void Join128(byte* to, int n)
    {
        byte* a = A, b = B, c = C, d = D;
        for (; n > 0; n--, a += StepA, b += StepB, c += StepC, d += StepD, to += PixelBytes)
        {
            var places = Places;
            for (var channel = 0; channel < Channels; channel += 16, places += 4)
            {
                var left = Channels - channel;
                var (x, y) = (Load(a, channel, left), Load(b, channel, left));
                var (z, w) = (Load(c, channel, left), Load(d, channel, left));
                var (xy, zw) = (Low(x, y).AsUInt16(), Low(z, w).AsUInt16());
                Low(xy, zw).AsByte().Store(to + places[0]);
                if (left > 4) High(xy, zw).AsByte().Store(to + places[1]);
                if (left <= 8) continue;
                (xy, zw) = (High(x, y).AsUInt16(), High(z, w).AsUInt16());
                Low(xy, zw).AsByte().Store(to + places[2]);
                if (left > 12) High(xy, zw).AsByte().Store(to + places[3]);
            }
        }
    }

    // Never reads beyond a pixel's channels.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private readonly Vector128<byte> Load(byte* pixel, int channel, int left)
    {
        if (left >= 16) return Vector128.Load(pixel + channel);
        if (left == 8) return Vector128.CreateScalar(*(ulong*)(pixel + channel)).AsByte();
        return Part(pixel + channel, left);
    }

    [MethodImpl(MethodImplOptions.NoInlining | HotCode.Optimized)]
    private static Vector128<byte> Part(byte* from, int left)
    {
        var part = stackalloc byte[16];
        for (var i = 0; i < left; i++) part[i] = from[i];
        return Vector128.Load(part);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<byte> Low(Vector128<byte> a, Vector128<byte> b)
    {
        if (Sse2.IsSupported) return Sse2.UnpackLow(a, b);
        return AdvSimd.Arm64.IsSupported ? AdvSimd.Arm64.ZipLow(a, b) : (Vector128.WidenLower(a) | (Vector128.WidenLower(b) << 8)).AsByte();
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<byte> High(Vector128<byte> a, Vector128<byte> b)
    {
        if (Sse2.IsSupported) return Sse2.UnpackHigh(a, b);
        return AdvSimd.Arm64.IsSupported ? AdvSimd.Arm64.ZipHigh(a, b) : (Vector128.WidenUpper(a) | (Vector128.WidenUpper(b) << 8)).AsByte();
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<ushort> Low(Vector128<ushort> a, Vector128<ushort> b)
    {
        if (Sse2.IsSupported) return Sse2.UnpackLow(a, b);
        return AdvSimd.Arm64.IsSupported ? AdvSimd.Arm64.ZipLow(a, b) : (Vector128.WidenLower(a) | (Vector128.WidenLower(b) << 16)).AsUInt16();
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<ushort> High(Vector128<ushort> a, Vector128<ushort> b)
    {
        if (Sse2.IsSupported) return Sse2.UnpackHigh(a, b);
        return AdvSimd.Arm64.IsSupported ? AdvSimd.Arm64.ZipHigh(a, b) : (Vector128.WidenUpper(a) | (Vector128.WidenUpper(b) << 16)).AsUInt16();
    }
}
