using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using AiOptix.Kernels.Conv;

namespace AiOptix.Kernels.QuantizedConv;

/// <summary>The terms of a block of output pixels, bytes less their zero point as int16, two terms interleaved: panels [pairs][columns] of pairs. Padding is 0.</summary>
internal unsafe struct QuantizedSource
{
    public ConvShape Shape;
    public QuantizedBytes Input;

    /// <summary>Columns of a panel.</summary>
    public int Columns;

    /// <summary>Two lines of as many int16 as the block has columns, whole panels.</summary>
    public short* Lines;

    /// <summary>Packs pixels <paramref name="first"/> to <paramref name="first"/> + <paramref name="count"/> − 1 of an image's group; columns beyond are 0.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public void Pack(byte* x, int first, int count, int* panels)
    {
        var (terms, taps) = (Shape.Terms, Shape.Taps);
        var width = (count + Columns - 1) / Columns * Columns;
        var pairs = (terms + 1) / 2;
        short* one = Lines, other = Lines + width;
        for (var i = count; i < width; i++) one[i] = other[i] = 0;
        for (var pair = 0; pair < pairs; pair++)
        {
            for (var half = 0; half < 2; half++)
            {
                var line = half == 0 ? one : other;
                var term = 2 * pair + half;
                if (term == terms) new Span<short>(line, width).Clear();
                else Term(x + (nint)(term / taps) * Shape.InputPixels, term % taps, first, count, line);
            }
            Interleave(one, other, width, panels + (nint)pair * Columns, (nint)pairs * Columns);
        }
    }

    /// <summary>The same of rows of a matrix [pixels, terms].</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public readonly void PackRows(byte* x, int first, int count, int* panels)
    {
        var terms = Shape.Terms;
        var pairs = (terms + 1) / 2;
        var width = (count + Columns - 1) / Columns * Columns;
        for (var i = 0; i < width; i++)
        {
            var to = panels + (nint)(i / Columns) * pairs * Columns + i % Columns;
            var from = x + (nint)(first + i) * terms;
            for (var pair = 0; pair < pairs; pair++)
            {
                if (i >= count) to[(nint)pair * Columns] = 0;
                else to[(nint)pair * Columns] = (ushort)Number(from[2 * pair]) | (2 * pair + 1 < terms ? Number(from[2 * pair + 1]) << 16 : 0);
            }
        }
    }

    private readonly void Term(byte* channel, int tap, int first, int count, short* line)
    {
        if (Shape.Taps == 1 && Shape is { Depth.IsIdentity: true, Height.IsIdentity: true, Width.IsIdentity: true })
        {
            Line(channel + first, 0, 1, count, count, line);
            return;
        }
        var (depth, height, width) = (Shape.Depth, Shape.Height, Shape.Width);
        var tw = tap % width.Kernel;
        var th = tap / width.Kernel % height.Kernel;
        var td = tap / width.Kernel / height.Kernel;
        var ow = first % width.Output;
        var oh = first / width.Output % height.Output;
        var od = first / width.Output / height.Output;
        while (count > 0)
        {
            var run = Math.Min(width.Output - ow, count);
            var d = od * depth.Stride - depth.PadBegin + td * depth.Dilation;
            var h = oh * height.Stride - height.PadBegin + th * height.Dilation;
            if ((uint)d < (uint)depth.Input && (uint)h < (uint)height.Input)
                Line(channel + ((nint)d * height.Input + h) * width.Input, ow * width.Stride - width.PadBegin + tw * width.Dilation, width.Stride, width.Input, run, line);
            else
                new Span<short>(line, run).Clear();
            line += run;
            count -= run;
            ow = 0;
            if (++oh < height.Output) continue;
            oh = 0;
            od++;
        }
    }

    /// <summary>Outputs of one line: input positions <paramref name="at"/>, at + stride, …; those outside of 0 to <paramref name="extent"/> − 1 are padding.</summary>
    private readonly void Line(byte* from, int at, int stride, int extent, int n, short* to)
    {
        var begin = at < 0 ? Math.Min(n, (-at + stride - 1) / stride) : 0;
        var end = at >= extent ? begin : Math.Max(begin, Math.Min(n, (extent - at + stride - 1) / stride));
        for (var i = 0; i < begin; i++) to[i] = 0;
        for (var i = end; i < n; i++) to[i] = 0;
        var k = begin;
        if (stride == 1)
        {
            var (flip, zero) = (Vector128.Create(Input.Flip), Vector128.Create((short)Input.Zero));
            for (; k <= end - 16; k += 16)
            {
                var (low, high) = Vector128.Widen(Vector128.Load(from + at + k) ^ flip);
                (low.AsInt16() - zero).Store(to + k);
                (high.AsInt16() - zero).Store(to + k + 8);
            }
        }
        for (; k < end; k++) to[k] = Number(from[at + k * stride]);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private readonly short Number(byte x) => (short)((x ^ Input.Flip) - Input.Zero);

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private readonly void Interleave(short* one, short* other, int width, int* to, nint panelInts)
    {
        for (var column = 0; column < width; column += Columns)
        {
            for (var i = 0; i < Columns; i += 8)
            {
                var (a, b) = Vector128.Widen(Vector128.Load((ushort*)one + column + i));
                var (c, d) = Vector128.Widen(Vector128.Load((ushort*)other + column + i));
                (a | (c << 16)).AsInt32().Store(to + i);
                (b | (d << 16)).AsInt32().Store(to + i + 4);
            }
            to += panelInts;
        }
    }
}
