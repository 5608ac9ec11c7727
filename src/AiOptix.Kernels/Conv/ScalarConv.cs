using System.Runtime.CompilerServices;
using AiOptix.Kernels.Choice;
using AiOptix.Kernels.Gemm;
using AiOptix.Kernels.Vectors;

namespace AiOptix.Kernels.Conv;

/// <summary>The reference: seven loops, one fused multiply-add each. A task is one output channel of one image.</summary>
internal sealed unsafe class ScalarConv(in ConvShape shape, string name) : ConvPlan(shape, name)
{
    /// <summary>How much it does for a shape.</summary>
    public static KernelWork Work(in ConvShape s)
    {
        var outputs = (double)s.Batch * s.OutputPixels * s.OutputChannels;
        return new(0, outputs, outputs * s.Terms, 0, 0, 0, 0, outputs);
    }

    public override long PackedWeightBytes => sizeof(float) * (long)Shape.OutputChannels * Shape.Terms;

    public override long ScratchBytes => 0;

    public override int Tasks => Shape.OutputPixels == 0 ? 0 : checked(Shape.Batch * Shape.OutputChannels);

    public override void PackWeights(float* weights, float* packed)
        => Buffer.MemoryCopy(weights, packed, PackedWeightBytes, PackedWeightBytes);

    [MethodImpl(HotCode.Optimized)]
    public override void Run(in ConvCall call, int firstTask, int endTask, byte* scratch)
    {
        var finish = Epilogue.Select(call.Activation, 1);
        for (var task = firstTask; task < endTask; task++)
        {
            int image = task / Shape.OutputChannels, output = task % Shape.OutputChannels, channel = output / Shape.GroupOutputs * Shape.GroupChannels;
            var x = call.X + (Shape.ReadsChannelsFirst ? ((nint)image * Shape.Channels + channel) * Shape.InputPixels : (nint)image * Shape.InputPixels * Shape.XPitch + channel);
            var w = call.PackedWeights + (nint)output * Shape.Terms;
            var pixel = (nint)image * Shape.OutputPixels;
            var y = call.Y + pixel * Shape.YPitch + output;
            for (var i = 0; i < Shape.OutputPixels; i++) y[(nint)i * Shape.YPitch] = Sum(x, w, i);
            EpilogueTile e = default;
            e.Source = e.Destination = y;
            (e.SourceStride, e.DestinationStride, e.ResidualStride) = (Shape.YPitch, Shape.YPitch, Shape.ResidualPitch);
            e.RowBias = call.Bias == null ? null : call.Bias + output;
            e.Residual = call.Residual == null ? null : call.Residual + pixel * Shape.ResidualPitch + output;
            (e.Rows, e.Columns, e.Alpha, e.Args) = (Shape.OutputPixels, 1, 1f, call.Args);
            finish(&e);
        }
    }

    /// <summary>Makes the code ready that it runs.</summary>
    public static void RehearseCode(Activation? activation) => Rehearse(new ScalarConv(new(1, 1, 1, 1, ConvAxis.None, ConvAxis.None, new(1)), "conv_f32_scalar"), activation);

    private float Sum(float* x, float* w, int pixel)
    {
        nint step = Shape.ReadsChannelsFirst ? 1 : Shape.XPitch, channelStep = Shape.ReadsChannelsFirst ? Shape.InputPixels : 1;
        var sum = V1.Zero;
        for (var t = 0; t < Shape.Taps; t++)
        {
            if (Place(pixel, t) is not (>= 0 and var at)) continue;
            for (var c = 0; c < Shape.GroupChannels; c++) sum = V1.Fma(new(w[(nint)c * Shape.Taps + t]), new(x[at * step + c * channelStep]), sum);
        }
        return sum.Value;
    }

    /// <summary>The input pixel that a tap sees of an output pixel; -1 beyond the input.</summary>
    private int Place(int pixel, int tap)
    {
        ConvAxis depth = Shape.Depth, height = Shape.Height, width = Shape.Width;
        var j = pixel % width.Output * width.Stride - width.PadBegin + tap % width.Kernel * width.Dilation;
        var i = pixel / width.Output % height.Output * height.Stride - height.PadBegin + tap / width.Kernel % height.Kernel * height.Dilation;
        var z = pixel / width.Output / height.Output * depth.Stride - depth.PadBegin + tap / width.Kernel / height.Kernel * depth.Dilation;
        return (uint)z < (uint)depth.Input && (uint)i < (uint)height.Input && (uint)j < (uint)width.Input ? (z * height.Input + i) * width.Input + j : -1;
    }
}
