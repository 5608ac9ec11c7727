using System.Runtime.CompilerServices;
using AiOptix.Kernels.Choice;
using AiOptix.Kernels.Gemm;
using AiOptix.Kernels.Jit;
using AiOptix.Kernels.Loops;
using AiOptix.Kernels.Vectors;
using AiOptix.Tensors;

namespace AiOptix.Kernels.Conv;

/// <summary>
/// Channels-last convolution with one input and one output channel a group, by generated tiles: some output pixels by two vectors of channels. Output positions are cut into stretches
/// that see the same taps of each axis, so that no tile has a tap beyond the input: a rectangle of lines and columns runs along its lines, or, being narrow, down its columns.
/// </summary>
internal sealed unsafe class DepthwiseTileConv : ConvPlan
{
    private readonly GeneratedTiles tiles;
    private readonly Split split;
    private readonly Stretch[] depths, lines, columns;
    private readonly int channelsAtOnce;

    public DepthwiseTileConv(in ConvShape shape, Target target, string name, GeneratedTiles tiles) : base(shape, name)
    {
        this.tiles = tiles;
        // What the windows of an output line see of some channels takes half of the first-level cache, so that the next lines find most of it there.
        var panels = target.L1Bytes / 2 / sizeof(float) / tiles.Set.Width / Math.Max(1, (long)shape.Height.Kernel * shape.Width.Input);
        channelsAtOnce = (int)Math.Clamp(panels, 1, shape.Channels) * tiles.Set.Width;
        var count = shape.OutputPixels == 0 ? 0 : checked((long)shape.Batch * shape.Depth.Output * shape.Height.Output);
        split = new Split(count, (long)shape.Width.Output * shape.Channels * Math.Max(1, shape.Taps / 4));
        (depths, lines, columns) = (Stretches(shape.Depth), Stretches(shape.Height), Stretches(shape.Width));
        if (count == 0) return;
        foreach (var column in columns)
        {
            if (IsNarrow(column)) for (var height = 1; height <= MostLines; height *= 2) Prepare(height);
            else
            {
                var (_, height, higher) = tiles.Set.Cut(column.Count);
                Prepare(height);
                if (higher > 0) Prepare(height + 1);
            }
        }
    }

    public override long PackedWeightBytes => sizeof(float) * (long)Shape.OutputChannels * Shape.Taps;

    // For each tap where it looks and where its weights lie.
    public override long ScratchBytes => 2 * sizeof(int) * (long)Shape.Taps;

    public override int Tasks => split.Tasks;

    // A tile down a column: a power of two of lines.
    private int MostLines => tiles.Set.Height >= 8 ? 8 : 4;

    public static bool Suits(ConvShape shape, GeneratedTiles tiles)
        => shape is { ReadsChannelsFirst: false, GroupChannels: 1, GroupOutputs: 1, Groups: > 1 } && shape.Channels >= tiles.Set.Lanes && (long)shape.InputPixels * shape.XPitch < int.MaxValue;

    /// <summary>How much it does for a shape that it suits.</summary>
    public static KernelWork Work(in ConvShape shape, Target target, GeneratedTiles tiles)
    {
        double lines = (double)shape.Batch * shape.Depth.Output * shape.Height.Output, pixels = lines * shape.Width.Output;
        double vectors = (shape.Channels + tiles.Set.Lanes - 1) / tiles.Set.Lanes, panels = (shape.Channels + tiles.Set.Width - 1) / tiles.Set.Width;
        var across = Math.Ceiling(shape.Width.Output / (double)tiles.Set.Height) + (shape.Width.IsPadded ? 2 : 0);
        var tilesOfLines = lines * across * panels;
        return new(lines, tilesOfLines, pixels * vectors * shape.Taps, tilesOfLines * shape.Taps, sizeof(float) * (double)shape.Channels * shape.Taps,
            KernelWork.Beyond(sizeof(float) * ((double)shape.Batch * shape.InputPixels + pixels) * shape.Channels, target.L2Bytes), 0, pixels * vectors);
    }

    /// <summary>Packs the weights: [taps, channels].</summary>
    public override void PackWeights(float* weights, float* packed)
    {
        for (var tap = 0; tap < Shape.Taps; tap++)
            for (var c = 0; c < Shape.Channels; c++) *packed++ = weights[(nint)c * Shape.Taps + tap];
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public override void Run(in ConvCall call, int firstTask, int endTask, byte* scratch)
    {
        var activation = TileActivation.Of(call.Activation, tiles.Set.Lanes);
        var left = activation.IsLeft(call.Activation) ? Epilogue.Select(call.Activation, tiles.Set.Lanes) : null;
        TileArguments t = default;
        t.Offsets = (int*)scratch;
        activation.Describe(&t, call.Args);
        t.Flags = (nint)(activation.Flag | (call.Bias == null ? TileFlags.None : TileFlags.ColumnBias) | (call.Residual == null ? TileFlags.None : TileFlags.Residual));
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

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void Rectangle(in ConvCall call, delegate*<EpilogueTile*, void> left, TileArguments* t, long slice, Stretch depth, Stretch line, Stretch column)
    {
        ConvAxis height = Shape.Height, width = Shape.Width;
        FindTaps(t, depth, line, column);
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
                    t->B = (byte*)(call.PackedWeights + c);
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
            for (var height = MostLines; along > 0; height /= 2)
            {
                if (along < height) continue;
                set.RunLine(TileForm.Columnwise, along / height, height, channels, t);
                along %= height;
            }
            return;
        }
        var (parts, pixels, higher) = set.Cut(along);
        if (higher > 0) set.RunLine(TileForm.Columnwise, higher, pixels + 1, channels, t);
        if (parts > higher) set.RunLine(TileForm.Columnwise, parts - higher, pixels, channels, t);
    }

    private static bool IsNarrow(Stretch columns) => columns.Count < 4;

    private void Prepare(int height) => tiles.Prepare(TileForm.Columnwise, height, height, Shape.Channels);

    private void FindTaps(TileArguments* t, Stretch depth, Stretch line, Stretch column)
    {
        var to = t->Offsets;
        for (var d = depth.FirstTap; d < depth.EndTap; d++)
            for (var h = line.FirstTap; h < line.EndTap; h++)
                for (var v = column.FirstTap; v < column.EndTap; v++)
                {
                    *to++ = ((d * Shape.Depth.Dilation * Shape.Height.Input + h * Shape.Height.Dilation) * Shape.Width.Input + v * Shape.Width.Dilation) * Shape.XPitch;
                    *to++ = ((d * Shape.Height.Kernel + h) * Shape.Width.Kernel + v) * Shape.Channels;
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
    }

    /// <summary>Adjacent output positions of an axis that see the same taps.</summary>
    private readonly record struct Stretch(int First, int Count, int FirstTap, int EndTap);
}
