using AiOptix.Kernels.Choice;

namespace AiOptix.Kernels.QuantizedConv;

/// <summary>The scalar reference: every output by its definition. A task is an output pixel; what is packed is addends of the sums, factors, addends of the results and weights as they are.</summary>
internal sealed unsafe class ScalarQuantizedConv(in QuantizedShape shape, string name) : QuantizedConvPlan(shape, name), IPacksMatrices
{
    /// <summary>How much it does for a shape.</summary>
    public static KernelWork Work(in QuantizedShape shape)
    {
        var s = shape.Conv;
        var outputs = (double)s.Batch * s.OutputPixels * s.OutputChannels;
        return new(0, outputs, outputs * s.Terms, 0, 0, 0, 0, outputs);
    }

    public override long PackedWeightBytes => (long)Shape.Conv.OutputChannels * (sizeof(int) + 2 * sizeof(float) + sizeof(short) * (long)Shape.Conv.Terms);

    public override long ScratchBytes => 0;

    public override int Tasks => checked(Shape.Conv.Batch * Shape.Conv.OutputPixels);

    public override void PackWeights(in QuantizedWeights weights, byte* packed)
    {
        var conv = Shape.Conv;
        var addends = (int*)packed;
        var factors = (float*)(addends + conv.OutputChannels);
        var added = factors + conv.OutputChannels;
        var to = (short*)(added + conv.OutputChannels);
        var header = Header(weights);
        header.Addends.CopyTo(new Span<int>(addends, conv.OutputChannels));
        header.Factors.CopyTo(new Span<float>(factors, conv.OutputChannels));
        for (var o = 0; o < conv.OutputChannels; o++) added[o] = Shape.HasAddends ? weights.Addends[o] : 0;
        for (nint i = 0; i < (nint)conv.OutputChannels * conv.Terms; i++) to[i] = weights.Weights[i];
    }

    public void PackMatrix(in QuantizedMatrix matrix, byte* packed)
    {
        var (outputs, terms) = (Shape.Conv.OutputChannels, Shape.Conv.Terms);
        var addends = (int*)packed;
        var factors = (float*)(addends + outputs);
        var to = (short*)(factors + 2 * outputs);
        for (var o = 0; o < outputs; o++)
        {
            var sum = 0;
            for (var t = 0; t < terms; t++, to++)
            {
                var value = matrix.Bytes[t * matrix.TermStride + o * matrix.OutputStride];
                *to = (short)((matrix.IsSigned ? (sbyte)value : value) - matrix.Zero);
                sum += *to;
            }
            (addends[o], factors[o]) = (-Unsigned(matrix.InputZero) * sum, matrix.Factor);
        }
    }

    public override void Run(in QuantizedConvCall call, int firstTask, int endTask, byte* scratch)
    {
        var conv = Shape.Conv;
        var addends = (int*)call.PackedWeights;
        var factors = (float*)(addends + conv.OutputChannels);
        for (var task = firstTask; task < endTask; task++)
            for (var o = 0; o < conv.OutputChannels; o++)
            {
                var sum = Sum(call, task, o, (short*)(factors + 2 * conv.OutputChannels) + (nint)o * conv.Terms);
                sum += Shape.IsDynamic ? -Unsigned(call.InputZero) * addends[o] : addends[o];
                var factor = Shape.IsDynamic ? call.InputScale * factors[o] : factors[o];
                var at = (nint)task * conv.YPitch + o;
                if (Shape.Result == QuantizedResult.Int32) ((int*)call.Y)[at] = sum;
                else if (Shape.Result == QuantizedResult.Float32) ((float*)call.Y)[at] = Shape.HasAddends ? sum * factor + factors[conv.OutputChannels + o] : sum * factor;
                else call.Y[at] = QuantizedStore.Byte(sum, factor, call.Zero, call.Low, call.High);
            }
    }

    // The products with bytes as unsigned ones; padding is the zero point.
    private int Sum(in QuantizedConvCall call, int task, int output, short* weights)
    {
        var (conv, sum) = (Shape.Conv, 0);
        var (image, pixel) = (task / conv.OutputPixels, task % conv.OutputPixels);
        var (od, oh, ow) = (pixel / conv.Width.Output / conv.Height.Output, pixel / conv.Width.Output % conv.Height.Output, pixel % conv.Width.Output);
        int flip = Shape.IsSigned ? 128 : 0, padding = Unsigned(call.InputZero);
        for (var c = 0; c < conv.GroupChannels; c++)
            for (var td = 0; td < conv.Depth.Kernel; td++)
                for (var th = 0; th < conv.Height.Kernel; th++)
                    for (var tw = 0; tw < conv.Width.Kernel; tw++, weights++)
                    {
                        var d = od * conv.Depth.Stride - conv.Depth.PadBegin + td * conv.Depth.Dilation;
                        var h = oh * conv.Height.Stride - conv.Height.PadBegin + th * conv.Height.Dilation;
                        var w = ow * conv.Width.Stride - conv.Width.PadBegin + tw * conv.Width.Dilation;
                        var isInside = (uint)d < (uint)conv.Depth.Input && (uint)h < (uint)conv.Height.Input && (uint)w < (uint)conv.Width.Input;
                        sum += *weights * (isInside ? Element(call.X, image, output / conv.GroupOutputs * conv.GroupChannels + c, (d * conv.Height.Input + h) * conv.Width.Input + w) ^ flip : padding);
                    }
        return sum;
    }

    private byte Element(byte* x, int image, int channel, int pixel)
    {
        var conv = Shape.Conv;
        return conv.ReadsChannelsFirst ? x[((nint)image * conv.Channels + channel) * conv.InputPixels + pixel] : x[((nint)image * conv.InputPixels + pixel) * conv.XPitch + channel];
    }
}
