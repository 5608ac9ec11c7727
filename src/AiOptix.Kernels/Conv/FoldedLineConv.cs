using System.Runtime.CompilerServices;
using AiOptix.Kernels.Choice;
using AiOptix.Kernels.Gemm;
using AiOptix.Kernels.Jit;
using AiOptix.Kernels.Loops;
using AiOptix.Kernels.Vectors;
using AiOptix.Tensors;

namespace AiOptix.Kernels.Conv;

/// <summary>
/// Convolution with stride 1 along a line and so few output channels that they would leave most lanes empty. The taps along a line count as output channels: every input pixel of a line is multiplied
/// with the weights of all of them by generated tiles, and an output adds up what its pixels gave for their taps. Sums run in another order than the direct kernels', within the fp32 contract.
/// </summary>
/// <remarks>
/// Scratch: products [pixels, columns], in front of them and behind them zeros for the pads. Columns: tap by tap, in each the output channels; those behind the last are products with zeros.
/// </remarks>
internal sealed unsafe class FoldedLineConv : ConvPlan
{
    private const int FewestPixels = 64, FewestSteps = 16;

    private readonly GeneratedTiles tiles;
    private readonly Split split;
    private readonly int[] offsets;
    private readonly int columns;

    public FoldedLineConv(in ConvShape shape, Target target, string name, GeneratedTiles tiles) : base(shape, name)
    {
        this.tiles = tiles;
        var s = shape;
        columns = Vectors(shape.OutputChannels * shape.Width.Kernel, tiles) * tiles.Set.Lanes;
        offsets = [.. Enumerable.Range(0, shape.Height.Kernel).Select(k => checked(k * s.Height.Dilation * s.Width.Input * s.XPitch))];
        var lines = shape.OutputPixels == 0 ? 0 : checked((long)shape.Batch * shape.Depth.Output * shape.Height.Output);
        split = new Split(lines, (long)shape.Width.Input * shape.Height.Kernel * shape.Channels / 2);
        if (lines == 0) return;
        var (_, rows, higher) = tiles.Set.Cut(shape.Width.Input);
        tiles.Prepare(TileForm.Strided, rows, columns);
        if (higher > 0) tiles.Prepare(TileForm.Strided, rows + 1, columns);
    }

    public override long PackedWeightBytes => sizeof(float) * (long)Shape.Height.Kernel * Shape.Channels * columns;

    // A vector may be read from the last column.
    public override long ScratchBytes => sizeof(float) * ((long)(Shape.Width.PadBegin + Shape.Width.Input + Shape.Width.PadEnd) * columns + tiles.Set.Lanes);

    public override int Tasks => split.Tasks;

    public static bool Suits(ConvShape shape, GeneratedTiles tiles)
    {
        if (shape is not { Groups: 1, ReadsChannelsFirst: false, Depth.IsIdentity: true, Width: { Stride: 1, Kernel: > 1 } }) return false;
        if (shape.OutputPixels < FewestPixels || shape.Width.Output < tiles.Set.Height || shape.Channels * shape.Height.Kernel < FewestSteps) return false;
        if ((long)shape.OutputChannels * shape.Width.Kernel > tiles.Set.Width || (long)shape.InputPixels * shape.XPitch > int.MaxValue / 2) return false;
        // Vectors of products a line, against those of the direct kernel.
        var own = (long)Vectors(shape.OutputChannels * shape.Width.Kernel, tiles) * shape.Width.Input;
        return 4 * own <= 3 * (long)Vectors(shape.OutputChannels, tiles) * shape.Width.Kernel * shape.Width.Output;
    }

    /// <summary>How much it does for a shape that it suits; what is added up counts as copied.</summary>
    public static KernelWork Work(in ConvShape shape, Target target, GeneratedTiles tiles)
    {
        var s = shape;
        if (s.OutputPixels == 0) return default;
        double lines = (double)s.Batch * s.Depth.Output * s.Height.Output, vectors = Vectors(s.OutputChannels * s.Width.Kernel, tiles), terms = (double)s.Height.Kernel * s.Channels;
        var strips = lines * Math.Ceiling((double)s.Width.Input / tiles.Set.Height);
        double outputs = lines * s.Width.Output * s.OutputChannels, weights = sizeof(float) * terms * vectors * tiles.Set.Lanes;
        var tasks = new Split((long)lines, (long)s.Width.Input * s.Height.Kernel * s.Channels / 2).Tasks;
        return new(tasks, strips, lines * s.Width.Input * vectors * terms, strips * terms, KernelWork.Passes(weights, lines, target),
            KernelWork.Beyond(sizeof(float) * ((double)s.Batch * s.InputPixels * s.Channels + outputs), target.L2Bytes), outputs * s.Width.Kernel, lines * (s.Width.Input * vectors + s.Width.Output));
    }

    /// <summary>Packs the weights: [lines of the window, channels, columns].</summary>
    public override void PackWeights(float* weights, float* packed)
    {
        int channels = Shape.Channels, outputs = Shape.OutputChannels, lines = Shape.Height.Kernel, taps = Shape.Width.Kernel;
        for (var line = 0; line < lines; line++)
            for (var channel = 0; channel < channels; channel++, packed += columns)
            {
                new Span<float>(packed, columns).Clear();
                for (var tap = 0; tap < taps; tap++)
                    for (var o = 0; o < outputs; o++) packed[tap * outputs + o] = weights[(((nint)o * channels + channel) * lines + line) * taps + tap];
            }
    }

    [MethodImpl(HotCode.Optimized)]
    public override void Run(in ConvCall call, int firstTask, int endTask, byte* scratch)
    {
        var set = tiles.Set;
        ConvAxis height = Shape.Height, width = Shape.Width;
        var products = (float*)scratch;
        var inner = products + (nint)width.PadBegin * columns;
        new Span<float>(products, width.PadBegin * columns).Clear();
        new Span<float>(inner + (nint)width.Input * columns, width.PadEnd * columns).Clear();
        var finish = call.Residual == null && call.Activation == Activation.None ? null : Epilogue.Select(call.Activation, set.Lanes);
        var (count, rows, higher) = set.Cut(width.Input);
        TileArguments tile = default;
        (tile.Steps, tile.AStride, tile.BStride, tile.CStride) = (Shape.Channels, Shape.XPitch * sizeof(float), columns * sizeof(float), columns * sizeof(float));
        fixed (int* places = offsets)
        {
            tile.Offsets = places;
            for (long line = split.Start(firstTask), end = split.Start(endTask); line < end; line++)
            {
                var (image, row) = (line / height.Output, (int)(line % height.Output));
                // The lines of the window that lie in the input.
                var top = row * height.Stride - height.PadBegin;
                var first = top >= 0 ? 0 : (-top + height.Dilation - 1) / height.Dilation;
                var last = Math.Min(height.Kernel, (height.Input - 1 - top + height.Dilation) / height.Dilation);
                tile.Pieces = Math.Max(0, last - first);
                tile.A = (byte*)(call.X + ((nint)image * height.Input + top + (nint)first * height.Dilation) * width.Input * Shape.XPitch);
                tile.B = (byte*)(call.PackedWeights + (nint)first * Shape.Channels * columns);
                tile.C = (byte*)inner;
                if (higher > 0) set.RunLine(TileForm.Strided, higher, rows + 1, columns, &tile);
                if (count > higher) set.RunLine(TileForm.Strided, count - higher, rows, columns, &tile);
                var pixel = (nint)line * width.Output;
                var y = call.Y + pixel * Shape.YPitch;
                if (Shape.OutputChannels <= V4.Count) Fold<V4>(products, call.Bias, y);
                else if (Shape.OutputChannels <= V8.Count) Fold<V8>(products, call.Bias, y);
                else Fold<V16>(products, call.Bias, y);
                if (finish != null) Finish(call, finish, y, call.Residual == null ? null : call.Residual + pixel * Shape.ResidualPitch);
            }
        }
    }

    /// <summary>Adds up the products of a line.</summary>
    [MethodImpl(HotCode.Optimized)]
    private void Fold<T>(float* products, float* bias, float* y) where T : unmanaged, IVec<T>
    {
        int outputs = Shape.OutputChannels, taps = Shape.Width.Kernel;
        var step = (nint)Shape.Width.Dilation * columns + outputs;
        var addend = bias == null ? T.Set(-0f) : T.LoadPart(bias, outputs);
        for (var x = 0; x < Shape.Width.Output; x++)
        {
            var sum = T.Load(products);
            var from = products + step;
            for (var tap = 1; tap < taps; tap++, from += step) sum += T.Load(from);
            T.StorePart(y, sum + addend, outputs);
            products += columns;
            y += Shape.YPitch;
        }
    }

    private void Finish(in ConvCall call, delegate*<EpilogueTile*, void> finish, float* y, float* residual)
    {
        EpilogueTile e = default;
        e.Source = e.Destination = y;
        e.Residual = residual;
        (e.Alpha, e.Args, e.Rows, e.Columns) = (1f, call.Args, Shape.Width.Output, Shape.OutputChannels);
        (e.SourceStride, e.DestinationStride, e.ResidualStride) = (Shape.YPitch, Shape.YPitch, Shape.ResidualPitch);
        // Where nothing lies between the pixels they are one row.
        if (Shape.YPitch == e.Columns && (residual == null || Shape.ResidualPitch == e.Columns)) (e.Rows, e.Columns) = (1, checked(e.Rows * e.Columns));
        finish(&e);
    }

    private static int Vectors(int channels, GeneratedTiles tiles) => (channels + tiles.Set.Lanes - 1) / tiles.Set.Lanes;

    /// <summary>Makes the code ready that convolutions of a shape run.</summary>
    public static void RehearseCode(in ConvShape shape, bool isKnown, Activation? activation, Target target, string name, GeneratedTiles tiles)
    {
        if (isKnown) _ = new FoldedLineConv(shape, target, name, tiles);
        else for (var rows = 1; rows <= tiles.Set.Height; rows++) tiles.Prepare(TileForm.Strided, rows, Vectors(shape.OutputChannels * shape.Width.Kernel, tiles) * tiles.Set.Lanes);
        Rehearse(new FoldedLineConv(shape with { Batch = 1, Depth = ConvAxis.None, Height = Few(shape.Height, 1), Width = Few(shape.Width, tiles.Set.Height) }, target, name, tiles), activation);
    }
}
