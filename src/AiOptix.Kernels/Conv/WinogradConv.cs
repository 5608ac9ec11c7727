using System.Runtime.CompilerServices;
using AiOptix.Kernels.Choice;
using AiOptix.Kernels.Gemm;
using AiOptix.Kernels.Jit;
using AiOptix.Kernels.Loops;
using AiOptix.Kernels.Vectors;
using AiOptix.Tensors;

namespace AiOptix.Kernels.Conv;

/// <summary>
/// 3×3 convolution with stride 1 by a minimal filtering algorithm. Tiles of n×n inputs are transformed into n·n matrices [tiles, channels] in scratch; each is multiplied with its packed weights, a
/// panel of output channels at a time, and the products are transformed back while they are in the nearer caches. Sums run in another order than the direct kernels', within the fp32 contract; a
/// NaN or an infinity reaches all outputs of every tile that reads it.
/// </summary>
internal sealed unsafe class WinogradConv<T, TForm> : ConvPlan where T : unmanaged, IVec<T> where TForm : struct, IWinograd<T>
{
    private const int Taps = 3, FewestChannels = 16, FewestTiles = 2, FewestPanels = 2, WantedTasks = 8;

    // Beyond this a layer would be bound by reading its transformed weights, and the model would hold several times the memory for them.
    private const long MostWeightBytes = 48L << 20;

    private readonly GeneratedTiles tiles;
    private readonly int tileRows, tileColumns, tileCount, tilesATask, panelsATask, pitch;

    public WinogradConv(in ConvShape shape, Target target, string name, GeneratedTiles tiles) : base(shape, name)
    {
        this.tiles = tiles;
        (tileRows, tileColumns) = ((shape.Height.Output + Outputs - 1) / Outputs, (shape.Width.Output + Outputs - 1) / Outputs);
        tileCount = checked(shape.Batch * shape.Depth.Input * tileRows * tileColumns);
        pitch = (int)CacheSets.Apart(shape.Channels);
        tilesATask = TilesATask(tileCount, pitch, tiles.Set.Height, target);
        panelsATask = PanelsATask(tileCount, tilesATask, Panels);
        if (tileCount == 0) return;
        foreach (var count in (int[])[Math.Min(tilesATask, tileCount), tileCount % tilesATask])
        {
            if (count == 0) continue;
            var (_, rows, higher) = tiles.Set.Cut(count);
            foreach (var columns in (int[])[Math.Min(shape.OutputChannels, tiles.Set.Width), shape.OutputChannels % tiles.Set.Width])
            {
                if (columns == 0) continue;
                tiles.Prepare(TileForm.Strided, rows, columns);
                if (higher > 0) tiles.Prepare(TileForm.Strided, rows + 1, columns);
            }
        }
    }

    public override long PackedWeightBytes => sizeof(float) * (long)Points * Panels * tiles.Set.Width * Shape.Channels;

    public override long ScratchBytes => sizeof(float) * ((long)Points * tilesATask * (pitch + tiles.Set.Width) + Shape.Channels);

    public override int Tasks => checked((tileCount + tilesATask - 1) / tilesATask * PanelTasks);

    private static int Outputs => TForm.Outputs;

    private static int Inputs => Outputs + Taps - 1;

    private static int Points => Inputs * Inputs;

    private int PanelTasks => (Panels + panelsATask - 1) / panelsATask;

    private int Panels => (Shape.OutputChannels + tiles.Set.Width - 1) / tiles.Set.Width;

    public static bool Suits(ConvShape shape) =>
        shape is { Groups: 1, ReadsChannelsFirst: false, Channels: >= FewestChannels, OutputChannels: >= FewestChannels, Depth.IsIdentity: true }
        && shape.Channels % T.Count == 0 && IsThree(shape.Height) && IsThree(shape.Width)
        && (long)shape.Height.Output * shape.Width.Output * Math.Max(1, shape.Batch) >= FewestTiles * Outputs * Outputs
        && sizeof(float) * (long)Points * shape.Channels * shape.OutputChannels <= MostWeightBytes;

    /// <summary>How much it does for a shape that it suits.</summary>
    public static KernelWork Work(ConvShape shape, Target target, GeneratedTiles tiles)
    {
        double rows = (shape.Height.Output + Outputs - 1) / Outputs, columns = (shape.Width.Output + Outputs - 1) / Outputs;
        var count = Math.Max(1, shape.Batch) * shape.Depth.Input * rows * columns;
        var (height, width, lanes) = (tiles.Set.Height, tiles.Set.Width, tiles.Set.Lanes);
        var atOnce = TilesATask((int)Math.Min(count, int.MaxValue / 2), (int)CacheSets.Apart(shape.Channels), height, target);
        double tasks = Math.Ceiling(count / atOnce), panels = (shape.OutputChannels + width - 1) / width, vectors = (shape.OutputChannels + lanes - 1) / lanes;
        var strips = Math.Floor(count / atOnce) * Math.Ceiling((double)atOnce / height) + Math.Ceiling(count % atOnce / height);
        var weights = sizeof(float) * (double)Points * panels * width * shape.Channels;
        return new(tasks, Points * strips * panels, Points * count * vectors * shape.Channels, Points * strips * panels * shape.Channels,
            KernelWork.Passes(weights, tasks, target), KernelWork.Beyond(sizeof(float) * (double)Math.Max(1, shape.Batch) * (shape.InputPixels * (double)shape.Channels + shape.OutputPixels * (double)shape.OutputChannels), target.L2Bytes),
            Points * count * shape.Channels, Points * count * vectors);
    }

    // Strips of whole height, as many as make the wanted tasks; then as many tiles in every task, so that cores that share them end together.
    private static int TilesATask(int tileCount, int pitch, int height, Target target)
    {
        var most = Math.Max(1, target.L2Bytes / 2 / (Points * sizeof(float) * pitch) / height);
        var wanted = Math.Max(2, (int)(((long)tileCount + WantedTasks * height - 1) / (WantedTasks * height)));
        var strips = Math.Min(most, wanted) * height;
        var tasks = Math.Max(1, (tileCount + strips - 1) / strips);
        return Math.Max(1, (tileCount + tasks - 1) / tasks);
    }

    // Where there are few tiles, the panels are cut as well: each task then transforms the inputs for itself, or finds them as the one before left them.
    private static int PanelsATask(int tileCount, int tilesATask, int panels)
    {
        var places = Math.Max(1, (tileCount + tilesATask - 1) / tilesATask);
        var cuts = Math.Clamp(WantedTasks / places, 1, Math.Max(1, panels / FewestPanels));
        return (panels + cuts - 1) / cuts;
    }

    private static bool IsThree(in ConvAxis axis) => axis is { Kernel: 3, Stride: 1, Dilation: 1 };

    /// <summary>Packs the weights: panels of output channels, in each the points, in each the channels. Transformed in double precision and rounded once.</summary>
    public override void PackWeights(float* weights, float* packed)
    {
        int channels = Shape.Channels, width = tiles.Set.Width, points = Points;
        var all = (stackalloc double[points]);
        var panel = (stackalloc float[points * width]);
        for (var first = 0; first < Shape.OutputChannels; first += width, packed += (nint)points * channels * width)
            for (var channel = 0; channel < channels; channel++)
            {
                panel.Clear();
                for (var o = 0; o < Math.Min(width, Shape.OutputChannels - first); o++)
                {
                    Transform(weights + ((nint)(first + o) * channels + channel) * Taps * Taps, all);
                    for (var p = 0; p < points; p++) panel[p * width + o] = (float)all[p];
                }
                for (var p = 0; p < points; p++) panel.Slice(p * width, width).CopyTo(new Span<float>(packed + ((nint)p * channels + channel) * width, width));
            }
    }

    // G·g·Gᵀ.
    private static void Transform(float* g, Span<double> to)
    {
        var rows = TForm.Weights;
        var lines = (stackalloc double[Inputs * Taps]);
        for (var i = 0; i < Inputs; i++)
            for (var c = 0; c < Taps; c++) lines[i * Taps + c] = rows[i * Taps] * g[c] + rows[i * Taps + 1] * g[Taps + c] + rows[i * Taps + 2] * g[2 * Taps + c];
        for (var i = 0; i < Inputs; i++)
            for (var j = 0; j < Inputs; j++) to[i * Inputs + j] = rows[j * Taps] * lines[i * Taps] + rows[j * Taps + 1] * lines[i * Taps + 1] + rows[j * Taps + 2] * lines[i * Taps + 2];
    }

    [MethodImpl(HotCode.Optimized)]
    public override void Run(in ConvCall call, int firstTask, int endTask, byte* scratch)
    {
        var zeros = (float*)scratch;
        var inputs = zeros + Shape.Channels;
        var products = inputs + (nint)Points * tilesATask * pitch;
        new Span<float>(zeros, Shape.Channels).Clear();
        // Relu and Clip are bounds; anything else, and what follows a residual, is applied line by line afterwards.
        var isBounded = call.Residual == null && call.Activation is Activation.None or Activation.Relu or Activation.Clip;
        var finish = isBounded ? null : Epilogue.Select(call.Activation, T.Count);
        var (low, high) = (isBounded ? call.Activation : Activation.None) switch
        {
            Activation.Relu => (0f, float.PositiveInfinity),
            Activation.Clip => (call.Args.Alpha, call.Args.Beta),
            _ => (float.NegativeInfinity, float.PositiveInfinity),
        };
        var transformed = -1;
        for (var task = firstTask; task < endTask; task++)
        {
            var place = task / PanelTasks;
            int first = place * tilesATask, count = Math.Min(tilesATask, tileCount - first);
            int firstPanel = (task - place * PanelTasks) * panelsATask, endPanel = Math.Min(Panels, firstPanel + panelsATask);
            if (place != transformed) TransformInputs(call.X, zeros, first, count, inputs);
            transformed = place;
            for (var panel = firstPanel; panel < endPanel; panel++)
            {
                var output = panel * tiles.Set.Width;
                var columns = Math.Min(tiles.Set.Width, Shape.OutputChannels - output);
                Multiply(inputs, call.PackedWeights + (nint)panel * Points * Shape.Channels * tiles.Set.Width, products, count, columns);
                for (var v = 0; v < columns; v += T.Count)
                    TransformOutputs(call, products + v, first, count, output + v, Math.Min(T.Count, columns - v), low, high);
            }
            if (finish != null) Finish(call, finish, first, count, firstPanel * tiles.Set.Width, Math.Min(Shape.OutputChannels, endPanel * tiles.Set.Width));
        }
    }

    /// <summary>A product [tiles, channels] · [channels, panel] a point.</summary>
    [MethodImpl(HotCode.Optimized)]
    private void Multiply(float* inputs, float* weights, float* products, int count, int columns)
    {
        var set = tiles.Set;
        TileArguments tile = default;
        var nowhere = 0;
        tile.Offsets = &nowhere;
        (tile.Pieces, tile.Steps) = (1, Shape.Channels);
        (tile.AStride, tile.BStride, tile.CStride) = (pitch * sizeof(float), set.Width * sizeof(float), set.Width * sizeof(float));
        var (parts, rows, higher) = set.Cut(count);
        for (nint p = 0; p < Points; p++)
        {
            tile.A = (byte*)(inputs + p * tilesATask * pitch);
            tile.B = (byte*)(weights + p * Shape.Channels * set.Width);
            tile.C = (byte*)(products + p * tilesATask * set.Width);
            if (higher > 0) set.RunLine(TileForm.Strided, higher, rows + 1, columns, &tile);
            if (parts > higher) set.RunLine(TileForm.Strided, parts - higher, rows, columns, &tile);
        }
    }

    /// <summary>The points of some tiles, all channels.</summary>
    [MethodImpl(HotCode.Optimized)]
    private void TransformInputs(float* x, float* zeros, int first, int count, float* to)
    {
        var d = stackalloc float*[Points];
        var point = (nint)tilesATask * pitch;
        for (var t = first; t < first + count; t++)
        {
            var (image, row, column) = Place(t);
            for (var i = 0; i < Points; i++)
            {
                int h = row * Outputs - Shape.Height.PadBegin + i / Inputs, w = column * Outputs - Shape.Width.PadBegin + i % Inputs;
                var isInside = (uint)h < (uint)Shape.Height.Input && (uint)w < (uint)Shape.Width.Input;
                d[i] = isInside ? x + (((nint)image * Shape.Height.Input + h) * Shape.Width.Input + w) * Shape.XPitch : zeros;
            }
            for (nint c = 0; c < Shape.Channels; c += T.Count) TForm.Input(d, c, to + c, point);
            to += pitch;
        }
    }

    /// <summary>A vector of output channels of some tiles, with the bias and the bounds.</summary>
    [MethodImpl(HotCode.Optimized)]
    private void TransformOutputs(in ConvCall call, float* m, int first, int count, int output, int channels, float low, float high)
    {
        var isWhole = channels == T.Count;
        var bias = call.Bias == null ? T.Set(-0f) : isWhole ? T.Load(call.Bias + output) : T.LoadPart(call.Bias + output, channels);
        T least = T.Set(low), most = T.Set(high);
        var sums = stackalloc T[Outputs * Outputs];
        nint point = (nint)tilesATask * tiles.Set.Width, line = (nint)Shape.Width.Output * Shape.YPitch;
        for (var t = first; t < first + count; t++)
        {
            var (image, row, column) = Place(t);
            TForm.Output(m, point, sums);
            m += tiles.Set.Width;
            int h = row * Outputs, w = column * Outputs;
            int lines = Math.Min(Outputs, Shape.Height.Output - h), columns = Math.Min(Outputs, Shape.Width.Output - w);
            var y = call.Y + (((nint)image * Shape.Height.Output + h) * Shape.Width.Output + w) * Shape.YPitch + output;
            for (var i = 0; i < lines; i++, y += line)
                for (var j = 0; j < columns; j++)
                {
                    var x = T.MinOr(most, T.MaxOr(least, sums[i * Outputs + j] + bias));
                    if (isWhole) T.Store(y + j * (nint)Shape.YPitch, x);
                    else T.StorePart(y + j * (nint)Shape.YPitch, x, channels);
                }
        }
    }

    /// <summary>Adds the residual and applies the activation, along the output lines that the tiles cover.</summary>
    private void Finish(in ConvCall call, delegate*<EpilogueTile*, void> finish, int first, int count, int firstOutput, int endOutput)
    {
        EpilogueTile e = default;
        (e.Alpha, e.Args, e.Columns) = (1f, call.Args, endOutput - firstOutput);
        (e.SourceStride, e.DestinationStride, e.ResidualStride) = (Shape.YPitch, Shape.YPitch, Shape.ResidualPitch);
        for (var t = first; t < first + count;)
        {
            var (image, row, column) = Place(t);
            var along = Math.Min(tileColumns - column, first + count - t);
            e.Rows = Math.Min(along * Outputs, Shape.Width.Output - column * Outputs);
            for (var h = row * Outputs; h < Math.Min((row + 1) * Outputs, Shape.Height.Output); h++)
            {
                var pixel = ((nint)image * Shape.Height.Output + h) * Shape.Width.Output + column * Outputs;
                e.Source = e.Destination = call.Y + pixel * Shape.YPitch + firstOutput;
                if (call.Residual != null) e.Residual = call.Residual + pixel * Shape.ResidualPitch + firstOutput;
                finish(&e);
            }
            t += along;
        }
    }

    private (int Image, int Row, int Column) Place(int tile)
    {
        var line = tile / tileColumns;
        return (line / tileRows, line % tileRows, tile % tileColumns);
    }

    /// <summary>Makes the code ready that convolutions of a shape run.</summary>
    public static void RehearseCode(in ConvShape shape, bool isKnown, Activation? activation, Target target, string name, GeneratedTiles tiles)
    {
        if (isKnown) _ = new WinogradConv<T, TForm>(shape, target, name, tiles);
        var few = new ConvShape(1, shape.Channels, Few(shape.OutputChannels, tiles.Set.Width), 1, ConvAxis.None, new(3, 3, 1, 1, 1, 1), new(Outputs * tiles.Set.Height, 3, 1, 1, 1, 1));
        Rehearse(new WinogradConv<T, TForm>(few, target, name, tiles), activation);
    }
}
