using System.Runtime.CompilerServices;
using AiOptix.Kernels.Gemm;
using AiOptix.Kernels.Vectors;
using AiOptix.Tensors;

namespace AiOptix.Kernels.Conv;

/// <summary>
/// Convolution as a product whose B is never written down: a band of input lines goes into scratch with its zeros, and the columns of step (channel, row, column of the window) are a stretch of
/// one of those lines. A tile is some outputs by a stretch of one output line. For few outputs a channel, where packing B costs more than the product gains by it.
/// </summary>
internal sealed unsafe class DirectConv : ConvPlan
{
    private const double OperationsATask = 4e5;
    private const int FewOutputs = 48;
    private const int BlockTerms = 288;

    private readonly GemmKernel kernel;
    private readonly int pitch, bandRows, bands, inputRows, columnsAtOnce;
    private readonly nint planeFloats;
    private readonly int[] offsets;

    public DirectConv(in ConvShape shape, Target target, string name, GemmKernel kernel) : base(shape, name)
    {
        this.kernel = kernel;
        ConvAxis height = shape.Height, width = shape.Width;
        columnsAtOnce = kernel.Nr;
        pitch = Math.Max(1, width.Output - 1 + (width.Kernel - 1) * width.Dilation + 1);
        var rows = Math.Max(1, height.Output);
        var fitting = Fitting(shape, target);
        var wanted = (int)Math.Ceiling(OperationsATask / Math.Max(1, 2.0 * shape.GroupOutputs * shape.Terms * Math.Max(1, width.Output)));
        bandRows = Math.Clamp(Math.Min(fitting, wanted), 1, rows);
        bands = (rows + bandRows - 1) / bandRows;
        inputRows = Lines(bandRows);
        planeFloats = (nint)inputRows * pitch;
        offsets = new int[shape.Terms + 1];
        for (var k = 1; k <= shape.Terms; k++) offsets[k - 1] = (int)(Place(k % Math.Max(1, shape.Terms)) - Place(k - 1));
    }

    public override long PackedWeightBytes => sizeof(float) * (long)Shape.Groups * WeightPanels.GroupFloats(Shape, kernel);

    // The band with room for a tile that reads beyond its end, and the spill tile.
    public override long ScratchBytes => sizeof(float) * ((long)planeFloats * Shape.GroupChannels + columnsAtOnce + (long)kernel.Mr * kernel.Nr);

    public override int Tasks => Shape.OutputPixels == 0 ? 0 : checked(bands * Shape.Batch * Shape.Groups);

    /// <summary>Few outputs a group, one step a column, lines long enough for a tile and not much longer than whole vectors.</summary>
    public static bool Suits(ConvShape shape) => shape is { Layout: ConvLayout.ChannelsFirst, Depth: { Input: 1, IsIdentity: true }, Width.Stride: 1, Taps: > 1 } && shape.GroupOutputs is > 1 and <= FewOutputs
        && shape.Width.Output >= 24 && Math.Ceiling(shape.Width.Output / 8.0) * 8 <= shape.Width.Output * 1.1 && shape.GroupChannels > 1;

    public override void PackWeights(float* weights, float* packed) => WeightPanels.Pack(Shape, kernel, weights, packed);

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public override void Run(in ConvCall call, int firstTask, int endTask, byte* scratch)
    {
        var band = (float*)scratch;
        var spill = band + planeFloats * Shape.GroupChannels + columnsAtOnce;
        LineCopy.Clear(spill - columnsAtOnce, columnsAtOnce);
        var finish = kernel.EpilogueFor(call.Activation);
        var hasEpilogue = call.Bias != null || call.Residual != null || call.Activation != Activation.None;
        for (var task = firstTask; task < endTask; task++)
        {
            var unit = task / bands;
            var row = (task - unit * bands) * bandRows;
            var rows = Math.Min(bandRows, Shape.Height.Output - row);
            Spread(call.X + (nint)unit * Shape.GroupChannels * Shape.InputPixels, row, rows, band);
            Product(call, unit, row, rows, band, spill, hasEpilogue ? finish : null);
        }
    }

    private static int Fitting(in ConvShape shape, Target target)
    {
        // Three quarters of the second-level cache for the band; the first one keeps a panel of weights.
        var floats = target.L2Bytes / sizeof(float) * 3 / 4 / Math.Max(1, shape.GroupChannels) / Math.Max(1, shape.Width.Output + (shape.Width.Kernel - 1) * shape.Width.Dilation);
        return Math.Max(1, (floats - (shape.Height.Kernel - 1) * shape.Height.Dilation - 1) / shape.Height.Stride + 1);
    }

    private int Lines(int rows) => (rows - 1) * Shape.Height.Stride + (Shape.Height.Kernel - 1) * Shape.Height.Dilation + 1;

    /// <summary>Where the columns of a term begin in the band.</summary>
    private nint Place(int term)
    {
        var tap = term % Shape.Taps;
        return term / Shape.Taps * planeFloats + tap / Shape.Width.Kernel * Shape.Height.Dilation * pitch + tap % Shape.Width.Kernel * Shape.Width.Dilation;
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void Spread(float* plane, int row, int rows, float* band)
    {
        ConvAxis height = Shape.Height, width = Shape.Width;
        var lines = Lines(rows);
        for (var c = 0; c < Shape.GroupChannels; c++, plane += Shape.InputPixels)
        {
            var to = band + c * planeFloats;
            for (var l = 0; l < lines; l++, to += pitch)
            {
                var i = row * height.Stride + l - height.PadBegin;
                if ((uint)i >= (uint)height.Input) LineCopy.Clear(to, pitch);
                else LineCopy.Run(plane + (nint)i * width.Input, width.Input, -width.PadBegin, 1, to, pitch);
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void Product(in ConvCall call, int unit, int row, int rows, float* band, float* spill, delegate*<EpilogueTile*, void> finish)
    {
        var group = unit % Shape.Groups;
        var panels = call.PackedWeights + group * WeightPanels.GroupFloats(Shape, kernel);
        nint pixels = Shape.OutputPixels;
        var first = (nint)unit * Shape.GroupOutputs * pixels;
        GemmTile tile = default;
        tile.AStride = kernel.Mr;
        EpilogueTile e = default;
        (e.Alpha, e.Args, e.RowBiasStride, e.DestinationStride, e.ResidualStride) = (1f, call.Args, 1, pixels, pixels);
        fixed (int* steps = offsets)
        {
            for (var k0 = 0; k0 < Shape.Terms; k0 += BlockTerms)
            {
                tile.K = Math.Min(BlockTerms, Shape.Terms - k0);
                tile.BOffsets = steps + k0;
                tile.Accumulate = k0 > 0;
                var last = k0 + BlockTerms >= Shape.Terms;
                var start = band + Place(k0);
                for (var output = 0; output < Shape.GroupOutputs; output += kernel.Mr)
                {
                    tile.Rows = Math.Min(kernel.Mr, Shape.GroupOutputs - output);
                    tile.A = panels + (nint)output * Shape.Terms + (nint)k0 * kernel.Mr;
                    for (var r = 0; r < rows; r++)
                    {
                        var line = first + output * pixels + (nint)(row + r) * Shape.Width.Output;
                        for (var column = 0; column < Shape.Width.Output; column += kernel.Nr)
                        {
                            tile.B = start + (nint)r * Shape.Height.Stride * pitch + column;
                            tile.Columns = Math.Min(kernel.Nr, Shape.Width.Output - column);
                            var c = call.Y + line + column;
                            var whole = kernel.IsWhole(tile.Rows, tile.Columns);
                            tile.C = whole ? c : spill;
                            tile.Ldc = whole ? pixels : kernel.Nr;
                            if (!whole && k0 > 0) GemmBlock.Copy(c, pixels, spill, kernel.Nr, tile.Rows, tile.Columns);
                            kernel.Tile(&tile);
                            if (last && finish != null)
                            {
                                e.Source = tile.C;
                                e.SourceStride = tile.Ldc;
                                e.Destination = c;
                                (e.Rows, e.Columns) = (tile.Rows, tile.Columns);
                                e.RowBias = call.Bias == null ? null : call.Bias + (nint)group * Shape.GroupOutputs + output;
                                e.Residual = call.Residual == null ? null : call.Residual + line + column;
                                finish(&e);
                            }
                            else if (!whole) GemmBlock.Copy(spill, kernel.Nr, c, pixels, tile.Rows, tile.Columns);
                        }
                    }
                }
            }
        }
    }
}
