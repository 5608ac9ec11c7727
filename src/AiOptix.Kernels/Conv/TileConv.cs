using System.Runtime.CompilerServices;
using AiOptix.Kernels.Choice;
using AiOptix.Kernels.Gemm;
using AiOptix.Kernels.Jit;
using AiOptix.Kernels.Loops;
using AiOptix.Kernels.Vectors;
using AiOptix.Tensors;

namespace AiOptix.Kernels.Conv;

/// <summary>
/// Convolution as sums over taps: a tile is some pixels of an output line by a panel of output channels, and what a tap sees of a pixel is a stretch of adjacent channels, read in
/// place. Only where the window reaches beyond the input, or X has its channels first, input lines are copied into a band in scratch, with their zeros. Adjacent taps of a line are one stretch.
/// </summary>
internal sealed unsafe class TileConv : ConvPlan
{
    private const double OperationsATask = 1e6;

    private readonly PixelTiles tiles;
    private readonly ConvShape s;
    private readonly TileSplit split;
    private readonly bool copies;
    private readonly bool asksForInput;
    private readonly int inputRows, inputColumns;
    private readonly nint pixelFloats, rowFloats, planeFloats;
    private readonly int[] offsets;
    private readonly Block[] blocks;

    public TileConv(in ConvShape shape, Target target, string name, PixelTiles tiles) : base(shape, name)
    {
        this.tiles = tiles;
        s = shape.Joined();
        copies = Copies(s, target, tiles);
        var steps = StepsOfBlock(target, tiles);
        split = TileSplit.Of(s, new(Panels, tiles.Height, sizeof(float), OperationsATask), target, steps, copies);
        inputRows = s.Height.Reach(split.Rows);
        inputColumns = s.Width.Reach(split.Columns);
        pixelFloats = !copies ? s.XPitch : s.ReadsChannelsFirst ? s.GroupChannels : CacheSets.Apart((nint)s.GroupChannels * s.Width.Stride) / s.Width.Stride;
        rowFloats = pixelFloats * (copies ? inputColumns : s.Width.Input);
        planeFloats = rowFloats * (copies ? inputRows : s.Height.Input);
        var isJoined = s.Width.Dilation == 1 && pixelFloats == s.GroupChannels;
        var run = isJoined ? s.Width.Kernel * s.GroupChannels : s.GroupChannels;
        (offsets, blocks) = Blocks(run, isJoined ? s.Taps / s.Width.Kernel : s.Taps, isJoined ? 1 : s.Width.Kernel, steps);
        // Pixels that lie one behind the other beyond the second-level cache, and weights that stay in the first-level one.
        asksForInput = !copies && blocks.Length == 1 && blocks[0].Length == s.Width.Stride * pixelFloats && RowTileGenerator.IsFar(sizeof(float) * (double)s.Batch * s.InputPixels * s.Channels, target)
            && (long)blocks[0].Pieces * blocks[0].Length * tiles.Width * sizeof(float) <= target.L1Bytes / 2;
        if (tiles.Generated is not { } generated) return;
        var isMet = Heights();
        for (var height = 1; height < isMet.Length; height++)
            foreach (var columns in PanelWidths())
                if (isMet[height]) generated.Prepare(TileForm.Strided, height, columns);
    }

    public override long PackedWeightBytes => sizeof(float) * (long)s.Groups * GroupFloats;

    public override long ScratchBytes => copies ? sizeof(float) * (long)planeFloats * s.Depth.Kernel : 0;

    public override int Tasks => s.OutputPixels == 0 ? 0 : checked(split.Tasks * s.Batch * s.Depth.Output * s.Groups);

    private nint GroupFloats => (nint)Panels * tiles.Width * s.Terms;

    private int Panels => (s.GroupOutputs + tiles.Width - 1) / tiles.Width;

    /// <summary>Packs the weights: group by group panels of output channels, in each the terms in their order.</summary>
    public override void PackWeights(float* weights, float* packed)
    {
        // By the shape as it was given: a joined one counts taps as channels.
        var (channels, taps, outputs, width) = (Shape.GroupChannels, Shape.Taps, Shape.GroupOutputs, tiles.Width);
        for (var group = 0; group < Shape.Groups; group++)
            for (var first = 0; first < outputs; first += width)
            {
                if (taps == 1)
                {
                    PanelPack.Run(weights + ((nint)group * outputs + first) * channels, channels, 1, Math.Min(width, outputs - first), width, channels, packed);
                    packed += (nint)channels * width;
                    continue;
                }
                for (var tap = 0; tap < taps; tap++)
                    for (var channel = 0; channel < channels; channel++)
                    {
                        var from = weights + (((nint)group * outputs + first) * channels + channel) * taps + tap;
                        for (var o = 0; o < width; o++) *packed++ = first + o < outputs ? from[(nint)o * channels * taps] : 0f;
                    }
            }
    }

    /// <summary>How much it does for a shape.</summary>
    public static KernelWork Work(in ConvShape shape, Target target, PixelTiles tiles)
    {
        var s = shape.Joined();
        if (s.OutputPixels == 0) return default;
        var (copies, steps, panels) = (Copies(s, target, tiles), StepsOfBlock(target, tiles), (s.GroupOutputs + tiles.Width - 1) / tiles.Width);
        var split = TileSplit.Of(s, new(panels, tiles.Height, sizeof(float), OperationsATask), target, steps, copies);
        double units = (double)s.Batch * s.Depth.Output * s.Groups, lines = units * s.Height.Output, places = units * split.Places;
        double whole = s.Width.Output / split.Columns, rest = s.Width.Output % split.Columns;
        var tilesALine = whole * Math.Ceiling(split.Columns / (double)tiles.Height) + Math.Ceiling(rest / tiles.Height);
        var vectors = (s.GroupOutputs + tiles.Vector - 1) / tiles.Vector;
        double outputs = lines * s.Width.Output * s.GroupOutputs, weights = sizeof(float) * (double)s.Groups * panels * tiles.Width * s.Terms;
        var band = copies ? places * s.Height.Reach(split.Rows) * s.Width.Reach(split.Columns) * s.Depth.Kernel * s.GroupChannels : 0;
        var blocks = Math.Ceiling(s.Terms / (double)steps);
        return new(units * split.Tasks, lines * tilesALine * panels * blocks, lines * s.Width.Output * vectors * s.Terms, lines * tilesALine * panels * s.Terms,
            KernelWork.Passes(weights / s.Groups, split.Places * s.Batch * (double)s.Depth.Output, target) * s.Groups, KernelWork.Beyond(sizeof(float) * ((double)s.Batch * s.InputPixels * s.Channels + outputs), target.L2Bytes),
            band, lines * s.Width.Output * vectors * blocks);
    }

    private static bool Copies(in ConvShape s, Target target, PixelTiles tiles) => s.ReadsChannelsFirst || s.Depth.IsPadded || s.Height.IsPadded || s.Width.IsPadded
        || (tiles.Generated is not null && CacheSets.MustCopy((nint)s.XPitch * s.Width.Stride, target) && s.GroupOutputs > 2 * tiles.Width);

    // A block of a panel's weights takes half of the first-level cache; generated tiles keep up with the second-level one and gain from longer sums.
    private static int StepsOfBlock(Target target, PixelTiles tiles) => Math.Max(64, (tiles.Generated is null ? target.L1Bytes / 2 : target.L2Bytes / 4) / (tiles.Width * sizeof(float)));

    [MethodImpl(HotCode.Optimized)]
    public override void Run(in ConvCall call, int firstTask, int endTask, byte* scratch)
    {
        var finish = Epilogue.Select(call.Activation, tiles.Vector);
        if (call.Bias == null && call.Residual == null && call.Activation == Activation.None) finish = null;
        int lastUnit = -1, lastRow = -1, lastColumn = -1;
        for (var task = firstTask; task < endTask; task++)
        {
            var unit = task / split.Tasks;
            var at = split.Locate(task - unit * split.Tasks);
            var group = unit % s.Groups;
            var slice = unit / s.Groups % s.Depth.Output;
            var image = unit / s.Groups / s.Depth.Output;
            float* x;
            if (copies)
            {
                x = (float*)scratch;
                if (unit != lastUnit || at.Row != lastRow || at.Column != lastColumn) InputBand<float, PixelCopy>.Spread(s, call.X, 0f, image, slice, group, at, x, pixelFloats, rowFloats, planeFloats);
                (lastUnit, lastRow, lastColumn) = (unit, at.Row, at.Column);
            }
            else
            {
                var row = ((nint)image * s.Depth.Input + (nint)slice * s.Depth.Stride) * s.Height.Input + (nint)at.Row * s.Height.Stride;
                x = call.X + (row * s.Width.Input + (nint)at.Column * s.Width.Stride) * s.XPitch + (nint)group * s.GroupChannels;
            }
            var line = ((nint)image * s.Depth.Output + slice) * s.Height.Output + at.Row;
            if (tiles.Generated is { } generated) GeneratedProducts(call, generated.Set, finish, x, line * s.Width.Output + at.Column, group, at);
            else Products(call, finish, x, line * s.Width.Output + at.Column, group, at);
        }
    }

    [MethodImpl(HotCode.Optimized)]
    private void Products(in ConvCall call, delegate*<EpilogueTile*, void> finish, float* x, nint pixel, int group, in TileTask at)
    {
        PixelTile tile = default;
        EpilogueTile e = default;
        (e.Alpha, e.Args) = (1f, call.Args);
        (e.SourceStride, e.DestinationStride, e.ResidualStride) = (s.YPitch, s.YPitch, s.ResidualPitch);
        (tile.XStride, tile.YStride) = (pixelFloats * s.Width.Stride, s.YPitch);
        int count = (at.Columns + tiles.Height - 1) / tiles.Height, height = at.Columns / count, higher = at.Columns - height * count;
        fixed (int* places = offsets)
        {
            for (var b = 0; b < blocks.Length; b++)
            {
                var block = blocks[b];
                tile.Offsets = places + block.First;
                (tile.Pieces, tile.K, tile.Accumulate) = (block.Pieces, block.Length, b > 0);
                var isLast = b == blocks.Length - 1;
                for (var panel = at.Panel; panel < at.Panel + at.Panels; panel++)
                {
                    var output = panel * tiles.Width;
                    tile.Columns = Math.Min(tiles.Width, s.GroupOutputs - output);
                    tile.Weights = call.PackedWeights + group * GroupFloats + ((nint)panel * s.Terms + block.Term) * tiles.Width;
                    output += group * s.GroupOutputs;
                    for (var r = 0; r < at.Rows; r++)
                    {
                        tile.X = x + r * s.Height.Stride * rowFloats;
                        var to = pixel + (nint)r * s.Width.Output;
                        for (var c = 0; c < count; c++)
                        {
                            var pixels = c < higher ? height + 1 : height;
                            tile.Y = call.Y + to * s.YPitch + output;
                            tiles.For(pixels, tile.Columns)(&tile);
                            if (isLast && finish != null)
                            {
                                e.Source = e.Destination = tile.Y;
                                if (call.Bias != null) e.ColumnBias = call.Bias + output;
                                if (call.Residual != null) e.Residual = call.Residual + to * s.ResidualPitch + output;
                                (e.Rows, e.Columns) = (pixels, tile.Columns);
                                finish(&e);
                            }
                            tile.X += pixels * tile.XStride;
                            to += pixels;
                        }
                    }
                }
            }
        }
    }

    [MethodImpl(HotCode.Optimized)]
    private void GeneratedProducts(in ConvCall call, in TileSet set, delegate*<EpilogueTile*, void> finish, float* x, nint pixel, int group, in TileTask at)
    {
        TileArguments tile = default;
        (tile.AStride, tile.BStride, tile.CStride, tile.ResidualStride) = (pixelFloats * s.Width.Stride * sizeof(float), tiles.Width * sizeof(float), s.YPitch * sizeof(float), s.ResidualPitch * sizeof(float));
        var activation = TileActivation.Of(call.Activation, set.Lanes);
        activation.Describe(&tile, call.Args);
        var last = activation.Flag | (call.Bias == null ? TileFlags.None : TileFlags.ColumnBias) | (call.Residual == null ? TileFlags.None : TileFlags.Residual);
        if (!activation.IsLeft(call.Activation)) finish = null;
        int count = (at.Columns + tiles.Height - 1) / tiles.Height, height = at.Columns / count, higher = at.Columns - height * count;
        fixed (int* places = offsets)
        {
            for (var b = 0; b < blocks.Length; b++)
            {
                var block = blocks[b];
                tile.Offsets = places + block.First;
                (tile.Pieces, tile.Steps) = (block.Pieces, block.Length);
                var isLast = b == blocks.Length - 1;
                tile.Flags = (nint)((b > 0 ? TileFlags.Accumulate : TileFlags.None) | (isLast ? last : TileFlags.None));
                for (var panel = at.Panel; panel < at.Panel + at.Panels; panel++)
                {
                    var output = panel * tiles.Width;
                    var columns = Math.Min(tiles.Width, s.GroupOutputs - output);
                    tile.B = (byte*)(call.PackedWeights + group * GroupFloats + ((nint)panel * s.Terms + block.Term) * tiles.Width);
                    output += group * s.GroupOutputs;
                    tile.ColumnBias = (byte*)(call.Bias + output);
                    for (var r = 0; r < at.Rows; r++)
                    {
                        var to = pixel + (nint)r * s.Width.Output;
                        var from = x + r * s.Height.Stride * rowFloats;
                        for (var part = 0; part < 2; part++)
                        {
                            // First the higher tiles of the line, then the others.
                            int rows = part == 0 ? height + 1 : height, number = part == 0 ? higher : count - higher;
                            if (number == 0) continue;
                            var c = call.Y + to * s.YPitch + output;
                            (tile.Tiles, tile.ATile, tile.CTile, tile.ResidualTile) = (number, rows * tile.AStride, rows * tile.CStride, rows * tile.ResidualStride);
                            tile.AheadOfA = asksForInput && panel == at.Panel ? RowTileGenerator.AheadOfA(tile.ATile) : 0;
                            tile.A = (byte*)from;
                            tile.C = (byte*)c;
                            tile.Residual = (byte*)(call.Residual + to * s.ResidualPitch + output);
                            set.Run(TileForm.Strided, rows, columns, &tile);
                            if (isLast && finish != null) TileActivation.Finish(c, s.YPitch, rows * number, columns, call.Args, finish);
                            to += rows * number;
                            from += rows * number * s.Width.Stride * pixelFloats;
                        }
                    }
                }
            }
        }
    }

    /// <summary>Makes the code ready that convolutions of a shape run.</summary>
    public static void RehearseCode(in ConvShape shape, bool isKnown, Activation? activation, Target target, string name, PixelTiles tiles)
    {
        var isMet = new bool[tiles.Height + 1];
        if (isKnown && shape.Batch > 0) isMet = new TileConv(shape, target, name, tiles).Heights();
        else Array.Fill(isMet, true, 1, tiles.Height);
        var least = Math.Max(1, Array.IndexOf(isMet, true));
        var few = new ConvShape(1, shape.Channels, shape.Groups == 1 ? Few(shape.OutputChannels, tiles.Width) : shape.OutputChannels, shape.Groups, Few(shape.Depth, 1), Few(shape.Height, 1), Few(shape.Width, least));
        var small = new TileConv(few with { ReadsChannelsFirst = shape.ReadsChannelsFirst }, target, name, tiles);
        using var memory = new RehearsalMemory();
        var offset = 0;
        var tile = new PixelTile { X = memory.Floats(1), Offsets = &offset, Pieces = 1, K = 1, Weights = memory.Floats(tiles.Width), Y = memory.Floats(tiles.Width) };
        for (var height = 1; height < isMet.Length && tiles.Generated is null; height++)
            foreach (var columns in small.PanelWidths())
            {
                if (!isMet[height]) continue;
                tile.Columns = columns;
                tiles.For(height, columns)(&tile);
            }
        Rehearse(small, activation);
        InputBand<float, PixelCopy>.Rehearse();
    }

    /// <summary>The widths that panels have: that of the whole ones, and that of the last.</summary>
    private int[] PanelWidths()
    {
        int whole = Math.Min(s.GroupOutputs, tiles.Width), last = s.GroupOutputs % tiles.Width;
        return whole == 0 ? [] : last == 0 || last == whole ? [whole] : [whole, last];
    }

    /// <summary>Whether a tile is that high, for every height up to the highest.</summary>
    private bool[] Heights()
    {
        var isMet = new bool[tiles.Height + 1];
        for (var task = 0; task < split.Tasks; task++)
        {
            var columns = split.Locate(task).Columns;
            var count = (columns + tiles.Height - 1) / tiles.Height;
            isMet[columns / count] = true;
            if (columns % count != 0) isMet[columns / count + 1] = true;
        }
        return isMet;
    }

    // Blocks of steps whose weights, a panel wide, stay in the first-level cache while all pixels of a task meet them.
    private (int[] Offsets, Block[] Blocks) Blocks(int run, int runs, int runsALine, int most)
    {
        if (run * runs <= 3 * most / 2) most = Math.Max(1, run * runs);
        var parts = Math.Max(1, (run + most - 1) / most);
        var together = parts > 1 ? 1 : Math.Max(1, most / Math.Max(1, run));
        together = (runs + (runs + together - 1) / together - 1) / ((runs + together - 1) / together);
        var places = new List<int>();
        var all = new List<Block>();
        for (var first = 0; first < runs; first += together)
            for (var part = 0; part < parts; part++)
            {
                int from = (int)((long)run * part / parts), to = (int)((long)run * (part + 1) / parts), pieces = Math.Min(together, runs - first);
                all.Add(new(places.Count, pieces, to - from, first * run + from));
                for (var r = first; r < first + pieces; r++)
                {
                    int line = r / runsALine, column = r % runsALine;
                    places.Add(checked((int)(line / s.Height.Kernel * (copies ? 1 : s.Depth.Dilation) * planeFloats + line % s.Height.Kernel * s.Height.Dilation * rowFloats
                        + column * s.Width.Dilation * pixelFloats + from)));
                }
            }
        return ([.. places], [.. all]);
    }

    private readonly record struct Block(int First, int Pieces, int Length, int Term);
}
