using System.Runtime.CompilerServices;
using AiOptix.Kernels.Gemm;

namespace AiOptix.Kernels.Conv;

/// <summary>Reads B[terms, pixels] of an image and group out of its input, on the fly.</summary>
internal unsafe struct Im2colSource(ConvShape* shape)
{
    /// <summary>The first channel of the image and group.</summary>
    public float* X;
    /// <summary>Room for <see cref="LineFloats"/> floats.</summary>
    public float* Lines;
    private const int MostPatterns = 8;
    private const int FreshFloats = 1536;
    private readonly ConvShape* shape = shape;

    /// <summary>Packs terms of a convolution whose B is the input itself.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void PackPointwise(void* source, nint k0, nint steps, int column0, int column1, float* panels, int width)
    {
        var s = (Im2colSource*)source;
        nint pixels = s->shape->InputPixels;
        PanelPack.Rows(s->X + k0 * pixels + column0, pixels, column1 - column0, width, steps, panels);
    }

    /// <summary>Packs terms k0…k0 + steps − 1 of pixels column0…column1 − 1.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Pack(void* source, nint k0, nint steps, int column0, int column1, float* panels, int width)
    {
        var s = (Im2colSource*)source;
        ref readonly var shape = ref *s->shape;
        var kw = (int)(k0 % shape.Width.Kernel);
        var kh = (int)(k0 / shape.Width.Kernel % shape.Height.Kernel);
        var kd = (int)(k0 / (shape.Width.Kernel * shape.Height.Kernel) % shape.Depth.Kernel);
        var plane = s->X + k0 / shape.Taps * shape.InputPixels;
        var panelFloats = steps * width;
        var patterns = stackalloc LinePattern[MostPatterns];
        var patterned = MakePatterns(shape.Width, patterns);
        Window window = new(shape, column0, column1 - column0);
        nint pitch = column1 - column0 + LinePattern.Slack;
        var terms = TermsAtOnce(column1 - column0);
        for (nint k = 0; k < steps; k += terms)
        {
            var end = Math.Min(terms, steps - k);
            for (nint t = 0; t < end; t++)
            {
                Term(window, shape, plane, kd, kh, kw, patterned ? patterns + kw : null, s->Lines + t * pitch);
                if (++kw < shape.Width.Kernel) continue;
                kw = 0;
                if (++kh < shape.Height.Kernel) continue;
                kh = 0;
                if (++kd < shape.Depth.Kernel) continue;
                kd = 0;
                plane += shape.InputPixels;
            }
            for (nint t = 0; t < end; t++) PanelPack.Row(s->Lines + t * pitch, column1 - column0, width, panelFloats, panels + (k + t) * width);
        }
    }

    /// <summary>Floats that <see cref="Lines"/> needs for a task of so many columns.</summary>
    public static nint LineFloats(int columns) => Math.Max(FreshFloats, 2 * (columns + LinePattern.Slack));

    // Terms are gathered some at a time before they are copied on: a load that meets parts of several fresh stores has to wait for all of them.
    private static int TermsAtOnce(int columns) => Math.Clamp(FreshFloats / (columns + LinePattern.Slack), 2, 32);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static bool MakePatterns(in ConvAxis width, LinePattern* patterns)
    {
        if (width.Kernel > MostPatterns) return false;
        var outputs = width.Output;
        for (var kw = 0; kw < width.Kernel; kw++)
        {
            if (!LinePattern.TryMake(kw * width.Dilation - width.PadBegin, width.Stride, width.Input, outputs, patterns + kw)) return false;
        }
        return true;
    }

    // One row of B: what tap (kd, kh, kw) of a channel sees at each pixel of the window, output line by output line.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Term(in Window w, in ConvShape shape, float* plane, int kd, int kh, int kw, LinePattern* pattern, float* to)
    {
        var length = shape.Width.Input;
        int stride = shape.Width.Stride, shift = kw * shape.Width.Dilation - shape.Width.PadBegin;
        int heights = shape.Height.Input, down = shape.Height.Stride, firstRow = kh * shape.Height.Dilation - shape.Height.PadBegin;
        int z = w.Slice * shape.Depth.Stride + kd * shape.Depth.Dilation - shape.Depth.PadBegin, i = w.Row * down + firstRow;
        int left = w.Pixels, from = w.Column, row = w.Row;
        while (left > 0)
        {
            var n = Math.Min(left, w.Outputs - from);
            if ((uint)z >= (uint)shape.Depth.Input || (uint)i >= (uint)heights) LineCopy.Clear(to, n);
            else
            {
                var line = plane + ((nint)z * heights + i) * length;
                if (n == w.Outputs && pattern != null) LinePattern.Run(pattern, line, to);
                else LineCopy.Run(line, length, from * stride + shift, stride, to, n);
            }
            to += n;
            left -= n;
            from = 0;
            i += down;
            if (++row < w.Rows) continue;
            row = 0;
            i = firstRow;
            z += shape.Depth.Stride;
        }
    }

    // Where a task's pixels begin, and the output extents.
    private readonly struct Window
    {
        public readonly int Pixels, Outputs, Rows, Slice, Row, Column;

        public Window(in ConvShape shape, int pixel, int pixels)
        {
            (Pixels, Outputs, Rows) = (pixels, shape.Width.Output, shape.Height.Output);
            var line = pixel / Outputs;
            Column = pixel - line * Outputs;
            Slice = line / Rows;
            Row = line - Slice * Rows;
        }
    }
}
