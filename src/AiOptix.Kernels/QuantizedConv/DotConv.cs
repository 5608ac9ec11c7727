using System.Runtime.CompilerServices;
using AiOptix.Kernels.Choice;
using AiOptix.Kernels.Conv;
using AiOptix.Kernels.Jit;
using AiOptix.Tensors;

namespace AiOptix.Kernels.QuantizedConv;

/// <summary>
/// Convolution of bytes as sums over taps, as <see cref="TileConv"/> does it for float32: a tile is some pixels of an output line by a panel of output channels, and what a tap sees of a pixel is a
/// stretch of adjacent channels, read in place, four terms a step. Where the window reaches beyond the input, X has its channels first, or channels do not make whole steps, input lines are copied into a
/// band in scratch, with the zero point as padding. Sums never leave the registers. Weights that need more than a signed byte are the sum of several, and the input is gone through as often.
/// </summary>
internal sealed unsafe class DotConv : QuantizedConvPlan, IPacksMatrices
{
    private const double OperationsATask = 4e6;
    private const int Slack = 64;

    private readonly DotPanels panels;
    private readonly ConvShape s;
    private readonly TileSplit split;
    private readonly bool copies;
    private readonly int inputRows, inputColumns, run, stepsOfRun, parts;
    private readonly nint pixelBytes, rowBytes, planeBytes;
    private readonly int[] offsets;
    private readonly int steps;

    public DotConv(in QuantizedShape shape, Target target, string name, DotTiles tiles) : base(shape, name)
    {
        s = shape.Conv.Joined(grain: 4);
        var isWhole = s.GroupChannels % 4 == 0;
        copies = Copies(s);
        // Terms that lie behind each other whatever the extents are.
        run = !isWhole && s.Width.Dilation == 1 ? s.Width.Kernel * s.GroupChannels : s.GroupChannels;
        stepsOfRun = (run + 3) / 4;
        parts = tiles.Method == DotMethod.Quads ? shape.WeightParts : 1;
        panels = new(tiles, Form(shape, isColumnwise: false), s.GroupOutputs, (long)parts * stepsOfRun * (s.Terms / Math.Max(1, run)));
        split = TileSplit.Of(s, new(panels.Count, panels.Count == 0 ? 1 : panels.Height(0), 1, OperationsATask), target, int.MaxValue, copies);
        inputRows = s.Height.Reach(split.Rows);
        inputColumns = s.Width.Reach(split.Columns);
        pixelBytes = copies ? s.GroupChannels : s.XPitch;
        rowBytes = checked(pixelBytes * (copies ? inputColumns : s.Width.Input));
        planeBytes = checked(rowBytes * (copies ? inputRows : s.Height.Input));
        (offsets, steps) = Pieces();
        if (s.OutputPixels == 0) return;
        for (var task = 0; task < split.Tasks; task++)
        {
            var at = split.Locate(task);
            for (var panel = at.Panel; panel < at.Panel + at.Panels; panel++)
            {
                var (count, height, higher) = Heights(at.Columns, panel);
                if (higher > 0) panels.Prepare(panel, height + 1);
                if (count > higher) panels.Prepare(panel, height);
            }
        }
    }

    public override long PackedWeightBytes => s.Groups * panels.Bytes;

    public override long ScratchBytes => StageBytes + (copies ? planeBytes * s.Depth.Kernel + Slack : 0);

    public override int Tasks => s.OutputPixels == 0 ? 0 : checked(split.Tasks * s.Batch * s.Depth.Output * s.Groups);

    // The stage of tiles, and the addends and factors that a dynamic zero point and scale give.
    private int StageBytes => panels.StageBytes + panels.HeaderBytes();

    /// <summary>What a tile reads and stores.</summary>
    public static DotForm Form(in QuantizedShape shape, bool isColumnwise) => new((DotStore)shape.Result, isColumnwise, shape.IsSigned, shape.IsLimited, shape.IsClipped, shape.HasAddends);

    /// <summary>How much it does for a shape.</summary>
    public static KernelWork Work(in QuantizedShape shape, Target target, DotTiles tiles)
    {
        var s = shape.Conv.Joined(grain: 4);
        if (s.OutputPixels == 0) return default;
        var copies = Copies(s);
        var panels = tiles.Panels(s.GroupOutputs, Form(shape, isColumnwise: false));
        var split = TileSplit.Of(s, new(panels.Count, tiles.Height(panels[0].Vectors), 1, OperationsATask), target, int.MaxValue, copies);
        double units = (double)s.Batch * s.Depth.Output * s.Groups, lines = units * s.Height.Output, places = units * split.Places;
        var run = s.GroupChannels % 4 != 0 && s.Width.Dilation == 1 ? s.Width.Kernel * s.GroupChannels : s.GroupChannels;
        var steps = (tiles.Method == DotMethod.Quads ? shape.WeightParts : 2.0) * ((run + 3) / 4) * (s.Terms / Math.Max(1, run));
        double whole = s.Width.Output / split.Columns, rest = s.Width.Output % split.Columns, strips = 0, vectors = 0;
        foreach (var panel in panels)
        {
            double height = tiles.Height(panel.Vectors);
            strips += whole * Math.Ceiling(split.Columns / height) + Math.Ceiling(rest / height);
            vectors += panel.Vectors;
        }
        double outputs = lines * s.Width.Output * s.GroupOutputs, weights = 4 * steps * vectors * tiles.Lanes;
        var band = copies ? places * s.Height.Reach(split.Rows) * s.Width.Reach(split.Columns) * s.Depth.Kernel * s.GroupChannels : 0;
        return new(units * split.Tasks, lines * strips, lines * s.Width.Output * vectors * steps, lines * strips * steps,
            KernelWork.Passes(weights, split.Places * s.Batch * (double)s.Depth.Output, target) * s.Groups, KernelWork.Beyond((double)s.Batch * s.InputPixels * s.Channels + shape.ResultBytes * outputs, target.L2Bytes), band, lines * s.Width.Output * vectors);
    }

    private static bool Copies(in ConvShape s) => s.ReadsChannelsFirst || s.GroupChannels % 4 != 0 || s.Depth.IsPadded || s.Height.IsPadded || s.Width.IsPadded;

    /// <summary>Packs group by group panels of output channels, in each the terms in their order: taps, and in those channels.</summary>
    public override void PackWeights(in QuantizedWeights weights, byte* packed)
    {
        var conv = Shape.Conv;
        var (channels, taps, outputs) = (conv.GroupChannels, conv.Taps, conv.GroupOutputs);
        // By the shape as it was given: a joined one counts taps as channels.
        var (length, count) = s.GroupChannels == channels ? (run, s.Terms / Math.Max(1, run)) : (channels, taps);
        var (addends, factors) = Header(weights);
        var from = weights.Weights;
        fixed (int* a = addends)
        fixed (float* f = factors)
            for (var group = 0; group < conv.Groups; group++)
                for (var panel = 0; panel < panels.Count; panel++)
                {
                    var to = packed + group * panels.Bytes + panels.Offset(panel);
                    panels.PackHeader(panel, a + (nint)group * outputs, f + (nint)group * outputs, weights.Addends + (nint)group * outputs, to);
                    to += panels.HeaderBytes(panel);
                    ByteLines.Fill(to, (nint)(panels.Offset(panel + 1) - panels.Offset(panel) - panels.HeaderBytes(panel)), 0);
                    for (var column = 0; column < panels[panel].Columns; column++)
                        PackColumn(from + ((nint)group * outputs + panels[panel].First + column) * channels * taps, panels.ColumnOf(panel, column, to), length, count);
                }
    }

    // The terms of an output channel: runs of some length, each padded to whole steps.
    private void PackColumn(short* filter, DotColumn to, int length, int count)
    {
        var (channels, taps) = (Shape.Conv.GroupChannels, Shape.Conv.Taps);
        for (var part = 0; part < parts; part++)
        {
            var (at, first) = (0, (nint)part * count * ((length + 3) / 4));
            for (var tap = 0; tap < taps; tap++)
                for (var channel = 0; channel < channels; channel++)
                {
                    to.Put(first + at / 4, at % 4, Part(filter[(nint)channel * taps + tap], part, parts));
                    if (++at < length) continue;
                    (at, first) = (0, first + (length + 3) / 4);
                }
        }
    }

    /// <summary>Packs the matrix of a product: panel by panel, four terms a step.</summary>
    [MethodImpl(HotCode.Optimized)]
    public void PackMatrix(in QuantizedMatrix matrix, byte* packed)
    {
        for (var panel = 0; panel < panels.Count; panel++)
        {
            var to = packed + panels.Offset(panel);
            var sums = (int*)to;
            var factors = (float*)to + panels.Width(panel);
            var weights = to + panels.HeaderBytes(panel);
            ByteLines.Fill(to, (nint)(panels.Offset(panel + 1) - panels.Offset(panel)), 0);
            if (parts == 1 && panels.Tiles.Method == DotMethod.Quads) PackQuads(matrix, panel, weights, sums);
            else PackTerms(matrix, panel, weights, sums);
            foreach (var lane in panels.LanesOf(panel)[..panels[panel].Columns])
            {
                sums[lane] *= -Unsigned(matrix.InputZero);
                factors[lane] = matrix.Factor;
            }
        }
    }

    // Four terms of a column at a time, as one number; the last step has fewer.
    [MethodImpl(HotCode.Optimized)]
    private void PackQuads(in QuantizedMatrix matrix, int panel, byte* weights, int* sums)
    {
        var (flip, zero, down, across) = (matrix.IsSigned ? 128 : 0, matrix.IsSigned ? matrix.Zero + 128 : matrix.Zero, matrix.TermStride, matrix.OutputStride);
        var columns = panels[panel].Columns;
        fixed (int* lanes = panels.LanesOf(panel))
            for (var step = 0; step < stepsOfRun; step++)
            {
                var from = matrix.Bytes + step * 4 * down + panels[panel].First * across;
                var to = (uint*)(weights + step * panels.StepBytes(panel));
                var left = Shape.Conv.Channels - step * 4;
                for (var column = 0; column < columns; column++, from += across)
                {
                    var a = (from[0] ^ flip) - zero;
                    var b = left > 1 ? (from[down] ^ flip) - zero : 0;
                    var c = left > 2 ? (from[2 * down] ^ flip) - zero : 0;
                    var d = left > 3 ? (from[3 * down] ^ flip) - zero : 0;
                    sums[lanes[column]] += a + b + c + d;
                    to[lanes[column]] = (byte)a | (uint)(byte)b << 8 | (uint)(byte)c << 16 | (uint)d << 24;
                }
            }
    }

    [MethodImpl(HotCode.Optimized)]
    private void PackTerms(in QuantizedMatrix matrix, int panel, byte* weights, int* sums)
    {
        var (flip, zero) = (matrix.IsSigned ? 128 : 0, matrix.IsSigned ? matrix.Zero + 128 : matrix.Zero);
        for (var column = 0; column < panels[panel].Columns; column++)
        {
            var from = matrix.Bytes + (panels[panel].First + column) * matrix.OutputStride;
            var to = panels.ColumnOf(panel, column, weights);
            ref var sum = ref sums[panels.LanesOf(panel)[column]];
            for (var term = 0; term < Shape.Conv.Channels; term++)
            {
                var weight = (from[term * matrix.TermStride] ^ flip) - zero;
                sum += weight;
                for (var part = 0; part < parts; part++) to.Put((nint)part * stepsOfRun + term / 4, term % 4, Part(weight, part, parts));
            }
        }
    }

    [MethodImpl(HotCode.Optimized)]
    public override void Run(in QuantizedConvCall call, int firstTask, int endTask, byte* scratch)
    {
        DotArguments t = default;
        t.SetConstants();
        t.SetRange(call.Zero, call.Low, call.High);
        int lastUnit = -1, lastRow = -1, lastColumn = -1;
        for (var task = firstTask; task < endTask; task++)
        {
            var unit = task / split.Tasks;
            var at = split.Locate(task - unit * split.Tasks);
            var group = unit % s.Groups;
            var slice = unit / s.Groups % s.Depth.Output;
            var image = unit / s.Groups / s.Depth.Output;
            byte* x;
            if (copies)
            {
                x = scratch + StageBytes;
                if (unit != lastUnit || at.Row != lastRow || at.Column != lastColumn) InputBand<byte, ByteLines>.Spread(s, call.X, (byte)call.InputZero, image, slice, group, at, x, pixelBytes, rowBytes, planeBytes);
                (lastUnit, lastRow, lastColumn) = (unit, at.Row, at.Column);
            }
            else
            {
                var row = ((nint)image * s.Depth.Input + (nint)slice * s.Depth.Stride) * s.Height.Input + (nint)at.Row * s.Height.Stride;
                x = call.X + (row * s.Width.Input + (nint)at.Column * s.Width.Stride) * s.XPitch + (nint)group * s.GroupChannels;
            }
            var line = ((nint)image * s.Depth.Output + slice) * s.Height.Output + at.Row;
            Products(call, &t, x, line * s.Width.Output + at.Column, group, at, scratch);
        }
    }

    [MethodImpl(HotCode.Optimized)]
    private void Products(in QuantizedConvCall call, DotArguments* t, byte* x, nint pixel, int group, in TileTask at, byte* scratch)
    {
        var size = Shape.ResultBytes;
        (t->AStride, t->CStride) = (pixelBytes * s.Width.Stride, (nint)s.YPitch * size);
        fixed (int* places = offsets)
        {
            t->Offsets = places;
            (t->Pieces, t->Steps) = (offsets.Length, steps);
            for (var panel = at.Panel; panel < at.Panel + at.Panels; panel++)
            {
                var packed = call.PackedWeights + group * panels.Bytes + panels.Offset(panel);
                t->Bias = (int*)packed;
                t->Factors = (float*)packed + panels.Width(panel);
                t->Addends = (float*)packed + 2 * panels.Width(panel);
                if (Shape.IsDynamic) Scale(call, panels.Width(panel), t, (int*)(scratch + panels.StageBytes));
                t->B = packed + panels.HeaderBytes(panel);
                // Weights of the last panel have none behind them: their own are there.
                var next = panel + 1 < panels.Count ? panel + 1 : panel;
                t->SetNext(call.PackedWeights + group * panels.Bytes + panels.Offset(next), (nint)(panels.Offset(next + 1) - panels.Offset(next)));
                var output = (nint)group * s.GroupOutputs + panels[panel].First;
                var (count, height, higher) = Heights(at.Columns, panel);
                for (var r = 0; r < at.Rows; r++)
                {
                    t->A = x + r * s.Height.Stride * rowBytes;
                    t->C = call.Y + ((pixel + (nint)r * s.Width.Output) * s.YPitch + output) * size;
                    if (higher > 0) panels.Run(panel, height + 1, higher, t, scratch);
                    if (count > higher)
                    {
                        t->A = x + r * s.Height.Stride * rowBytes + (nint)higher * (height + 1) * t->AStride;
                        panels.Run(panel, height, count - higher, t, scratch);
                    }
                }
            }
        }
    }

    /// <summary>Makes the code ready that convolutions of a shape run.</summary>
    public static void RehearseCode(in QuantizedShape shape, bool isKnown, Target target, string name, DotTiles tiles)
    {
        if (isKnown && shape.Conv.Batch > 0) _ = new DotConv(shape, target, name, tiles);
        Rehearse(new DotConv(Few(shape, 1), target, name, tiles));
        Rehearse(new DotConv(Few(shape, 2 * tiles.Height(4) + 1), target, name, tiles));
        InputBand<byte, ByteLines>.Rehearse();
    }

    private (int Count, int Height, int Higher) Heights(int pixels, int panel)
    {
        var most = panels.Height(panel);
        var count = (pixels + most - 1) / most;
        return (count, pixels / count, pixels % count);
    }

    // Pieces are runs, or lines of them where they lie behind each other.
    private (int[] Offsets, int Steps) Pieces()
    {
        var isLine = run == s.Width.Kernel * s.GroupChannels || (s.Width.Dilation == 1 && pixelBytes == s.GroupChannels && run % 4 == 0);
        var columns = isLine ? 1 : s.Width.Kernel;
        var places = new List<int>();
        for (var part = 0; part < parts; part++)
            for (var line = 0; line < s.Depth.Kernel * s.Height.Kernel; line++)
                for (var column = 0; column < columns; column++)
                    places.Add(checked((int)(line / s.Height.Kernel * (copies ? 1 : s.Depth.Dilation) * planeBytes + line % s.Height.Kernel * s.Height.Dilation * rowBytes + column * s.Width.Dilation * pixelBytes)));
        return ([.. places], (isLine ? s.Width.Kernel * s.GroupChannels + 3 : run + 3) / 4);
    }
}
