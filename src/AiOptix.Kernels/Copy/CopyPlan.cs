using System.Runtime.CompilerServices;
using AiOptix.Kernels.Loops;
using AiOptix.Tensors;

namespace AiOptix.Kernels.Copy;

/// <summary>A strided copy made ready: axes normalised, kernel chosen, cut into tasks by shape. Immutable; may run from several threads at once.</summary>
public sealed unsafe class CopyPlan
{
    private readonly RectangleGrid grid;
    private readonly long sourceOffset;
    private readonly long targetOffset;

    /// <summary>Plans a copy; <paramref name="row"/> forces a row of the table.</summary>
    /// <exception cref="UnsupportedModelException">The element size is not served.</exception>
    public CopyPlan(CopyDescriptor descriptor, Target target, CopyKernel? row = null)
    {
        var size = descriptor.ElementSize;
        var axes = new AxisList(2);
        for (var k = 0; k < descriptor.Dims.Length; k++)
        {
            var (dim, s, t) = (descriptor.Dims[k], descriptor.SourceStrides[k] * size, descriptor.TargetStrides[k] * size);
            if (dim > 1 && t < 0)
            {
                sourceOffset += (dim - 1) * s;
                targetOffset += (dim - 1) * t;
                (s, t) = (-s, -t);
            }
            axes.Add(dim, s, t);
        }
        axes.OrderBy(1);
        axes.Merge();
        if (axes.Count > 1 && axes.Stride(axes.Count - 1, 0) == size && axes.Stride(axes.Count - 1, 1) == size && axes.Dim(axes.Count - 1) * size is 2 or 4 or 8 or 16)
        {
            size *= (int)axes.Dim(axes.Count - 1);
            axes.RemoveInnermost();
        }
        ElementSize = size;
        var column = axes.Count - 1;
        var rowAxis = -1;
        Form = CopyForm.Strided;
        if (column < 0 || (axes.Stride(column, 1) == size && axes.Stride(column, 0) == size)) Form = CopyForm.Runs;
        else if (axes.Stride(column, 1) == size && axes.Stride(column, 0) == 0) Form = CopyForm.Fill;
        else if (axes.Stride(column, 1) == size && (rowAxis = Array.FindLastIndex(Queries.Each(column, k => axes.Stride(k, 0)), s => s == size)) >= 0) Form = CopyForm.Transpose;
        grid = new RectangleGrid(axes, rowAxis, Form == CopyForm.Transpose ? 1024 : 16 << 10, Math.Max(size / 4, 1));
        Kernel = row ?? CopyTable.Select(Form, size, target);
    }

    /// <summary>The chosen row.</summary>
    public CopyKernel Kernel { get; }

    /// <summary>What the innermost axes look like.</summary>
    public CopyForm Form { get; }

    /// <summary>Bytes of the element that moves, after short runs were widened to one element of up to 16 bytes.</summary>
    public int ElementSize { get; }

    /// <summary>Tasks; any cut of them into ranges gives the same bytes.</summary>
    public int Tasks => grid.Tasks;

    /// <summary>Scratch bytes a worker needs: none.</summary>
    public long ScratchBytes => 0;

    /// <summary>Runs tasks <paramref name="firstTask"/> up to <paramref name="endTask"/>. The pointers name the elements at index 0 of every axis.</summary>
    [MethodImpl(HotCode.Optimized)]
    public void Run(byte* source, byte* target, int firstTask, int endTask)
    {
        RectangleGrid.Cursor cursor;
        source += sourceOffset;
        target += targetOffset;
        var tile = new CopyTile
        {
            SourceRow = grid.RowStride(0),
            SourceColumn = grid.ColumnStride(0),
            TargetRow = grid.RowStride(1),
            TargetColumn = grid.ColumnStride(1),
            ElementSize = ElementSize,
        };
        var kernel = Kernel.Run;
        grid.Begin(&cursor, firstTask, endTask);
        while (grid.Next(&cursor))
        {
            tile.Rows = cursor.Rows;
            tile.Columns = cursor.Columns;
            kernel(source + cursor.Offset[0], target + cursor.Offset[1], &tile);
        }
    }

    /// <summary>Rehearses a form of copies: runs it over a few elements, so that its code is compiled before a run needs it.</summary>
    /// <param name="form">The form.</param>
    /// <param name="elementSize">Bytes of an element.</param>
    /// <param name="shortRuns">True when runs of 16 bytes or less may be adjacent, which move as one wider element.</param>
    /// <param name="target">The machine.</param>
    public static void Rehearse(CopyForm form, int elementSize, bool shortRuns, Target target)
    {
        const int rows = 21, columns = RehearsalMemory.Row;
        long[] strides = form switch
        {
            CopyForm.Runs => [2 * columns, 1],
            CopyForm.Fill => [1, 0],
            CopyForm.Transpose => [1, rows],
            _ => [2 * columns, 2],
        };
        for (var size = elementSize; size <= 16; size *= 2)
        {
            using var memory = new RehearsalMemory();
            var plan = new CopyPlan(new(size, [rows, columns], strides, [columns, 1]), target);
            plan.Run(memory.Bytes(2 * rows * columns * size), memory.Bytes(rows * columns * size), 0, plan.Tasks);
            if (!shortRuns || form == CopyForm.Runs) break;
        }
    }
}
