using System.Runtime.CompilerServices;
using AiOptix.Kernels.Choice;
using AiOptix.Kernels.Gemm;
using AiOptix.Kernels.Jit;
using AiOptix.Kernels.Loops;
using AiOptix.Kernels.Vectors;
using AiOptix.Tensors;

namespace AiOptix.Kernels.Conv;

/// <summary>
/// Channels-last convolution with one input and one output channel a group, by generated tiles: some pixels of an output line by one vector of channels. The input is read in place: taps above and below
/// it are left out for a whole line, those beside it have no code, so tiles at the ends of lines have code of their own. A task is some lines by some channels, the lines first: those of neighbouring
/// tasks are neighbours, as in the convolutions before and behind.
/// </summary>
internal sealed unsafe class DepthwiseTileConv : ConvPlan
{
    private const int MostTasks = 16, MostTaps = 64;

    // Vectors of channels together: lines of the cache come in pairs.
    private const int FewestPanels = 2;

    // Output lines of a task, as a multiple of those that it reads beyond its own; a line is read from the first-level cache again for every line below.
    private const int FewestLines = 4;
    private const double CostOfTask = 32 << 10;

    private readonly GeneratedTiles tiles;
    private readonly GeneratedKernel[] kernels;
    private readonly Tile[] line;
    private readonly int lanes, lineParts, channelParts, panelsAtOnce;

    public DepthwiseTileConv(in ConvShape shape, Target target, string name, GeneratedTiles tiles) : base(shape, name)
    {
        this.tiles = tiles;
        lanes = tiles.Set.Lanes;
        (lineParts, channelParts) = Cut(shape, Panels);
        panelsAtOnce = PanelsAtOnce(shape, target, tiles);
        (line, kernels) = MakeLine();
    }

    public override long PackedWeightBytes => sizeof(float) * (long)Panels * lanes * Shape.Taps;

    // For each kernel line where it looks and where its weights lie.
    public override long ScratchBytes => 2 * sizeof(int) * (long)Shape.Depth.Kernel * Shape.Height.Kernel;

    public override int Tasks => Shape.OutputPixels == 0 ? 0 : checked(Shape.Batch * Shape.Depth.Output * lineParts * channelParts);

    private int Panels => (Shape.Channels + lanes - 1) / lanes;

    public static bool Suits(ConvShape shape, GeneratedTiles tiles)
        => shape is { ReadsChannelsFirst: false, GroupChannels: 1, GroupOutputs: 1, Groups: > 1, Width.Kernel: <= MostTaps } && shape.Channels >= tiles.Set.Lanes && (long)shape.InputPixels * shape.XPitch < int.MaxValue;

    /// <summary>How much it does for a shape that it suits.</summary>
    public static KernelWork Work(in ConvShape shape, Target target, GeneratedTiles tiles)
    {
        double lines = (double)shape.Batch * shape.Depth.Output * shape.Height.Output, pixels = lines * shape.Width.Output;
        var panels = (shape.Channels + tiles.Set.Lanes - 1) / tiles.Set.Lanes;
        double across = Math.Ceiling(shape.Width.Output / (double)Height(tiles)), calls = across * Math.Ceiling(panels / (double)PanelsAtOnce(shape, target, tiles));
        return new(lines * calls, lines * across * panels, pixels * panels * shape.Taps, lines * across * panels * shape.Depth.Kernel * shape.Height.Kernel, sizeof(float) * (double)shape.Channels * shape.Taps,
            KernelWork.Beyond(sizeof(float) * ((double)shape.Batch * shape.InputPixels + pixels) * shape.Channels, target.L2Bytes), 0, pixels * panels);
    }

    /// <summary>Packs the weights: panels of channels, [taps, channels] each.</summary>
    public override void PackWeights(float* weights, float* packed)
    {
        for (var first = 0; first < Shape.Channels; first += lanes)
            for (var tap = 0; tap < Shape.Taps; tap++)
                for (var c = first; c < first + lanes; c++) *packed++ = c < Shape.Channels ? weights[(nint)c * Shape.Taps + tap] : 0f;
    }

    [MethodImpl(HotCode.Optimized)]
    public override void Run(in ConvCall call, int firstTask, int endTask, byte* scratch)
    {
        var activation = TileActivation.Of(call.Activation, lanes);
        var left = activation.IsLeft(call.Activation) ? Epilogue.Select(call.Activation, lanes) : null;
        TileArguments t = default;
        t.Offsets = (int*)scratch;
        t.Tail = tiles.Set.TailOf(Shape.Channels);
        activation.Describe(&t, call.Args);
        t.Flags = (nint)(activation.Flag | (call.Bias == null ? TileFlags.None : TileFlags.ColumnBias) | (call.Residual == null ? TileFlags.None : TileFlags.Residual));
        nint xPitch = Shape.XPitch, yPitch = Shape.YPitch, residualPitch = Shape.ResidualPitch, taps = Shape.Taps, width = Shape.Width.Output;
        (t.AStride, t.BStride) = (xPitch * sizeof(float), lanes * taps * sizeof(float));
        (t.CStride, t.ResidualStride) = (yPitch * sizeof(float), residualPitch * sizeof(float));
        ConvAxis depth = Shape.Depth, height = Shape.Height;
        int lines = height.Output, panels = Panels, slices = depth.Output, partsOfSlice = lineParts * channelParts;
        nint inputLine = Shape.Width.Input * xPitch;
        fixed (Tile* all = line)
        {
            for (var task = firstTask; task < endTask; task++)
            {
                int slice = task / partsOfSlice, part = task - slice * partsOfSlice, linePart = part / channelParts, channelPart = part - linePart * channelParts;
                int endPanel = Part(panels, channelPart + 1, channelParts), endLine = Part(lines, linePart + 1, lineParts), image = slice / slices, z = (slice - image * slices) * depth.Stride - depth.PadBegin;
                int panel = Part(panels, channelPart, channelParts), blocks = (endPanel - panel + panelsAtOnce - 1) / panelsAtOnce;
                for (; blocks > 0; blocks--)
                {
                    var end = panel + (endPanel - panel + blocks - 1) / blocks;
                    var (first, hasTail) = (panel * lanes, end * lanes > Shape.Channels);
                    int whole = end - panel - (hasTail ? 1 : 0), channels = Math.Min(Shape.Channels, end * lanes) - first;
                    for (var i = Part(lines, linePart, lineParts); i < endLine; i++)
                    {
                        var y = i * height.Stride - height.PadBegin;
                        FindLines(&t, z, y, inputLine);
                        var x = call.X + ((nint)(image * depth.Input + z) * height.Input + y) * inputLine + first;
                        var pixel = ((nint)slice * lines + i) * width;
                        for (Tile* tile = all, behind = all + line.Length; tile < behind; tile++)
                        {
                            var to = call.Y + (pixel + tile->Pixel) * yPitch + first;
                            t.A = (byte*)(x + tile->Position * xPitch);
                            t.B = (byte*)(call.PackedWeights + first * taps);
                            t.C = (byte*)to;
                            t.ColumnBias = (byte*)(call.Bias + first);
                            t.Residual = (byte*)(call.Residual + (pixel + tile->Pixel) * residualPitch + first);
                            t.Tiles = whole;
                            if (whole > 0) ((delegate* unmanaged[SuppressGCTransition]<TileArguments*, void>)tile->Whole)(&t);
                            t.Tiles = 1;
                            if (hasTail) ((delegate* unmanaged[SuppressGCTransition]<TileArguments*, void>)tile->Tail)(&t);
                            if (left != null) TileActivation.Finish(to, Shape.YPitch, tile->Pixels, channels, call.Args, left);
                        }
                    }
                    panel = end;
                }
            }
        }
        GC.KeepAlive(kernels);
    }

    // Kernel lines inside the input.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private void FindLines(TileArguments* t, int z, int y, nint inputLine)
    {
        ConvAxis depth = Shape.Depth, height = Shape.Height;
        var to = t->Offsets;
        for (var d = 0; d < depth.Kernel; d++)
        {
            if ((uint)(z + d * depth.Dilation) >= (uint)depth.Input) continue;
            for (var h = 0; h < height.Kernel; h++)
            {
                if ((uint)(y + h * height.Dilation) >= (uint)height.Input) continue;
                *to++ = (int)(((nint)d * depth.Dilation * height.Input + h * height.Dilation) * inputLine);
                *to++ = (d * height.Kernel + h) * Shape.Width.Kernel * lanes;
            }
        }
        t->Pieces = (nint)(to - t->Offsets) / 2;
    }

    private static int Height(GeneratedTiles tiles) => DepthwiseCode.Height(tiles.Set.Lanes * sizeof(float));

    private static int Part(int whole, int part, int parts) => (int)((long)whole * part / parts);

    // A power of two of parts of the lines, as long as each has some lines; then parts of the channels.
    private static (int Lines, int Channels) Cut(in ConvShape shape, int panels)
    {
        var slices = Math.Max(1.0, (double)shape.Batch * shape.Depth.Output);
        var cost = (double)shape.OutputPixels * shape.Batch * shape.Channels * Math.Max(1, shape.Taps / 4);
        var wanted = Math.Clamp(cost / CostOfTask, 1, MostTasks) / slices;
        var lines = 1;
        while (2 * lines <= wanted && shape.Height.Output / (2 * lines) >= Math.Max(FewestLines, shape.Height.Kernel)) lines *= 2;
        return (lines, (int)Math.Clamp(Math.Ceiling(wanted / lines), 1, Math.Max(1, panels)));
    }

    // What an output line sees of some channels, and their weights, take half of the first-level cache, so that the next lines find most of it there.
    private static int PanelsAtOnce(in ConvShape shape, Target target, GeneratedTiles tiles)
    {
        var panelBytes = (long)tiles.Set.Lanes * sizeof(float) * ((long)shape.Depth.Kernel * shape.Height.Kernel * shape.Width.Input + shape.Taps);
        return (int)Math.Clamp(target.L1Bytes / 2 / panelBytes, FewestPanels, shape.Channels);
    }

    private (Tile[] Line, GeneratedKernel[] Kernels) MakeLine()
    {
        if (Shape.OutputPixels == 0) return ([], []);
        var (axis, bytes) = (Shape.Width, lanes * sizeof(float));
        var line = new Tile[(axis.Output + Height(tiles) - 1) / Height(tiles)];
        var kernels = new List<GeneratedKernel>();
        for (int i = 0, pixel = 0; i < line.Length; i++)
        {
            int pixels = axis.Output / line.Length + (i < axis.Output % line.Length ? 1 : 0), start = pixel * axis.Stride - axis.PadBegin, reach = axis.Reach(pixels);
            int first = Math.Clamp(-start, 0, reach), end = Math.Clamp(axis.Input - start, first, reach);
            line[i] = new(pixel, pixels, start + first, Make(hasTail: false), Shape.Channels % lanes == 0 ? 0 : Make(hasTail: true));
            pixel += pixels;

            nint Make(bool hasTail)
            {
                kernels.Add(CodeCache.Shared.Get(new DepthwiseCode(bytes, pixels, hasTail, axis.Kernel, axis.Stride, axis.Dilation, first, end)));
                return kernels[^1].Address;
            }
        }
        return (line, [.. kernels]);
    }

    /// <summary>Makes the code ready that convolutions of a shape run.</summary>
    public static void RehearseCode(in ConvShape shape, bool isKnown, Activation? activation, Target target, string name, GeneratedTiles tiles)
    {
        if (isKnown) _ = new DepthwiseTileConv(shape, target, name, tiles);
        Rehearse(new DepthwiseTileConv(new ConvShape(1, shape.Channels, shape.Channels, shape.Channels, Few(shape.Depth, 1), new(3, 3, 1, 1, 1, 1), new(3, 3, 1, 1, 1, 1)), target, name, tiles), activation);
    }

    /// <summary>A tile of every output line.</summary>
    /// <param name="Pixel">Its first pixel.</param>
    /// <param name="Pixels">Its pixels.</param>
    /// <param name="Position">The first input position that it reads.</param>
    /// <param name="Whole">The function for whole vectors of channels; 0 where there are none.</param>
    /// <param name="Tail">The function for the channels behind them.</param>
    private readonly record struct Tile(int Pixel, int Pixels, int Position, nint Whole, nint Tail);
}
