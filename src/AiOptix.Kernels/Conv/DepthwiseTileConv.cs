using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics.X86;
using AiOptix.Kernels.Choice;
using AiOptix.Kernels.Gemm;
using AiOptix.Kernels.Jit;
using AiOptix.Kernels.Loops;
using AiOptix.Kernels.Vectors;
using AiOptix.Tensors;

namespace AiOptix.Kernels.Conv;

/// <summary>
/// Channels-last convolution with one input and one output channel a group, by generated tiles: some output pixels by two vectors of channels. Output positions are cut into stretches
/// that see the same taps of each axis, so that no tile has a tap beyond the input: a rectangle of lines and columns runs along its lines, or, being narrow, down its columns. Of a small
/// image most rectangles would be a pixel or two: there each panel of channels is copied into a band in scratch, with its zeros, and every line sees all taps.
/// </summary>
internal sealed unsafe class DepthwiseTileConv : ConvPlan
{
    /// <summary>A tile of a pixel or two takes about as long as copying so many vectors.</summary>
    private const int SmallTile = 64;

    private readonly GeneratedTiles tiles;
    private readonly Split split;
    private readonly int bandLines, bands;
    private readonly Stretch[] depths, lines, columns;
    private readonly int channelsAtOnce;

    public DepthwiseTileConv(in ConvShape shape, Target target, string name, GeneratedTiles tiles) : base(shape, name)
    {
        this.tiles = tiles;
        // What the windows of an output line see of some channels takes half of the first-level cache, so that the next lines find most of it there.
        var panels = target.L1Bytes / 2 / sizeof(float) / tiles.Set.Width / Math.Max(1, (long)shape.Height.Kernel * shape.Width.Input);
        channelsAtOnce = (int)Math.Clamp(panels, 1, shape.Channels) * tiles.Set.Width;
        var slices = shape.OutputPixels == 0 ? 0 : checked((long)shape.Batch * shape.Depth.Output);
        (depths, lines, columns) = (Stretches(shape.Depth), Stretches(shape.Height), Stretches(shape.Width));
        var cost = (long)shape.Width.Output * Math.Max(1, shape.Taps / 4);
        bandLines = BandLines(shape, target, tiles.Set);
        bands = bandLines == 0 ? 0 : (shape.Height.Output + bandLines - 1) / bandLines;
        split = bandLines > 0 ? new Split(slices * bands * Panels, cost * bandLines * tiles.Set.Width) : new Split(slices * shape.Height.Output, cost * shape.Channels);
        if (slices == 0) return;
        if (bandLines > 0)
        {
            PrepareLine(shape.Width.Output);
            return;
        }
        foreach (var column in columns)
        {
            if (IsNarrow(column)) for (var height = 1; height <= MostLines(tiles.Set); height *= 2) Prepare(height);
            else PrepareLine(column.Count);
        }
    }

    public override long PackedWeightBytes => sizeof(float) * (long)Panels * tiles.Set.Width * Shape.Taps;

    // For each tap where it looks and where its weights lie; then the band.
    public override long ScratchBytes => TapBytes + sizeof(float) * (long)PlaneFloats * Shape.Depth.Kernel;

    public override int Tasks => split.Tasks;

    private int TapBytes => (2 * sizeof(int) * Shape.Taps + 63) / 64 * 64;

    private int Panels => (Shape.Channels + tiles.Set.Width - 1) / tiles.Set.Width;

    private nint RowFloats => (nint)tiles.Set.Width * Shape.Width.Reach(Shape.Width.Output);

    private nint PlaneFloats => bandLines == 0 ? 0 : RowFloats * Shape.Height.Reach(bandLines);

    public static bool Suits(ConvShape shape, GeneratedTiles tiles)
        => shape is { ReadsChannelsFirst: false, GroupChannels: 1, GroupOutputs: 1, Groups: > 1 } && shape.Channels >= tiles.Set.Lanes && (long)shape.InputPixels * shape.XPitch < int.MaxValue;

    /// <summary>How much it does for a shape that it suits.</summary>
    public static KernelWork Work(in ConvShape shape, Target target, GeneratedTiles tiles)
    {
        double lines = (double)shape.Batch * shape.Depth.Output * shape.Height.Output, pixels = lines * shape.Width.Output;
        double vectors = (shape.Channels + tiles.Set.Lanes - 1) / tiles.Set.Lanes, panels = (shape.Channels + tiles.Set.Width - 1) / tiles.Set.Width;
        var bandLines = BandLines(shape, target, tiles.Set);
        var across = Math.Ceiling(shape.Width.Output / (double)tiles.Set.Height) + (bandLines == 0 && shape.Width.IsPadded ? 2 : 0);
        var tilesOfLines = lines * across * panels;
        var copied = bandLines == 0 ? 0 : (double)shape.Batch * shape.Depth.Output * shape.Channels * BandPixels(shape, bandLines);
        return new(lines, tilesOfLines, pixels * vectors * shape.Taps, tilesOfLines * shape.Taps, sizeof(float) * (double)shape.Channels * shape.Taps,
            KernelWork.Beyond(sizeof(float) * ((double)shape.Batch * shape.InputPixels + pixels) * shape.Channels, target.L2Bytes), copied, pixels * vectors);
    }

    /// <summary>How many output lines of a panel a band serves; 0 where the input is read in place, because that takes few tiles more than there are lines to copy.</summary>
    private static int BandLines(in ConvShape shape, Target target, TileSet set)
    {
        int height = shape.Height.Output, width = shape.Width.Output;
        if (shape.OutputPixels == 0 || !(shape.Depth.IsPadded || shape.Height.IsPadded || shape.Width.IsPadded)) return 0;
        var lineBytes = sizeof(float) * (long)set.Width * shape.Width.Reach(width) * shape.Depth.Kernel;
        var lines = (int)Math.Clamp((target.L1Bytes / 2 / lineBytes - shape.Height.Reach(1)) / shape.Height.Stride + 1, 1, height);
        lines = (height + (height + lines - 1) / lines - 1) / ((height + lines - 1) / lines);
        var saved = TilesInPlace(shape, set) - height * (long)set.Cut(width).Count;
        return saved * SmallTile > BandPixels(shape, lines) * set.Width / set.Lanes ? lines : 0;
    }

    /// <summary>Pixels that the bands of an output slice hold.</summary>
    private static long BandPixels(in ConvShape shape, int lines)
    {
        int whole = shape.Height.Output / lines, rest = shape.Height.Output % lines;
        return (whole * (long)shape.Height.Reach(lines) + (rest > 0 ? shape.Height.Reach(rest) : 0)) * shape.Width.Reach(shape.Width.Output) * shape.Depth.Kernel;
    }

    /// <summary>The tiles that a panel of an output slice takes where each has the taps of its own.</summary>
    private static long TilesInPlace(in ConvShape shape, TileSet set)
    {
        var (most, height) = (MostLines(set), shape.Height.Output);
        long down = 0, all = 0;
        foreach (var l in Stretches(shape.Height)) down += l.Count / most + int.PopCount(l.Count % most);
        foreach (var c in Stretches(shape.Width)) all += IsNarrow(c) ? c.Count * down : height * (long)set.Cut(c.Count).Count;
        return all;
    }

    // A tile down a column: a power of two of lines.
    private static int MostLines(TileSet set) => set.Height >= 8 ? 8 : 4;

    /// <summary>Packs the weights: panels of channels, [taps, channels] each.</summary>
    public override void PackWeights(float* weights, float* packed)
    {
        for (var first = 0; first < Shape.Channels; first += tiles.Set.Width)
            for (var tap = 0; tap < Shape.Taps; tap++)
                for (var c = first; c < first + tiles.Set.Width; c++) *packed++ = c < Shape.Channels ? weights[(nint)c * Shape.Taps + tap] : 0f;
    }

    [MethodImpl(HotCode.Optimized)]
    public override void Run(in ConvCall call, int firstTask, int endTask, byte* scratch)
    {
        var activation = TileActivation.Of(call.Activation, tiles.Set.Lanes);
        var left = activation.IsLeft(call.Activation) ? Epilogue.Select(call.Activation, tiles.Set.Lanes) : null;
        TileArguments t = default;
        t.Offsets = (int*)scratch;
        activation.Describe(&t, call.Args);
        t.Flags = (nint)(activation.Flag | (call.Bias == null ? TileFlags.None : TileFlags.ColumnBias) | (call.Residual == null ? TileFlags.None : TileFlags.Residual));
        if (bandLines > 0)
        {
            RunBands(call, left, &t, firstTask, endTask, (float*)(scratch + TapBytes));
            return;
        }
        var height = Shape.Height.Output;
        for (long line = split.Start(firstTask), end = split.Start(endTask); line < end;)
        {
            var slice = line / height;
            int first = (int)(line - slice * height), last = (int)Math.Min(height, first + (end - line));
            var depth = depths[Find(depths, (int)(slice % Shape.Depth.Output))];
            for (var i = Find(lines, first); i < lines.Length && lines[i].First < last; i++)
            {
                var from = Math.Max(first, lines[i].First);
                foreach (var column in columns) Rectangle(call, left, &t, slice, depth, lines[i] with { First = from, Count = Math.Min(last, lines[i].First + lines[i].Count) - from }, column);
            }
            line += last - first;
        }
    }

    [MethodImpl(HotCode.Optimized)]
    private void RunBands(in ConvCall call, delegate*<EpilogueTile*, void> left, TileArguments* t, int firstTask, int endTask, float* band)
    {
        nint pixelFloats = tiles.Set.Width, rowFloats = RowFloats, planeFloats = PlaneFloats, width = Shape.Width.Output;
        FindTaps(t, new(0, 0, 0, Shape.Depth.Kernel), new(0, 0, 0, Shape.Height.Kernel), new(0, 0, 0, Shape.Width.Kernel),
            (int)planeFloats, Shape.Height.Dilation * (int)rowFloats, Shape.Width.Dilation * (int)pixelFloats);
        (t->AStride, t->CStride, t->ResidualStride) = (pixelFloats * Shape.Width.Stride * sizeof(float), (nint)Shape.YPitch * sizeof(float), (nint)Shape.ResidualPitch * sizeof(float));
        for (long item = split.Start(firstTask), end = split.Start(endTask); item < end; item++)
        {
            var first = (int)(item % Panels) * tiles.Set.Width;
            var channels = Math.Min(tiles.Set.Width, Shape.Channels - first);
            var line = (int)(item / Panels % bands) * bandLines;
            var slice = item / Panels / bands;
            var at = new TileTask(line, Math.Min(bandLines, Shape.Height.Output - line), 0, Shape.Width.Output, 0, 1);
            InputBand<float, PixelCopy>.Spread(Shape with { Channels = channels, Groups = 1 }, call.X + first, 0f, (int)(slice / Shape.Depth.Output), (int)(slice % Shape.Depth.Output), 0, at,
                band, pixelFloats, rowFloats, planeFloats);
            // The next panel's weights come from memory meanwhile.
            var weights = call.PackedWeights + (nint)first * Shape.Taps;
            var panelBytes = sizeof(float) * tiles.Set.Width * Shape.Taps;
            if (Sse.IsSupported)
                for (var b = 0; b < panelBytes; b += 64) Sse.Prefetch0((byte*)weights + panelBytes + b);
            for (var i = 0; i < at.Rows; i++)
            {
                var pixel = ((nint)slice * Shape.Height.Output + line + i) * width;
                var y = call.Y + pixel * Shape.YPitch + first;
                t->A = (byte*)(band + i * Shape.Height.Stride * rowFloats);
                t->B = (byte*)weights;
                t->C = (byte*)y;
                t->ColumnBias = (byte*)(call.Bias + first);
                t->Residual = (byte*)(call.Residual + pixel * Shape.ResidualPitch + first);
                RunLine(t, Shape.Width.Output, channels);
                if (left != null) TileActivation.Finish(y, Shape.YPitch, Shape.Width.Output, channels, call.Args, left);
            }
        }
    }

    [MethodImpl(HotCode.Optimized)]
    private void Rectangle(in ConvCall call, delegate*<EpilogueTile*, void> left, TileArguments* t, long slice, Stretch depth, Stretch line, Stretch column)
    {
        ConvAxis height = Shape.Height, width = Shape.Width;
        nint xPlane = (nint)height.Input * width.Input * Shape.XPitch;
        FindTaps(t, depth, line, column, Shape.Depth.Dilation * (int)xPlane, height.Dilation * width.Input * Shape.XPitch, width.Dilation * Shape.XPitch);
        long image = slice / Shape.Depth.Output, z = slice % Shape.Depth.Output * Shape.Depth.Stride - Shape.Depth.PadBegin;
        nint xLine = (nint)width.Input * Shape.XPitch, yLine = (nint)width.Output * Shape.YPitch, residualLine = (nint)width.Output * Shape.ResidualPitch;
        var x = call.X + ((nint)(image * Shape.Depth.Input + z) * height.Input + (nint)line.First * height.Stride - height.PadBegin) * xLine + ((nint)column.First * width.Stride - width.PadBegin) * Shape.XPitch;
        var pixel = ((nint)slice * height.Output + line.First) * width.Output + column.First;
        var y = call.Y + pixel * Shape.YPitch;
        var residual = call.Residual == null ? null : call.Residual + pixel * Shape.ResidualPitch;
        var isNarrow = IsNarrow(column);
        (nint xAlong, nint yAlong, nint residualAlong) = isNarrow ? (xLine * height.Stride, yLine, residualLine) : ((nint)Shape.XPitch * width.Stride, Shape.YPitch, Shape.ResidualPitch);
        (nint xAcross, nint yAcross, nint residualAcross) = isNarrow ? ((nint)Shape.XPitch * width.Stride, Shape.YPitch, Shape.ResidualPitch) : (xLine * height.Stride, yLine, residualLine);
        (t->AStride, t->CStride, t->ResidualStride) = (xAlong * sizeof(float), yAlong * sizeof(float), residualAlong * sizeof(float));
        int along = isNarrow ? line.Count : column.Count, across = isNarrow ? column.Count : line.Count;
        for (var first = 0; first < Shape.Channels; first += channelsAtOnce)
        {
            var end = Math.Min(Shape.Channels, first + channelsAtOnce);
            for (nint i = 0; i < across; i++)
            {
                for (var c = first; c < end; c += tiles.Set.Width)
                {
                    t->A = (byte*)(x + i * xAcross + c);
                    t->B = (byte*)(call.PackedWeights + (nint)c * Shape.Taps);
                    t->C = (byte*)(y + i * yAcross + c);
                    t->ColumnBias = (byte*)(call.Bias + c);
                    t->Residual = (byte*)(residual + i * residualAcross + c);
                    Stride(t, along, Math.Min(tiles.Set.Width, end - c), isNarrow);
                }
                if (left != null) TileActivation.Finish(y + i * yAcross + first, yAlong, along, end - first, call.Args, left);
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private void Stride(TileArguments* t, int along, int channels, bool isNarrow)
    {
        var set = tiles.Set;
        if (isNarrow)
        {
            for (var height = MostLines(set); along > 0; height /= 2)
            {
                if (along < height) continue;
                set.RunLine(TileForm.Columnwise, along / height, height, channels, t);
                along %= height;
            }
            return;
        }
        RunLine(t, along, channels);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private void RunLine(TileArguments* t, int along, int channels)
    {
        var set = tiles.Set;
        var (parts, pixels, higher) = set.Cut(along);
        if (higher > 0) set.RunLine(TileForm.Columnwise, higher, pixels + 1, channels, t);
        if (parts > higher) set.RunLine(TileForm.Columnwise, parts - higher, pixels, channels, t);
    }

    private static bool IsNarrow(Stretch columns) => columns.Count < 4;

    private void Prepare(int height) => tiles.Prepare(TileForm.Columnwise, height, height, Shape.Channels);

    private void PrepareLine(int pixels)
    {
        var (_, height, higher) = tiles.Set.Cut(pixels);
        Prepare(height);
        if (higher > 0) Prepare(height + 1);
    }

    private void FindTaps(TileArguments* t, Stretch depth, Stretch line, Stretch column, int plane, int row, int pixel)
    {
        var to = t->Offsets;
        for (var d = depth.FirstTap; d < depth.EndTap; d++)
            for (var h = line.FirstTap; h < line.EndTap; h++)
                for (var v = column.FirstTap; v < column.EndTap; v++)
                {
                    *to++ = d * plane + h * row + v * pixel;
                    *to++ = ((d * Shape.Height.Kernel + h) * Shape.Width.Kernel + v) * tiles.Set.Width;
                }
        t->Pieces = (nint)(to - t->Offsets) / 2;
    }

    private static int Find(Stretch[] all, int position)
    {
        var i = 0;
        while (all[i].First + all[i].Count <= position) i++;
        return i;
    }

    private static Stretch[] Stretches(ConvAxis axis)
    {
        var all = new List<Stretch>();
        for (var o = 0; o < axis.Output; o++)
        {
            // Taps t with 0 ≤ start + t·dilation < input.
            var start = o * axis.Stride - axis.PadBegin;
            var first = Math.Min(axis.Kernel, start >= 0 ? 0 : (-start + axis.Dilation - 1) / axis.Dilation);
            var end = Math.Clamp(start >= axis.Input ? 0 : (axis.Input - 1 - start) / axis.Dilation + 1, first, axis.Kernel);
            if (all.Count > 0 && all[^1].FirstTap == first && all[^1].EndTap == end) all[^1] = all[^1] with { Count = all[^1].Count + 1 };
            else all.Add(new(o, 1, first, end));
        }
        return [.. all];
    }

    /// <summary>Makes the code ready that convolutions of a shape run.</summary>
    public static void RehearseCode(in ConvShape shape, bool isKnown, Activation? activation, Target target, string name, GeneratedTiles tiles)
    {
        if (isKnown) _ = new DepthwiseTileConv(shape, target, name, tiles);
        var few = new ConvShape(1, shape.Channels, shape.Channels, shape.Channels, Few(shape.Depth, 1), new(3, 3, 1, 1, 1, 1), new(15, 3, 1, 1, 1, 1));
        Rehearse(new DepthwiseTileConv(few, target, name, tiles), activation);
        // Without padding it is read in place, whatever its size.
        Rehearse(new DepthwiseTileConv(few with { Depth = few.Depth with { PadBegin = 0, PadEnd = 0, Input = few.Depth.Kernel * few.Depth.Dilation }, Height = new(5, 3), Width = new(15, 3) }, target, name, tiles), activation);
    }

    /// <summary>Adjacent output positions of an axis that see the same taps.</summary>
    private readonly record struct Stretch(int First, int Count, int FirstTap, int EndTap);
}
