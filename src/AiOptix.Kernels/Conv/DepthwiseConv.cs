using System.Runtime.CompilerServices;
using AiOptix.Kernels.Choice;
using AiOptix.Kernels.Gemm;
using AiOptix.Kernels.Loops;
using AiOptix.Kernels.Vectors;
using AiOptix.Tensors;

namespace AiOptix.Kernels.Conv;

/// <summary>
/// Convolution with one input and one output channel a group: vectors run along the channels, eight pixels of an output line at a time keep their sums in registers and share each
/// vector of weights. Taps that lie beyond the input are left out: above and below for a whole line, at its ends pixel by pixel, where four vectors of channels go together instead. The last vector
/// ends with the last channel: it may repeat sums of the one before.
/// </summary>
internal sealed unsafe class DepthwiseConv<T> : ConvPlan where T : unmanaged, IVec<T>
{
    private const int FewestVectors = 2;

    private readonly Split split;
    private readonly int innerFirst, innerEnd, channelsAtOnce, stretches;
    private readonly long lines;

    public DepthwiseConv(in ConvShape shape, Target target, string name) : base(shape, name)
    {
        var width = shape.Width;
        // What the windows of an output line see of some channels takes half of the first-level cache, so that the next lines find most of it there.
        var fitting = target.L1Bytes / 2 / sizeof(float) / Math.Max(1, (long)shape.Height.Kernel * width.Input);
        channelsAtOnce = (int)Math.Clamp(fitting & -T.Count, FewestVectors * T.Count, Math.Max(FewestVectors * T.Count, shape.Channels));
        stretches = (shape.Channels - T.Count) / channelsAtOnce + 1;
        lines = shape.OutputPixels == 0 ? 0 : checked((long)shape.Batch * shape.Depth.Output * shape.Height.Output);
        split = new Split(lines * stretches, (long)width.Output * shape.Channels / stretches * Math.Max(1, shape.Taps / 4));
        innerFirst = Math.Min(width.Output, (width.PadBegin + width.Stride - 1) / width.Stride);
        var free = width.Input - 1 - (width.Kernel - 1) * width.Dilation + width.PadBegin;
        innerEnd = Math.Clamp(free < 0 ? 0 : free / width.Stride + 1, innerFirst, width.Output);
    }

    public override long PackedWeightBytes => sizeof(float) * (long)Shape.OutputChannels * Shape.Taps;

    // For each tap where it looks and where its weights lie.
    public override long ScratchBytes => 2 * sizeof(long) * (long)Shape.Taps;

    public override int Tasks => split.Tasks;

    public static bool Suits(ConvShape shape) => shape is { ReadsChannelsFirst: false, GroupChannels: 1, GroupOutputs: 1, Groups: > 1 } && shape.Channels >= T.Count;

    /// <summary>How much it does for a shape that it suits.</summary>
    public static KernelWork Work(ConvShape shape, Target target)
    {
        double lines = (double)shape.Batch * shape.Depth.Output * shape.Height.Output, pixels = lines * shape.Width.Output, vectors = (shape.Channels + T.Count - 1) / T.Count;
        var strips = lines * vectors * Math.Ceiling(shape.Width.Output / 8.0);
        return new(lines, strips, pixels * vectors * shape.Taps, strips * shape.Taps, sizeof(float) * (double)shape.Channels * shape.Taps,
            KernelWork.Beyond(sizeof(float) * ((double)shape.Batch * shape.InputPixels + pixels) * shape.Channels, target.L2Bytes), 0, pixels * vectors);
    }

    /// <summary>Packs the weights: [taps, channels].</summary>
    public override void PackWeights(float* weights, float* packed)
    {
        for (var tap = 0; tap < Shape.Taps; tap++)
            for (var c = 0; c < Shape.Channels; c++) *packed++ = weights[(nint)c * Shape.Taps + tap];
    }

    [MethodImpl(HotCode.Optimized)]
    public override void Run(in ConvCall call, int firstTask, int endTask, byte* scratch)
    {
        var finish = Epilogue.Select(call.Activation, T.Count);
        if (call.Bias == null && call.Residual == null && call.Activation == Activation.None) finish = null;
        ConvAxis depth = Shape.Depth, height = Shape.Height, width = Shape.Width;
        Window window = default;
        window.Taps = (Tap*)scratch;
        (window.XStride, window.YStride) = ((nint)width.Stride * Shape.XPitch, Shape.YPitch);
        // Stretch by stretch of channels, the lines of each one after the other. The last stretch is as long as a vector at least.
        for (long item = split.Start(firstTask), end = split.Start(endTask); item < end; item++)
        {
            var stretch = (int)(item / lines);
            var line = item - stretch * lines;
            var channel = stretch * channelsAtOnce;
            window.Channels = stretch == stretches - 1 ? Shape.Channels - channel : channelsAtOnce;
            int rest = (int)(line / height.Output), row = (int)(line - (long)rest * height.Output), image = rest / depth.Output, slice = rest - image * depth.Output;
            int z = slice * depth.Stride - depth.PadBegin, i = row * height.Stride - height.PadBegin;
            var x = call.X + ((((nint)image * depth.Input + z) * height.Input + i) * width.Input - width.PadBegin) * Shape.XPitch + channel;
            var first = (nint)line * width.Output;
            for (var pixel = 0; pixel < width.Output;)
            {
                var left = innerEnd - pixel;
                var isInner = pixel >= innerFirst && left > 0;
                var pixels = !isInner || left < 4 ? 1 : left < 8 ? 4 : 8;
                if (!isInner || pixel == innerFirst) FindTaps(z, i, pixel * width.Stride - width.PadBegin, &window, call.PackedWeights + channel);
                window.X = x + pixel * window.XStride;
                window.Y = call.Y + (first + pixel) * Shape.YPitch + channel;
                Sum(&window, pixels);
                if (finish != null) Finish(call, finish, first + pixel, pixels, channel, window.Channels);
                pixel += pixels;
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private void Finish(in ConvCall call, delegate*<EpilogueTile*, void> finish, nint pixel, int pixels, int channel, int channels)
    {
        EpilogueTile e = default;
        e.Source = e.Destination = call.Y + pixel * Shape.YPitch + channel;
        (e.SourceStride, e.DestinationStride, e.ResidualStride) = (Shape.YPitch, Shape.YPitch, Shape.ResidualPitch);
        if (call.Residual != null) e.Residual = call.Residual + pixel * Shape.ResidualPitch + channel;
        if (call.Bias != null) e.ColumnBias = call.Bias + channel;
        (e.Alpha, e.Args, e.Rows, e.Columns) = (1f, call.Args, pixels, channels);
        finish(&e);
    }

    /// <summary>Lists the taps that lie in the input for a window that begins at a position.</summary>
    [MethodImpl(HotCode.Optimized)]
    private void FindTaps(int z, int i, int j, Window* window, float* weights)
    {
        ConvAxis depth = Shape.Depth, height = Shape.Height, width = Shape.Width;
        var count = 0;
        for (var d = 0; d < depth.Kernel; d++)
        {
            if ((uint)(z + d * depth.Dilation) >= (uint)depth.Input) continue;
            for (var h = 0; h < height.Kernel; h++)
            {
                if ((uint)(i + h * height.Dilation) >= (uint)height.Input) continue;
                for (var v = 0; v < width.Kernel; v++)
                {
                    if ((uint)(j + v * width.Dilation) >= (uint)width.Input) continue;
                    ref var tap = ref window->Taps[count++];
                    tap.X = (((nint)d * depth.Dilation * height.Input + (nint)h * height.Dilation) * width.Input + (nint)v * width.Dilation) * Shape.XPitch;
                    tap.Weights = weights + (((nint)d * height.Kernel + h) * width.Kernel + v) * Shape.Channels;
                }
            }
        }
        window->Count = count;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Sum(Window* window, int pixels)
    {
        if (pixels == 8) Eight(window);
        else if (pixels == 4) Four(window);
        else One(window);
    }

    /// <summary>Where the vector behind channel <paramref name="c"/> begins.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static nint Begin(nint c, nint channels) => c <= channels - T.Count ? c : channels - T.Count;

    [MethodImpl(HotCode.Optimized)]
    private static void Eight(Window* window)
    {
        nint ld = window->XStride, ldy = window->YStride, channels = window->Channels;
        for (nint next = 0; next < channels; next += T.Count)
        {
            var c = Begin(next, channels);
            T s0 = T.Zero, s1 = T.Zero, s2 = T.Zero, s3 = T.Zero, s4 = T.Zero, s5 = T.Zero, s6 = T.Zero, s7 = T.Zero;
            var x = window->X + c;
            Tap* tap = window->Taps, end = tap + window->Count;
            for (; tap < end; tap++)
            {
                var w = T.Load(tap->Weights + c);
                float* p = x + tap->X, q = p + 4 * ld;
                s0 = T.Fma(T.Load(p), w, s0);
                s1 = T.Fma(T.Load(p + ld), w, s1);
                s2 = T.Fma(T.Load(p + 2 * ld), w, s2);
                s3 = T.Fma(T.Load(p + 3 * ld), w, s3);
                s4 = T.Fma(T.Load(q), w, s4);
                s5 = T.Fma(T.Load(q + ld), w, s5);
                s6 = T.Fma(T.Load(q + 2 * ld), w, s6);
                s7 = T.Fma(T.Load(q + 3 * ld), w, s7);
            }
            var y = window->Y + c;
            T.Store(y, s0);
            T.Store(y + ldy, s1);
            T.Store(y + 2 * ldy, s2);
            T.Store(y + 3 * ldy, s3);
            T.Store(y + 4 * ldy, s4);
            T.Store(y + 5 * ldy, s5);
            T.Store(y + 6 * ldy, s6);
            T.Store(y + 7 * ldy, s7);
        }
    }

    [MethodImpl(HotCode.Optimized)]
    private static void Four(Window* window)
    {
        nint ld = window->XStride, ldy = window->YStride, channels = window->Channels;
        for (nint next = 0; next < channels; next += T.Count)
        {
            var c = Begin(next, channels);
            T s0 = T.Zero, s1 = T.Zero, s2 = T.Zero, s3 = T.Zero;
            var x = window->X + c;
            Tap* tap = window->Taps, end = tap + window->Count;
            for (; tap < end; tap++)
            {
                var w = T.Load(tap->Weights + c);
                var p = x + tap->X;
                s0 = T.Fma(T.Load(p), w, s0);
                s1 = T.Fma(T.Load(p + ld), w, s1);
                s2 = T.Fma(T.Load(p + 2 * ld), w, s2);
                s3 = T.Fma(T.Load(p + 3 * ld), w, s3);
            }
            var y = window->Y + c;
            T.Store(y, s0);
            T.Store(y + ldy, s1);
            T.Store(y + 2 * ldy, s2);
            T.Store(y + 3 * ldy, s3);
        }
    }

    [MethodImpl(HotCode.Optimized)]
    private static void One(Window* window)
    {
        Tap* taps = window->Taps, end = taps + window->Count;
        nint channels = window->Channels, c = 0;
        for (; c <= channels - 4 * T.Count; c += 4 * T.Count)
        {
            T s0 = T.Zero, s1 = T.Zero, s2 = T.Zero, s3 = T.Zero;
            for (var tap = taps; tap < end; tap++)
            {
                float* p = window->X + tap->X + c, w = tap->Weights + c;
                s0 = T.Fma(T.Load(p), T.Load(w), s0);
                s1 = T.Fma(T.Load(p + T.Count), T.Load(w + T.Count), s1);
                s2 = T.Fma(T.Load(p + 2 * T.Count), T.Load(w + 2 * T.Count), s2);
                s3 = T.Fma(T.Load(p + 3 * T.Count), T.Load(w + 3 * T.Count), s3);
            }
            T.Store(window->Y + c, s0);
            T.Store(window->Y + c + T.Count, s1);
            T.Store(window->Y + c + 2 * T.Count, s2);
            T.Store(window->Y + c + 3 * T.Count, s3);
        }
        for (; c < channels; c += T.Count)
        {
            var at = Begin(c, channels);
            var sum = T.Zero;
            for (var tap = taps; tap < end; tap++) sum = T.Fma(T.Load(window->X + tap->X + at), T.Load(tap->Weights + at), sum);
            T.Store(window->Y + at, sum);
        }
    }

    /// <summary>Makes the code ready that convolutions of a shape run: windows at both ends of a line, of four and of eight pixels.</summary>
    public static void RehearseCode(in ConvShape shape, Activation? activation, Target target, string name)
    {
        var few = new ConvShape(1, shape.Channels, shape.Channels, shape.Channels, Few(shape.Depth, 1), Few(shape.Height, 1), new(15, 3, 1, 1, 1, 1));
        Rehearse(new DepthwiseConv<T>(few, target, name), activation);
    }

    private struct Tap
    {
        public nint X;
        public float* Weights;
    }

    private struct Window
    {
        public Tap* Taps;
        public int Count, Channels;
        public float* X, Y;
        public nint XStride, YStride;
    }
}
