using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;
using AiOptix.Kernels.Vectors;

namespace AiOptix.Kernels.Gemm;

/// <summary>
/// Packs a strip of a matrix into a panel: <c>panel[k·width + i] = source[i·laneStride + k·stepStride]</c>, lanes beyond the strip zero. An A
/// panel has a lane a row of A, a B panel a lane a column of B.
/// </summary>
internal static unsafe class PanelPack
{
    private const int StepsAtOnce = 4;

    /// <summary>Packs <paramref name="lanes"/> (at most <paramref name="width"/>) lanes of <paramref name="steps"/> steps, at any strides.</summary>
    [MethodImpl(HotCode.Optimized)]
    public static void Run(float* source, nint laneStride, nint stepStride, int lanes, int width, nint steps, float* panel)
    {
        if (laneStride == 1) Rows(source, stepStride, lanes, width, steps, panel);
        else if (stepStride == 1) Transpose(source, laneStride, lanes, width, steps, panel);
        else Gather(source, laneStride, stepStride, 0, lanes, width, 0, steps, panel);
        if (lanes < width && laneStride != 1) ClearLanes(panel, lanes, width, steps);
    }

    /// <summary>
    /// Packs <paramref name="lanes"/> adjacent lanes into as many panels as they need, one after the other, reading each step's lanes along
    /// memory.
    /// </summary>
    [MethodImpl(HotCode.Optimized)]
    public static void Rows(float* source, nint stepStride, int lanes, int width, nint steps, float* panels)
    {
        var panelFloats = steps * width;
        nint k = 0;
        if (width == 32 && Vector512.IsHardwareAccelerated)
        {
            // Steps at a time: what is read lies together in rows, which may be pages apart, and what is written in panels.
            int left = lanes % width, whole = lanes - left;
            for (; k <= steps - StepsAtOnce; k += StepsAtOnce)
            {
                var to = panels;
                for (var lane = 0; lane < whole; lane += width)
                {
                    var from = source + lane;
                    for (var step = 0; step < StepsAtOnce; step++)
                    {
                        Vector512<float> a = Vector512.Load(from), b = Vector512.Load(from + 16);
                        a.Store(to + step * width);
                        b.Store(to + step * width + 16);
                        from += stepStride;
                    }
                    to += panelFloats;
                }
                for (var step = 0; left > 0 && step < StepsAtOnce; step++) Row(source + whole + step * stepStride, left, width, panelFloats, to + step * width);
                source += StepsAtOnce * stepStride;
                panels += StepsAtOnce * width;
            }
        }
        for (; k < steps; k++)
        {
            Row(source, lanes, width, panelFloats, panels);
            source += stepStride;
            panels += width;
        }
    }

    /// <summary>Writes one step of <paramref name="lanes"/> adjacent lanes into panels that lie <paramref name="panelFloats"/> apart.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Row(float* source, int lanes, int width, nint panelFloats, float* to)
    {
        var left = lanes;
        if (width == 32 && Vector256.IsHardwareAccelerated)
        {
            for (; left >= 32; left -= 32)
            {
                Vector256<float> a = Vector256.Load(source), b = Vector256.Load(source + 8), c = Vector256.Load(source + 16), d = Vector256.Load(source + 24);
                a.Store(to);
                b.Store(to + 8);
                c.Store(to + 16);
                d.Store(to + 24);
                source += 32;
                to += panelFloats;
            }
        }
        for (; left > 0; left -= width)
        {
            var i = 0;
            var part = Math.Min(left, width);
            if (width % 8 == 0 && Avx2.IsSupported)
            {
                for (; i < width; i += 8) Avx.Store(to + i, V8.LoadPart(source + i, part - i).Value);
            }
            for (; i <= part - 4; i += 4) Vector128.Load(source + i).Store(to + i);
            for (; i < part; i++) to[i] = source[i];
            for (; i < width; i++) to[i] = 0f;
            source += width;
            to += panelFloats;
        }
    }

    /// <summary>The same of lanes whose steps are adjacent, with the panel's other lanes left as they are: blocks of 8 or 4 lanes by 4 steps; the edges go element by element.</summary>
    [MethodImpl(HotCode.Optimized)]
    public static void Transpose(float* source, nint laneStride, int lanes, int width, nint steps, float* panel)
    {
        var blocked = steps & ~3;
        var lane = 0;
        if (Avx.IsSupported)
            for (; lane <= lanes - 8; lane += 8) Transpose8(source + lane * laneStride, laneStride, blocked, panel + lane, width);
        for (; lane <= lanes - 4; lane += 4)
        {
            float* s0 = source + lane * laneStride, s1 = s0 + laneStride, s2 = s1 + laneStride, s3 = s2 + laneStride;
            var to = panel + lane;
            for (nint k = 0; k < blocked; k += 4)
            {
                Interleave.Transpose(Vector128.Load(s0 + k), Vector128.Load(s1 + k), Vector128.Load(s2 + k), Vector128.Load(s3 + k), to, width);
                to += 4 * width;
            }
        }
        Gather(source, laneStride, 1, lane, lanes, width, 0, blocked, panel);
        Gather(source, laneStride, 1, 0, lanes, width, blocked, steps, panel);
    }

    // Lanes i and i + 4 share a register, so that no element crosses its halves.
    [MethodImpl(HotCode.Optimized)]
    private static void Transpose8(float* source, nint stride, nint steps, float* to, nint width)
    {
        float* s1 = source + stride, s2 = s1 + stride, s3 = s2 + stride;
        for (nint k = 0; k < steps; k += 4)
        {
            Vector256<float> a = Halves(source + k, 4 * stride), b = Halves(s1 + k, 4 * stride), c = Halves(s2 + k, 4 * stride), d = Halves(s3 + k, 4 * stride);
            Vector256<float> ab = Avx.UnpackLow(a, b), cd = Avx.UnpackLow(c, d);
            Avx.Shuffle(ab, cd, 0x44).Store(to);
            Avx.Shuffle(ab, cd, 0xEE).Store(to + width);
            (ab, cd) = (Avx.UnpackHigh(a, b), Avx.UnpackHigh(c, d));
            Avx.Shuffle(ab, cd, 0x44).Store(to + 2 * width);
            Avx.Shuffle(ab, cd, 0xEE).Store(to + 3 * width);
            to += 4 * width;
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<float> Halves(float* p, nint distance) => Avx.InsertVector128(Vector128.Load(p).ToVector256Unsafe(), Vector128.Load(p + distance), 1);

    [MethodImpl(HotCode.Optimized)]
    private static void Gather(float* source, nint laneStride, nint stepStride, int lane, int lanes, int width, nint step, nint steps, float* panel)
    {
        for (var k = step; k < steps; k++)
        {
            for (var i = lane; i < lanes; i++) panel[k * width + i] = source[i * laneStride + k * stepStride];
        }
    }

    [MethodImpl(HotCode.Optimized)]
    private static void ClearLanes(float* panel, int lanes, int width, nint steps)
    {
        for (nint k = 0; k < steps; k++)
        {
            for (var i = lanes; i < width; i++) panel[k * width + i] = 0f;
        }
    }
}
