using System.Runtime.CompilerServices;
using AiOptix.Kernels.Gemm;
using AiOptix.Kernels.Vectors;
using AiOptix.Tensors;

namespace AiOptix.Kernels.Conv;

/// <summary>
/// Convolution with one input channel a group, over height and width. A band of input lines goes into scratch with its zeros, separated by
/// position modulo stride, at a pitch that makes every tap a constant offset: the band is then one long line, and its columns beyond the output
/// width are computed and dropped.
/// </summary>
internal sealed unsafe class DepthwiseConv<T> : ConvPlan where T : unmanaged, IVec<T>
{
    private const int Unroll = 4;
    private const double OperationsATask = 2.5e5;
    private const int EnoughTasks = 16;
    private const int MostPatterns = 2;

    private readonly int pitch;
    private readonly int bandRows;
    private readonly int bands;
    private readonly int phaseFloats;
    private readonly int[] offsets;
    private readonly int lineOffset;
    private readonly nint unitFloats;
    private readonly int unitsAtOnce;
    private readonly int inputPixels;
    private readonly int outputPixels;
    private readonly int outputRows;
    private readonly int outputColumns;

    public DepthwiseConv(in ConvShape shape, Target target, string name) : base(shape, name)
    {
        ConvAxis height = shape.Height, width = shape.Width;
        (inputPixels, outputPixels, outputRows, outputColumns) = (shape.InputPixels, shape.OutputPixels, height.Output, width.Output);
        int outputs = Math.Max(1, width.Output), rows = Math.Max(1, height.Output);
        pitch = ((outputs - 1) * width.Stride + (width.Kernel - 1) * width.Dilation) / width.Stride + 1;
        var floatsARow = (long)pitch * (height.Stride * width.Stride + 1);
        var fitting = (int)Math.Clamp(target.L1Bytes / sizeof(float) * 3 / 4 / floatsARow, 1, rows);
        bands = (rows + fitting - 1) / fitting;
        bandRows = (rows + bands - 1) / bands;
        bands = (rows + bandRows - 1) / bandRows;
        phaseFloats = PhaseRows(bandRows) * pitch + Unroll * T.Count;
        offsets = new int[shape.Taps];
        for (var t = 0; t < offsets.Length; t++)
        {
            int y = t / width.Kernel * height.Dilation, x = t % width.Kernel * width.Dilation;
            var phase = y % height.Stride * width.Stride + x % width.Stride;
            offsets[t] = phase * phaseFloats + y / height.Stride * pitch + x / width.Stride;
        }
        lineOffset = phaseFloats * height.Stride * width.Stride;
        unitFloats = lineOffset + (nint)LineFloats(bandRows) + Unroll * T.Count;
        unitsAtOnce = (int)Math.Clamp(target.L1Bytes / sizeof(float) / 2 / unitFloats, 1, 8);
        Units = shape.OutputPixels == 0 ? 0 : checked(shape.Batch * shape.OutputChannels * bands);
        var work = 2.0 * shape.Batch * shape.OutputChannels * shape.OutputPixels * shape.Taps / OperationsATask;
        Tasks = Math.Min(Units, (int)Math.Clamp(Math.Ceiling(work), 1, EnoughTasks));
    }

    public override long PackedWeightBytes => sizeof(float) * (long)Shape.OutputChannels * Shape.Taps;

    public override long ScratchBytes => sizeof(float) * (long)unitFloats * unitsAtOnce;

    public override int Tasks { get; }

    // A unit is one band of one output channel of one image.
    private int Units { get; }

    public static bool Suits(ConvShape shape) => shape.Layout == ConvLayout.ChannelsFirst && shape.GroupChannels == 1 && shape.Groups > 1 && shape.Depth is { Input: 1, IsIdentity: true };

    public override void PackWeights(float* weights, float* packed)
        => Buffer.MemoryCopy(weights, packed, PackedWeightBytes, PackedWeightBytes);

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public override void Run(in ConvCall call, int firstTask, int endTask, byte* scratch)
    {
        var finish = Epilogue.Select(call.Activation, T.Count);
        int first = (int)((long)Units * firstTask / Math.Max(1, Tasks)), end = (int)((long)Units * endTask / Math.Max(1, Tasks));
        var patterns = stackalloc LinePattern[MostPatterns];
        var patterned = Shape.Width.Stride <= MostPatterns;
        for (var x = 0; x < Shape.Width.Stride && patterned; x++)
            patterned = LinePattern.TryMake(x - Shape.Width.PadBegin, Shape.Width.Stride, Shape.Width.Input, pitch, patterns + x);
        // Some units at a time go through each stage: a load that meets parts of several fresh stores has to wait for all of them.
        for (var unit = first; unit < end; unit += unitsAtOnce)
        {
            var stop = Math.Min(end, unit + unitsAtOnce);
            var phases = (float*)scratch;
            for (var u = unit; u < stop; u++, phases += unitFloats)
            {
                var at = Locate(u);
                Spread(call.X + ((nint)at.Image * Shape.Channels + at.Output / Shape.GroupOutputs) * inputPixels, at.Row, at.Rows, phases, patterned ? patterns : null);
            }
            phases = (float*)scratch;
            for (var u = unit; u < stop; u++, phases += unitFloats)
            {
                var at = Locate(u);
                fixed (int* taps = offsets) Sum(phases, taps, offsets.Length, call.PackedWeights + (nint)at.Output * Shape.Taps, phases + lineOffset, LineFloats(at.Rows));
            }
            phases = (float*)scratch;
            for (var u = unit; u < stop; u++, phases += unitFloats) Finish(call, finish, Locate(u), phases + lineOffset);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void Finish(in ConvCall call, delegate*<EpilogueTile*, void> finish, (int Image, int Output, int Row, int Rows) at, float* line)
    {
        EpilogueTile e = default;
        var to = ((nint)at.Image * Shape.OutputChannels + at.Output) * outputPixels + (nint)at.Row * outputColumns;
        e.Source = line;
        e.SourceStride = pitch;
        e.Destination = call.Y + to;
        e.DestinationStride = e.ResidualStride = outputColumns;
        if (call.Residual != null) e.Residual = call.Residual + to;
        if (call.Bias != null) e.RowBias = call.Bias + at.Output;
        (e.Rows, e.Columns, e.Alpha, e.Args) = (at.Rows, outputColumns, 1f, call.Args);
        finish(&e);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private (int Image, int Output, int Row, int Rows) Locate(int unit)
    {
        var plane = unit / bands;
        var row = (unit - plane * bands) * bandRows;
        var image = plane / Shape.OutputChannels;
        return (image, plane - image * Shape.OutputChannels, row, Math.Min(bandRows, outputRows - row));
    }

    private int PhaseRows(int rows) => ((rows - 1) * Shape.Height.Stride + (Shape.Height.Kernel - 1) * Shape.Height.Dilation) / Shape.Height.Stride + 1;

    private int LineFloats(int rows) => (rows - 1) * pitch + Math.Max(1, outputColumns);

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void Spread(float* plane, int row, int rows, float* phases, LinePattern* patterns)
    {
        ConvAxis height = Shape.Height, width = Shape.Width;
        var phaseRows = PhaseRows(rows);
        for (var y = 0; y < height.Stride; y++)
        {
            for (var x = 0; x < width.Stride; x++)
            {
                var to = phases + (y * width.Stride + x) * phaseFloats;
                for (var r = 0; r < phaseRows; r++, to += pitch)
                {
                    var i = (row + r) * height.Stride + y - height.PadBegin;
                    if ((uint)i >= (uint)height.Input) LineCopy.Clear(to, pitch);
                    else if (patterns != null) LinePattern.Run(patterns + x, plane + (nint)i * width.Input, to);
                    else LineCopy.Run(plane + (nint)i * width.Input, width.Input, x - width.PadBegin, width.Stride, to, pitch);
                }
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Sum(float* phases, int* taps, int count, float* weights, float* line, int n)
    {
        for (var p = 0; p < n; p += Unroll * T.Count)
        {
            T a = T.Zero, b = T.Zero, c = T.Zero, d = T.Zero;
            for (var t = 0; t < count; t++)
            {
                var from = phases + taps[t] + p;
                var w = T.Set(weights[t]);
                a = T.Fma(w, T.Load(from), a);
                b = T.Fma(w, T.Load(from + T.Count), b);
                c = T.Fma(w, T.Load(from + 2 * T.Count), c);
                d = T.Fma(w, T.Load(from + 3 * T.Count), d);
            }
            T.Store(line + p, a);
            T.Store(line + p + T.Count, b);
            T.Store(line + p + 2 * T.Count, c);
            T.Store(line + p + 3 * T.Count, d);
        }
    }
}
