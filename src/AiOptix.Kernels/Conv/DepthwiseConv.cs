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

    private readonly int pitch;
    private readonly int bandRows;
    private readonly int bands;
    private readonly int phaseFloats;
    private readonly int[] offsets;

    public DepthwiseConv(in ConvShape shape, Target target, string name) : base(shape, name)
    {
        ConvAxis height = shape.Height, width = shape.Width;
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
        Units = shape.OutputPixels == 0 ? 0 : checked(shape.Batch * shape.OutputChannels * bands);
        var work = 2.0 * shape.Batch * shape.OutputChannels * shape.OutputPixels * shape.Taps / OperationsATask;
        Tasks = Math.Min(Units, (int)Math.Clamp(Math.Ceiling(work), 1, EnoughTasks));
    }

    public override long PackedWeightBytes => sizeof(float) * (long)Shape.OutputChannels * Shape.Taps;

    public override long ScratchBytes => sizeof(float) * ((long)phaseFloats * Shape.Height.Stride * Shape.Width.Stride + LineFloats(bandRows) + Unroll * T.Count);

    public override int Tasks { get; }

    // A unit is one band of one output channel of one image.
    private int Units { get; }

    public static bool Suits(ConvShape shape) => shape.GroupChannels == 1 && shape.Groups > 1 && shape.Depth is { Input: 1, IsIdentity: true };

    public override void PackWeights(float* weights, float* packed)
        => Buffer.MemoryCopy(weights, packed, PackedWeightBytes, PackedWeightBytes);

    public override void Run(in ConvCall call, int firstTask, int endTask, byte* scratch)
    {
        var finish = Epilogue.Select(call.Activation, T.Count);
        var phases = (float*)scratch;
        var line = phases + phaseFloats * Shape.Height.Stride * Shape.Width.Stride;
        int first = (int)((long)Units * firstTask / Math.Max(1, Tasks)), end = (int)((long)Units * endTask / Math.Max(1, Tasks));
        for (var unit = first; unit < end; unit++)
        {
            var plane = unit / bands;
            var row = (unit - plane * bands) * bandRows;
            var rows = Math.Min(bandRows, Shape.Height.Output - row);
            var image = plane / Shape.OutputChannels;
            var output = plane - image * Shape.OutputChannels;
            var channel = output / Shape.GroupOutputs;
            Spread(call.X + ((nint)image * Shape.Channels + channel) * Shape.InputPixels, row, rows, phases);
            fixed (int* taps = offsets) Sum(phases, taps, offsets.Length, call.PackedWeights + (nint)output * Shape.Taps, line, LineFloats(rows));
            EpilogueTile e = default;
            var to = (nint)plane * Shape.OutputPixels + (nint)row * Shape.Width.Output;
            e.Source = line;
            e.SourceStride = pitch;
            e.Destination = call.Y + to;
            e.DestinationStride = e.ResidualStride = Shape.Width.Output;
            if (call.Residual != null) e.Residual = call.Residual + to;
            var bias = call.Bias == null ? -0f : call.Bias[output];
            (e.Rows, e.Columns, e.Alpha, e.Args) = (rows, Shape.Width.Output, 1f, call.Args);
            e.RowBias = &bias;
            e.RowBiasStride = 0;
            finish(&e);
        }
    }

    private int PhaseRows(int rows) => ((rows - 1) * Shape.Height.Stride + (Shape.Height.Kernel - 1) * Shape.Height.Dilation) / Shape.Height.Stride + 1;

    private int LineFloats(int rows) => (rows - 1) * pitch + Math.Max(1, Shape.Width.Output);

    private void Spread(float* plane, int row, int rows, float* phases)
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
