using System.Runtime.CompilerServices;

namespace AiOptix.Kernels.QuantizedConv;

/// <summary>
/// One input channel a group. A task is a block of output rows of one channel: the input rows that it needs are laid out in scratch with their padding, bytes of a row
/// sorted by their place modulo the stride, so that neighbours in the output read neighbours. Padding is the zero point, so that the sum of all taps less zero
/// point · sum of weights is the convolution. Weights lie as [outputs][taps] pairs of a weight and 0, then their sum.
/// </summary>
internal sealed unsafe class DepthwiseQuantizedConv<T> : QuantizedConvPlan where T : unmanaged, IPairs<T>
{
    private const int PlaneBytes = 48 << 10;

    private readonly int[] offsets;
    private readonly int phaseBytes;
    private readonly int rowBytes;
    private readonly int rowsATask;
    private readonly int rowsIn;
    private readonly int blocks;

    public DepthwiseQuantizedConv(in QuantizedShape shape, string name) : base(shape, name)
    {
        var (depth, height, width) = (shape.Conv.Depth, shape.Conv.Height, shape.Conv.Width);
        var reach = (height.Kernel - 1) * height.Dilation + 1;
        phaseBytes = checked(Columns + (width.Kernel - 1) * width.Dilation / width.Stride + 1);
        rowBytes = checked(width.Stride * phaseBytes);
        var fitting = (PlaneBytes / Math.Max(1, (long)depth.Kernel * rowBytes) - reach) / height.Stride + 1;
        rowsATask = (int)Math.Clamp(fitting, 1, Math.Max(1, height.Output));
        rowsIn = (rowsATask - 1) * height.Stride + reach;
        blocks = (height.Output + rowsATask - 1) / rowsATask;
        offsets = new int[shape.Conv.Taps];
        for (var t = 0; t < offsets.Length; t++)
        {
            var (tw, th, td) = (t % width.Kernel * width.Dilation, t / width.Kernel % height.Kernel * height.Dilation, t / width.Kernel / height.Kernel);
            offsets[t] = checked((td * rowsIn + th) * rowBytes + tw % width.Stride * phaseBytes + tw / width.Stride);
        }
    }

    public override long PackedWeightBytes => sizeof(int) * (long)Shape.Conv.OutputChannels * (Shape.Conv.Taps + 1);

    // The plane, a row of sums and one of bytes.
    public override long ScratchBytes => (long)Shape.Conv.Depth.Kernel * rowsIn * rowBytes + (sizeof(int) + 1) * (long)Columns;

    public override int Tasks => Shape.Conv.OutputPixels == 0 ? 0 : checked(Shape.Conv.Batch * Shape.Conv.OutputChannels * Shape.Conv.Depth.Output * blocks);

    /// <summary>Output columns in whole steps of the row loop.</summary>
    private int Columns => (Shape.Conv.Width.Output + 2 * T.Count - 1) / (2 * T.Count) * (2 * T.Count);

    public override void PackWeights(short* weights, byte* packed)
    {
        var to = (int*)packed;
        for (var o = 0; o < Shape.Conv.OutputChannels; o++)
        {
            var sum = 0;
            for (var t = 0; t < Shape.Conv.Taps; t++, weights++)
            {
                *to++ = (ushort)*weights;
                sum += *weights;
            }
            *to++ = sum;
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public override void Run(in QuantizedConvCall call, int firstTask, int endTask, byte* scratch)
    {
        var conv = Shape.Conv;
        var sums = (int*)scratch;
        var bytes = scratch + sizeof(int) * Columns;
        var plane = bytes + Columns;
        fixed (int* taps = offsets)
            for (var task = firstTask; task < endTask; task++)
            {
                var block = task % blocks;
                var od = task / blocks % conv.Depth.Output;
                var unit = task / blocks / conv.Depth.Output;
                var (image, channel) = (unit / conv.OutputChannels, unit % conv.OutputChannels);
                var first = block * rowsATask;
                Fill(call, call.X + ((nint)image * conv.Channels + channel / conv.GroupOutputs) * conv.InputPixels, od, first, plane);
                var weights = (int*)call.PackedWeights + (nint)channel * (conv.Taps + 1);
                var bias = call.Bias[channel] - call.Input.Zero * weights[conv.Taps];
                var y = call.Y + (((nint)unit * conv.Depth.Output + od) * conv.Height.Output + first) * conv.Width.Output;
                for (var row = first; row < Math.Min(conv.Height.Output, first + rowsATask); row++, y += conv.Width.Output)
                {
                    Row(plane + (nint)(row - first) * conv.Height.Stride * rowBytes, taps, weights, conv.Taps, Columns, sums);
                    QuantizedStore.Row(sums, bias, call.Factors[channel], call.Output, bytes, (conv.Width.Output + 7) / 8 * 8);
                    new ReadOnlySpan<byte>(bytes, conv.Width.Output).CopyTo(new(y, conv.Width.Output));
                }
            }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Row(byte* from, int* offsets, int* weights, int taps, int columns, int* sums)
    {
        for (var i = 0; i < columns; i += 2 * T.Count, from += 2 * T.Count)
        {
            T a = default, b = default;
            for (var t = 0; t < taps; t++)
            {
                var weight = T.Broadcast(weights[t]);
                a = T.MultiplyAdd(a, weight, T.LoadBytes(from + offsets[t]));
                b = T.MultiplyAdd(b, weight, T.LoadBytes(from + offsets[t] + T.Count));
            }
            T.Store(sums + i, a);
            T.Store(sums + i + T.Count, b);
        }
    }

    /// <summary>Lays out the input rows of a block.</summary>
    private void Fill(in QuantizedConvCall call, byte* channel, int od, int first, byte* plane)
    {
        var (depth, height, width) = (Shape.Conv.Depth, Shape.Conv.Height, Shape.Conv.Width);
        for (var td = 0; td < depth.Kernel; td++)
            for (var row = 0; row < rowsIn; row++, plane += rowBytes)
            {
                var (d, h) = (od * depth.Stride - depth.PadBegin + td * depth.Dilation, first * height.Stride - height.PadBegin + row);
                new Span<byte>(plane, rowBytes).Fill((byte)call.Input.Zero);
                if ((uint)d < (uint)depth.Input && (uint)h < (uint)height.Input) Line(channel + ((nint)d * height.Input + h) * width.Input, call.Input.Flip, plane);
            }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void Line(byte* from, byte flip, byte* to)
    {
        var (extent, stride, pad) = (Shape.Conv.Width.Input, Shape.Conv.Width.Stride, Shape.Conv.Width.PadBegin);
        for (var phase = 0; phase < stride; phase++, to += phaseBytes)
        {
            // Place i of a phase is input position i · stride + phase − pad.
            var begin = phase >= pad ? 0 : (pad - phase + stride - 1) / stride;
            var end = Math.Min(phaseBytes, (extent + pad - phase + stride - 1) / stride);
            var x = from + begin * stride + phase - pad;
            if (stride == 1 && flip == 0 && end > begin) new ReadOnlySpan<byte>(x, end - begin).CopyTo(new(to + begin, end - begin));
            else
                for (var i = begin; i < end; i++, x += stride) to[i] = (byte)(*x ^ flip);
        }
    }
}
