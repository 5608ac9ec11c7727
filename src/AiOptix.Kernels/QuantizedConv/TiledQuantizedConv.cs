using System.Runtime.CompilerServices;

namespace AiOptix.Kernels.QuantizedConv;

/// <summary>
/// The convolution as a product, a group at a time: sums[outputs, pixels] = W[outputs, terms] · B[terms, pixels]. A task is a block of pixels, which is packed as a
/// whole into scratch, and a block of outputs. Weights lie as panels [pairs][4] of pairs of terms.
/// </summary>
internal sealed unsafe class TiledQuantizedConv : QuantizedConvPlan
{
    private const int PanelBytes = 128 << 10;
    private const int MostPanels = 8;
    private const int EnoughTasks = 8;
    private const int LeastRows = 32;

    private readonly int columns;
    private readonly delegate*<int*, int*, nint, int*, void> tile;
    private readonly int pairs;
    private readonly int columnsATask;
    private readonly int rowsATask;
    private readonly int columnTasks;
    private readonly int rowTasks;

    /// <summary>Plans a shape for a micro-kernel (<see cref="QuantizedTile"/>) with so many columns.</summary>
    public TiledQuantizedConv(in QuantizedShape shape, string name, int columns, delegate*<int*, int*, nint, int*, void> tile) : base(shape, name)
    {
        this.columns = columns;
        this.tile = tile;
        var conv = shape.Conv;
        pairs = (conv.Terms + 1) / 2;
        var panels = Math.Clamp((int)(PanelBytes / (sizeof(int) * (long)pairs * columns)), 1, MostPanels);
        columnsATask = panels * columns;
        columnTasks = (conv.OutputPixels + columnsATask - 1) / columnsATask;
        var missing = EnoughTasks / Math.Max(1, columnTasks * conv.Batch * conv.Groups);
        var rows = Math.Max(LeastRows, (conv.GroupOutputs + Math.Max(1, missing) - 1) / Math.Max(1, missing));
        rowsATask = (rows + QuantizedTile.Rows - 1) / QuantizedTile.Rows * QuantizedTile.Rows;
        rowTasks = (conv.GroupOutputs + rowsATask - 1) / rowsATask;
    }

    public override long PackedWeightBytes => sizeof(int) * (long)Shape.Conv.Groups * GroupInts;

    // Panels of B, two lines, and a tile of sums and of bytes.
    public override long ScratchBytes => (sizeof(int) * (long)pairs + 2 * sizeof(short)) * columnsATask + (sizeof(int) + 1) * (long)TileElements;

    public override int Tasks => checked(rowTasks * columnTasks * Shape.Conv.Batch * Shape.Conv.Groups);

    private int TileElements => QuantizedTile.Rows * columns;

    private nint GroupInts => (nint)((Shape.Conv.GroupOutputs + QuantizedTile.Rows - 1) / QuantizedTile.Rows) * pairs * QuantizedTile.Rows;

    public override void PackWeights(short* weights, byte* packed)
    {
        var (outputs, terms) = (Shape.Conv.GroupOutputs, Shape.Conv.Terms);
        for (var group = 0; group < Shape.Conv.Groups; group++)
        {
            var to = (short*)packed + 2 * group * GroupInts;
            for (var row = 0; row < outputs; row += QuantizedTile.Rows)
                for (var term = 0; term < 2 * pairs; term += 2)
                    for (var r = row; r < row + QuantizedTile.Rows; r++)
                    {
                        var from = weights + ((nint)group * outputs + r) * terms;
                        *to++ = r < outputs ? from[term] : (short)0;
                        *to++ = r < outputs && term + 1 < terms ? from[term + 1] : (short)0;
                    }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public override void Run(in QuantizedConvCall call, int firstTask, int endTask, byte* scratch)
    {
        var conv = Shape.Conv;
        var panels = (int*)scratch;
        var source = new QuantizedSource { Shape = conv, Input = call.Input, Columns = columns, Lines = (short*)(panels + (nint)pairs * columnsATask) };
        var sums = (int*)(source.Lines + 2 * columnsATask);
        var packed = -1;
        for (var task = firstTask; task < endTask; task++)
        {
            var rowTask = task % rowTasks;
            var block = task / rowTasks;
            var columnTask = block % columnTasks;
            var unit = block / columnTasks;
            var first = columnTask * columnsATask;
            var count = Math.Min(columnsATask, conv.OutputPixels - first);
            if (block != packed)
            {
                if (Shape.IsChannelsLast) source.PackRows(call.X, first, count, panels);
                else source.Pack(call.X + (nint)unit * conv.GroupChannels * conv.InputPixels, first, count, panels);
                packed = block;
            }
            var end = Math.Min(conv.GroupOutputs, (rowTask + 1) * rowsATask);
            for (var row = rowTask * rowsATask; row < end; row += QuantizedTile.Rows)
                Rows(call, unit, row, first, count, panels, sums);
        }
    }

    private void Rows(in QuantizedConvCall call, int unit, int row, int first, int count, int* panels, int* sums)
    {
        var conv = Shape.Conv;
        var group = unit % conv.Groups;
        var rows = Math.Min(QuantizedTile.Rows, conv.GroupOutputs - row);
        var weights = (int*)call.PackedWeights + group * GroupInts + (nint)row * pairs;
        var bytes = (byte*)(sums + TileElements);
        var channel = group * conv.GroupOutputs + row;
        for (var column = 0; column < count; column += columns)
        {
            tile(weights, panels + (nint)column * pairs, pairs, sums);
            for (var r = 0; r < rows; r++)
                QuantizedStore.Row(sums + r * columns, call.Bias[channel + r], call.Factors[channel + r], call.Output, bytes + r * columns, columns);
            var n = Math.Min(columns, count - column);
            if (Shape.IsChannelsLast) Upright(bytes, rows, n, call.Y + (nint)(first + column) * conv.OutputChannels + row);
            else
                for (var r = 0; r < rows; r++)
                    new ReadOnlySpan<byte>(bytes + r * columns, n).CopyTo(new(call.Y + ((nint)unit * conv.GroupOutputs + row + r) * conv.OutputPixels + first + column, n));
        }
    }

    private void Upright(byte* bytes, int rows, int n, byte* to)
    {
        for (var i = 0; i < n; i++, to += Shape.Conv.OutputChannels)
            for (var r = 0; r < rows; r++) to[r] = bytes[r * columns + i];
    }
}
