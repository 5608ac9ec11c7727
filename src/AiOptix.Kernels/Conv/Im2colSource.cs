using System.Runtime.CompilerServices;
using AiOptix.Kernels.Gemm;

namespace AiOptix.Kernels.Conv;

/// <summary>Reads B[terms, pixels] of an image and group out of its input, on the fly.</summary>
internal unsafe struct Im2colSource(ConvShape* shape)
{
    /// <summary>The first channel of the image and group.</summary>
    public float* X;
    /// <summary>Room for one row of B.</summary>
    public float* Row;
    private readonly ConvShape* shape = shape;

    /// <summary>Packs terms of a convolution whose B is the input itself.</summary>
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
        for (nint k = 0; k < steps; k++)
        {
            s->Term(plane, kd, kh, kw, column0, column1);
            PanelPack.Row(s->Row, column1 - column0, width, panelFloats, panels + k * width);
            if (++kw < shape.Width.Kernel) continue;
            kw = 0;
            if (++kh < shape.Height.Kernel) continue;
            kh = 0;
            if (++kd < shape.Depth.Kernel) continue;
            kd = 0;
            plane += shape.InputPixels;
        }
    }

    // One row of B: what tap (kd, kh, kw) of a channel sees at each pixel, output row by output row.
    private readonly void Term(float* plane, int kd, int kh, int kw, int column0, int column1)
    {
        ConvAxis depth = shape->Depth, height = shape->Height, width = shape->Width;
        var outputs = width.Output;
        var line = column0 / outputs;
        var from = column0 - line * outputs;
        var slice = line / height.Output;
        var row = line - slice * height.Output;
        var left = column1 - column0;
        var to = Row;
        var shift = kw * width.Dilation - width.PadBegin;
        while (left > 0)
        {
            var n = Math.Min(left, outputs - from);
            int z = slice * depth.Stride + kd * depth.Dilation - depth.PadBegin, i = row * height.Stride + kh * height.Dilation - height.PadBegin;
            if ((uint)z >= (uint)depth.Input || (uint)i >= (uint)height.Input) LineCopy.Clear(to, n);
            else LineCopy.Run(plane + ((nint)z * height.Input + i) * width.Input, width.Input, from * width.Stride + shift, width.Stride, to, n);
            to += n;
            left -= n;
            from = 0;
            if (++row == height.Output)
            {
                row = 0;
                slice++;
            }
        }
    }
}
