using System.Runtime.CompilerServices;
using AiOptix.Kernels.Choice;
using AiOptix.Kernels.Conv;
using AiOptix.Kernels.Jit;
using AiOptix.Kernels.Loops;
using AiOptix.Tensors;

namespace AiOptix.Kernels.QuantizedConv;

/// <summary>
/// One input and one output channel a group. Lines of the window are taken four at a time: the bytes of four input lines are brought together, four a channel, with the zero point as padding, and a tap
/// of the window's width is then one step of the columnwise tile. A task is some output lines; a line goes panel by panel and in pieces whose quads stay in the first-level cache.
/// </summary>
internal sealed unsafe class DepthwiseDotConv : QuantizedConvPlan
{
    private const int LinesAtOnce = 4;

    private readonly ConvShape s;
    private readonly DotPanels panels;
    private readonly Split split;
    private readonly int quads, parts, columnsAtOnce, reach;
    private readonly int[] offsets, places;

    public DepthwiseDotConv(in QuantizedShape shape, Target target, string name, DotTiles tiles) : base(shape, name)
    {
        s = shape.Conv;
        var lines = s.Depth.Kernel * s.Height.Kernel;
        quads = (lines + LinesAtOnce - 1) / LinesAtOnce;
        parts = tiles.Method == DotMethod.Quads ? shape.WeightParts : 1;
        panels = new(tiles, DotConv.Form(shape, isColumnwise: true), s.Channels, (long)parts * quads * s.Width.Kernel);
        reach = (s.Width.Kernel - 1) * s.Width.Dilation + 1;
        var fitting = target.L1Bytes / 4 * 3 / (LinesAtOnce * tiles.Width * quads);
        columnsAtOnce = Math.Clamp((fitting - reach) / s.Width.Stride + 1, 4 * tiles.Height(4), Math.Max(4 * tiles.Height(4), s.Width.Output));
        split = new(s.OutputPixels == 0 ? 0 : (long)s.Batch * s.Depth.Output * s.Height.Output, (long)s.Width.Output * s.Channels * Math.Max(1, s.Taps / 8));
        offsets = new int[2 * panels.Count * Pieces];
        places = new int[panels.Count * MostBlocks];
        for (var panel = 0; panel < panels.Count; panel++)
        {
            Place(panel);
            foreach (var columns in s.OutputPixels == 0 ? [] : (int[])[Math.Min(columnsAtOnce, s.Width.Output), s.Width.Output % columnsAtOnce])
            {
                if (columns == 0) continue;
                var (count, height, higher) = Heights(columns, panel);
                if (higher > 0) panels.Prepare(panel, height + 1);
                if (count > higher) panels.Prepare(panel, height);
            }
        }
    }

    public override long PackedWeightBytes => panels.Bytes;

    // The stage of tiles, what a dynamic zero point and scale give, a pixel of padding, and the quads of a piece of a line.
    public override long ScratchBytes => panels.StageBytes + panels.HeaderBytes() + panels.Tiles.Width + (long)quads * PieceColumns * LinesAtOnce * panels.Tiles.Width;

    public override int Tasks => split.Tasks;

    private int Pieces => parts * quads * s.Width.Kernel;

    private int PieceColumns => (columnsAtOnce - 1) * s.Width.Stride + reach;

    private int MostBlocks => panels.Tiles.Width / 4;

    public static bool Suits(QuantizedShape shape) => shape is { Conv: { ReadsChannelsFirst: false, GroupChannels: 1, GroupOutputs: 1, Groups: > 1 } };

    /// <summary>How much it does for a shape that it suits.</summary>
    public static KernelWork Work(in QuantizedShape shape, Target target, DotTiles tiles)
    {
        var s = shape.Conv;
        double lines = (double)s.Batch * s.Depth.Output * s.Height.Output, pixels = lines * s.Width.Output;
        double quads = (s.Depth.Kernel * s.Height.Kernel + LinesAtOnce - 1) / LinesAtOnce, vectors = (s.Channels + tiles.Lanes - 1) / tiles.Lanes, panels = (s.Channels + tiles.Width - 1) / tiles.Width;
        var steps = (tiles.Method == DotMethod.Quads ? shape.WeightParts : 2) * quads * s.Width.Kernel;
        var strips = lines * Math.Ceiling(s.Width.Output / (double)tiles.Height(4)) * panels;
        return new(lines * panels, strips, pixels * vectors * steps, strips * steps, 4 * steps * panels * tiles.Width, KernelWork.Beyond((double)s.Batch * s.InputPixels * s.Channels + shape.ResultBytes * pixels * s.Channels, target.L2Bytes),
            lines * quads * LinesAtOnce * s.Width.Reach(s.Width.Output) * s.Channels, pixels * vectors);
    }

    /// <summary>Packs panels of channels, in each for every four lines the taps of the width.</summary>
    public override void PackWeights(in QuantizedWeights weights, byte* packed)
    {
        int taps = s.Taps, width = s.Width.Kernel;
        var (addends, factors) = Header(weights);
        var from = weights.Weights;
        fixed (int* a = addends)
        fixed (float* f = factors)
            for (var panel = 0; panel < panels.Count; panel++)
            {
                var to = packed + panels.Offset(panel);
                panels.PackHeader(panel, a, f, weights.Addends, to);
                to += panels.HeaderBytes(panel);
                ByteLines.Fill(to, (nint)(panels.Offset(panel + 1) - panels.Offset(panel) - panels.HeaderBytes(panel)), 0);
                for (var column = 0; column < panels[panel].Columns; column++)
                {
                    var filter = from + (panels[panel].First + column) * taps;
                    var place = panels.ColumnOf(panel, column, to);
                    for (var part = 0; part < parts; part++)
                        for (var tap = 0; tap < taps; tap++)
                        {
                            int line = tap / width, at = (part * quads + line / LinesAtOnce) * width + tap % width;
                            place.Put(at, line % LinesAtOnce, Part(filter[tap], part, parts));
                        }
                }
            }
    }

    [MethodImpl(HotCode.Optimized)]
    public override void Run(in QuantizedConvCall call, int firstTask, int endTask, byte* scratch)
    {
        DotArguments t = default;
        t.SetConstants();
        t.SetRange(call.Zero, call.Low, call.High);
        (t.Steps, t.Pieces, t.CStride) = (1, Pieces, (nint)s.YPitch * Shape.ResultBytes);
        var padding = scratch + panels.StageBytes + panels.HeaderBytes();
        var quadsOfLine = padding + panels.Tiles.Width;
        ByteLines.Fill(padding, panels.Tiles.Width, (byte)call.InputZero);
        for (long line = split.Start(firstTask), end = split.Start(endTask); line < end; line++)
        {
            var slice = line / s.Height.Output;
            var row = (int)(line - slice * s.Height.Output);
            var image = slice / s.Depth.Output;
            var x = call.X + (nint)image * s.InputPixels * s.XPitch;
            for (var column = 0; column < s.Width.Output; column += columnsAtOnce)
            {
                var columns = Math.Min(columnsAtOnce, s.Width.Output - column);
                for (var panel = 0; panel < panels.Count; panel++)
                {
                    Join(x + panels[panel].First, (int)(slice - image * s.Depth.Output), row, column, columns, panel, padding, quadsOfLine);
                    Tiles(call, &t, quadsOfLine, line * s.Width.Output + column, columns, panel, scratch);
                }
            }
        }
    }

    [MethodImpl(HotCode.Optimized)]
    private void Tiles(in QuantizedConvCall call, DotArguments* t, byte* from, long pixel, int columns, int panel, byte* scratch)
    {
        var packed = call.PackedWeights + panels.Offset(panel);
        t->Bias = (int*)packed;
        t->Factors = (float*)packed + panels.Width(panel);
        t->Addends = (float*)packed + 2 * panels.Width(panel);
        if (Shape.IsDynamic) Scale(call, panels.Width(panel), t, (int*)(scratch + panels.StageBytes));
        t->B = packed + panels.HeaderBytes(panel);
        t->AStride = s.Width.Stride * LinesAtOnce * panels.Width(panel);
        t->A = from;
        t->C = call.Y + ((nint)pixel * s.YPitch + panels[panel].First) * Shape.ResultBytes;
        var (count, height, higher) = Heights(columns, panel);
        fixed (int* all = offsets)
        {
            t->Offsets = all + 2 * panel * Pieces;
            if (higher > 0) panels.Run(panel, height + 1, higher, t, scratch);
            t->A = from + (nint)higher * (height + 1) * t->AStride;
            if (count > higher) panels.Run(panel, height, count - higher, t, scratch);
        }
    }

    /// <summary>Brings together what the windows of some output pixels see of a panel's channels.</summary>
    [MethodImpl(HotCode.Optimized)]
    private void Join(byte* x, int slice, int row, int column, int columns, int panel, byte* padding, byte* to)
    {
        var pixelBytes = LinesAtOnce * panels.Width(panel);
        int left = column * s.Width.Stride - s.Width.PadBegin, seen = (columns - 1) * s.Width.Stride + reach;
        int lo = Math.Clamp(-left, 0, seen), hi = Math.Clamp(s.Width.Input - left, lo, seen);
        fixed (int* all = places)
        {
            var lines = new QuadLines
            {
                Channels = panels[panel].Columns,
                Places = all + panel * MostBlocks,
                PixelBytes = pixelBytes,
                Vectors = panels.Tiles.IsGenerated && Shape.ResultBytes == 1 ? panels[panel].Vectors : 0,
                VectorBytes = panels.Tiles.VectorBytes,
            };
            for (var quad = 0; quad < quads; quad++, to += (nint)PieceColumns * pixelBytes)
            {
                for (var line = 0; line < LinesAtOnce; line++)
                {
                    int tap = quad * LinesAtOnce + line, d = tap / s.Height.Kernel, h = tap % s.Height.Kernel;
                    int z = slice * s.Depth.Stride + d * s.Depth.Dilation - s.Depth.PadBegin, i = row * s.Height.Stride + h * s.Height.Dilation - s.Height.PadBegin;
                    if (d >= s.Depth.Kernel || (uint)z >= (uint)s.Depth.Input || (uint)i >= (uint)s.Height.Input) lines.Set(line, padding, 0);
                    else lines.Set(line, x + (((nint)z * s.Height.Input + i) * s.Width.Input + left + lo) * s.XPitch, s.XPitch);
                }
                ByteLines.Fill(to, lo * (nint)pixelBytes, *padding);
                lines.Join(to + (nint)lo * pixelBytes, hi - lo);
                ByteLines.Fill(to + (nint)hi * pixelBytes, (seen - hi) * (nint)pixelBytes, *padding);
            }
        }
    }

    /// <summary>Makes the code ready that convolutions of a shape run.</summary>
    public static void RehearseCode(in QuantizedShape shape, bool isKnown, Target target, string name, DotTiles tiles)
    {
        if (isKnown && shape.Conv.Batch > 0) _ = new DepthwiseDotConv(shape, target, name, tiles);
        Rehearse(new DepthwiseDotConv(Few(shape, 2 * tiles.Height(4) + 1), target, name, tiles));
    }

    private (int Count, int Height, int Higher) Heights(int pixels, int panel)
    {
        var most = panels.Height(panel);
        var count = (pixels + most - 1) / most;
        return (count, pixels / count, pixels % count);
    }

    private void Place(int panel)
    {
        var width = panels.Width(panel);
        for (var v = 0; v < panels[panel].Vectors; v++)
            for (var lane = 0; lane < panels.Tiles.Lanes; lane += 4)
                places[panel * MostBlocks + panels.Column(panel, v, lane) / 4] = v * panels.Tiles.VectorBytes + lane * sizeof(int);
        var at = 2 * panel * Pieces;
        for (var part = 0; part < parts; part++)
            for (var quad = 0; quad < quads; quad++)
                for (var tap = 0; tap < s.Width.Kernel; tap++)
                {
                    offsets[at++] = checked((quad * PieceColumns + tap * s.Width.Dilation) * LinesAtOnce * width);
                    offsets[at++] = ((part * quads + quad) * s.Width.Kernel + tap) * panels.StepBytes(panel);
                }
    }
}
