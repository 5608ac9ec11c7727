namespace AiOptix.Kernels.QuantizedConv;

/// <summary>The scalar reference: every output by its definition. A task is an output channel of an image; weights stay as they are.</summary>
internal sealed unsafe class ScalarQuantizedConv(in QuantizedShape shape, string name) : QuantizedConvPlan(shape, name)
{
    public override long PackedWeightBytes => sizeof(short) * (long)Shape.Conv.OutputChannels * Shape.Conv.Terms;

    public override long ScratchBytes => 0;

    public override int Tasks => Shape.Conv.OutputPixels == 0 ? 0 : checked(Shape.Conv.Batch * Shape.Conv.OutputChannels);

    public override void PackWeights(short* weights, byte* packed) =>
        new ReadOnlySpan<byte>(weights, checked((int)PackedWeightBytes)).CopyTo(new(packed, checked((int)PackedWeightBytes)));

    public override void Run(in QuantizedConvCall call, int firstTask, int endTask, byte* scratch)
    {
        var conv = Shape.Conv;
        for (var task = firstTask; task < endTask; task++)
        {
            var channel = task % conv.OutputChannels;
            for (var pixel = 0; pixel < conv.OutputPixels; pixel++)
            {
                var y = QuantizedStore.One(call.Bias[channel] + Sum(call, task, pixel), call.Factors[channel], call.Output);
                if (Shape.IsChannelsLast) call.Y[(nint)pixel * conv.OutputChannels + channel] = y;
                else call.Y[(nint)task * conv.OutputPixels + pixel] = y;
            }
        }
    }

    private int Sum(in QuantizedConvCall call, int task, int pixel)
    {
        var (conv, sum) = (Shape.Conv, 0);
        var channel = task % conv.OutputChannels;
        var weights = (short*)call.PackedWeights + (nint)channel * conv.Terms;
        if (Shape.IsChannelsLast)
        {
            for (var t = 0; t < conv.Terms; t++) sum += weights[t] * ((call.X[(nint)pixel * conv.Terms + t] ^ call.Input.Flip) - call.Input.Zero);
            return sum;
        }
        var (od, oh, ow) = (pixel / conv.Width.Output / conv.Height.Output, pixel / conv.Width.Output % conv.Height.Output, pixel % conv.Width.Output);
        var x = call.X + ((nint)(task / conv.OutputChannels) * conv.Channels + channel / conv.GroupOutputs * conv.GroupChannels) * conv.InputPixels;
        for (var c = 0; c < conv.GroupChannels; c++, x += conv.InputPixels)
            for (var td = 0; td < conv.Depth.Kernel; td++)
                for (var th = 0; th < conv.Height.Kernel; th++)
                    for (var tw = 0; tw < conv.Width.Kernel; tw++, weights++)
                    {
                        var d = od * conv.Depth.Stride - conv.Depth.PadBegin + td * conv.Depth.Dilation;
                        var h = oh * conv.Height.Stride - conv.Height.PadBegin + th * conv.Height.Dilation;
                        var w = ow * conv.Width.Stride - conv.Width.PadBegin + tw * conv.Width.Dilation;
                        if ((uint)d >= (uint)conv.Depth.Input || (uint)h >= (uint)conv.Height.Input || (uint)w >= (uint)conv.Width.Input) continue;
                        sum += *weights * ((x[((nint)d * conv.Height.Input + h) * conv.Width.Input + w] ^ call.Input.Flip) - call.Input.Zero);
                    }
        return sum;
    }
}
