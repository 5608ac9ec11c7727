using System.Runtime.CompilerServices;
using AiOptix.Kernels.Gemm;
using AiOptix.Kernels.Vectors;

namespace AiOptix.Kernels.Conv;

/// <summary>The reference: seven loops, one fused multiply-add each. A task is one output channel of one image.</summary>
internal sealed unsafe class ScalarConv(in ConvShape shape, string name) : ConvPlan(shape, name)
{
    public override long PackedWeightBytes => sizeof(float) * (long)Shape.OutputChannels * Shape.Terms;

    public override long ScratchBytes => 0;

    public override int Tasks => Shape.OutputPixels == 0 ? 0 : checked(Shape.Batch * Shape.OutputChannels);

    public override void PackWeights(float* weights, float* packed)
        => Buffer.MemoryCopy(weights, packed, PackedWeightBytes, PackedWeightBytes);

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public override void Run(in ConvCall call, int firstTask, int endTask, byte* scratch)
    {
        var finish = Epilogue.Select(call.Activation, 1);
        var isLast = Shape.Layout == ConvLayout.ChannelsLast;
        var toLast = Shape.Layout != ConvLayout.ChannelsFirst;
        for (var task = firstTask; task < endTask; task++)
        {
            int image = task / Shape.OutputChannels, output = task % Shape.OutputChannels, channel = output / Shape.GroupOutputs * Shape.GroupChannels;
            var x = call.X + (isLast ? (nint)image * Shape.InputPixels * Shape.XPitch + channel : ((nint)image * Shape.Channels + channel) * Shape.InputPixels);
            var w = call.PackedWeights + (nint)output * Shape.Terms;
            nint pixel = (nint)image * Shape.OutputPixels, step = toLast ? Shape.YPitch : 1, residualStep = toLast ? Shape.ResidualPitch : 1;
            var y = call.Y + (toLast ? pixel * step + output : (nint)task * Shape.OutputPixels);
            for (var i = 0; i < Shape.OutputPixels; i++) y[i * step] = Sum(x, w, i);
            EpilogueTile e = default;
            e.Source = e.Destination = y;
            e.SourceStride = e.DestinationStride = step;
            e.RowBias = call.Bias == null ? null : call.Bias + output;
            e.ResidualStride = residualStep;
            e.Residual = call.Residual == null ? null : call.Residual + (toLast ? pixel * residualStep + output : (nint)task * Shape.OutputPixels);
            (e.Rows, e.Columns, e.Alpha, e.Args) = (Shape.OutputPixels, 1, 1f, call.Args);
            finish(&e);
        }
    }

    private float Sum(float* x, float* w, int pixel) => Shape.Layout == ConvLayout.ChannelsFirst ? SumChannelByChannel(x, w, pixel) : SumTapByTap(x, w, pixel);

    private float SumTapByTap(float* x, float* w, int pixel)
    {
        nint step = Shape.Layout == ConvLayout.ChannelsLast ? Shape.XPitch : 1, channelStep = Shape.Layout == ConvLayout.ChannelsLast ? 1 : Shape.InputPixels;
        var sum = V1.Zero;
        for (var t = 0; t < Shape.Taps; t++)
        {
            if (Place(pixel, t) is not (>= 0 and var at)) continue;
            for (var c = 0; c < Shape.GroupChannels; c++) sum = V1.Fma(new(w[(nint)c * Shape.Taps + t]), new(x[at * step + c * channelStep]), sum);
        }
        return sum.Value;
    }

    private float SumChannelByChannel(float* x, float* w, int pixel)
    {
        var sum = V1.Zero;
        for (var c = 0; c < Shape.GroupChannels; c++)
            for (var t = 0; t < Shape.Taps; t++, w++)
                if (Place(pixel, t) is >= 0 and var at) sum = V1.Fma(new(*w), new(x[(nint)c * Shape.InputPixels + at]), sum);
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
