using System.Runtime.CompilerServices;
using AiOptix.Tensors;

namespace AiOptix.Kernels.Loops;

/// <summary>
/// Cuts a walk over shared axes into rectangles (two axes) that kernels take whole, and the rectangles into tasks. A <see cref="Cursor"/>
/// steps through the rectangles of a range of tasks and tells the byte offset of each operand.
/// </summary>
internal sealed unsafe class RectangleGrid
{
    /// <summary>Operands that a walk may have.</summary>
    public const int MostOperands = 4;

    private const int MostOuter = 62;
    private const long Elements = 16 << 10;

    private readonly int operands;
    private readonly long[] outerDims;
    private readonly long[] outerStrides;
    private readonly long[] rowStrides;
    private readonly long[] columnStrides;
    private readonly long rows;
    private readonly long columns;
    private readonly long rowChunk;
    private readonly long columnChunk;
    private readonly long rowChunks;
    private readonly long columnChunks;
    private readonly Split split;

    /// <summary>Cuts the walk; columns run along the innermost axis, rows along <paramref name="rowAxis"/> (by default the next one).</summary>
    /// <param name="axes">The axes.</param>
    /// <param name="rowAxis">The axis of the rows.</param>
    /// <param name="widest">Columns of a rectangle at most.</param>
    /// <param name="weight">What an element costs, in moved words.</param>
    /// <exception cref="UnsupportedModelException">More separate axes than a cursor holds.</exception>
    public RectangleGrid(AxisList axes, int rowAxis = -1, long widest = Elements, int weight = 1)
    {
        operands = axes.Operands;
        (rows, columns) = (1, 1);
        (rowStrides, columnStrides) = (new long[MostOperands], new long[MostOperands]);
        var column = axes.Count - 1;
        if (rowAxis < 0) rowAxis = column - 1;
        if (column >= 0) columns = axes.Dim(column);
        if (rowAxis >= 0) rows = axes.Dim(rowAxis);
        for (var p = 0; p < operands; p++)
        {
            if (column >= 0) columnStrides[p] = axes.Stride(column, p);
            if (rowAxis >= 0) rowStrides[p] = axes.Stride(rowAxis, p);
        }
        var outer = Array.FindAll(Queries.Each(axes.Count, k => k), k => k != column && k != rowAxis);
        if (outer.Length > MostOuter) throw new UnsupportedModelException($"a walk over {axes.Count} separate axes; at most {MostOuter + 2} are served");
        outerDims = outer.Select(axes.Dim);
        outerStrides = Queries.Each(outer.Length * operands, i => axes.Stride(outer[i / operands], i % operands));
        columnChunk = Math.Min(columns, widest);
        rowChunk = Math.Min(rows, Math.Max((Elements / Math.Max(columnChunk, 1)) & ~15L, 16));
        rowChunks = rowChunk == 0 ? 0 : (rows + rowChunk - 1) / rowChunk;
        columnChunks = columnChunk == 0 ? 0 : (columns + columnChunk - 1) / columnChunk;
        var rectangles = rowChunks * columnChunks;
        foreach (var d in outerDims) rectangles *= d;
        split = new Split(rectangles, Math.Max(rowChunk * columnChunk, 1) * Math.Max(weight, 1));
    }

    /// <summary>Tasks of the whole walk.</summary>
    public int Tasks => split.Tasks;

    /// <summary>Distance of an operand from row to row, in bytes.</summary>
    public long RowStride(int operand) => rowStrides[operand];

    /// <summary>Distance of an operand from column to column, in bytes.</summary>
    public long ColumnStride(int operand) => columnStrides[operand];

    /// <summary>Columns of the whole walk.</summary>
    public long Columns => columns;

    /// <summary>Where a walk stands.</summary>
    public struct Cursor
    {
        /// <summary>Rows of the rectangle.</summary>
        public long Rows;
        /// <summary>Columns of the rectangle.</summary>
        public long Columns;
        /// <summary>Byte offsets of the operands.</summary>
        public fixed long Offset[MostOperands];
        internal fixed long Base[MostOperands];
        internal fixed long Index[MostOuter];
        internal long RowAt;
        internal long ColumnAt;
        internal long Left;
    }

    /// <summary>Sets the cursor before the first rectangle of a range of tasks.</summary>
    [MethodImpl(HotCode.Optimized)]
    public void Begin(Cursor* cursor, int firstTask, int endTask)
    {
        var (first, end) = (split.Start(firstTask), split.Start(endTask));
        cursor->Left = end - first;
        if (cursor->Left <= 0) return;
        var rest = first / columnChunks;
        cursor->ColumnAt = first % columnChunks;
        var place = rest / rowChunks;
        cursor->RowAt = rest % rowChunks;
        for (var p = 0; p < MostOperands; p++) cursor->Base[p] = 0;
        for (var k = outerDims.Length - 1; k >= 0; k--)
        {
            var i = place % outerDims[k];
            place /= outerDims[k];
            cursor->Index[k] = i;
            for (var p = 0; p < operands; p++) cursor->Base[p] += i * outerStrides[k * operands + p];
        }
    }

    /// <summary>Steps to the next rectangle; false when there is none.</summary>
    [MethodImpl(HotCode.Optimized)]
    public bool Next(Cursor* cursor)
    {
        if (cursor->Left <= 0) return false;
        cursor->Left--;
        var (r, c) = (cursor->RowAt * rowChunk, cursor->ColumnAt * columnChunk);
        cursor->Rows = Math.Min(rowChunk, rows - r);
        cursor->Columns = Math.Min(columnChunk, columns - c);
        for (var p = 0; p < operands; p++) cursor->Offset[p] = cursor->Base[p] + r * rowStrides[p] + c * columnStrides[p];
        if (++cursor->ColumnAt < columnChunks) return true;
        cursor->ColumnAt = 0;
        if (++cursor->RowAt < rowChunks) return true;
        cursor->RowAt = 0;
        for (var k = outerDims.Length - 1; k >= 0; k--)
        {
            for (var p = 0; p < operands; p++) cursor->Base[p] += outerStrides[k * operands + p];
            if (++cursor->Index[k] < outerDims[k]) break;
            cursor->Index[k] = 0;
            for (var p = 0; p < operands; p++) cursor->Base[p] -= outerDims[k] * outerStrides[k * operands + p];
        }
        return true;
    }
}
