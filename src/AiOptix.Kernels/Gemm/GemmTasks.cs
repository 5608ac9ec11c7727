using System.Runtime.CompilerServices;

namespace AiOptix.Kernels.Gemm;

/// <summary>A product's shares of work: rectangles of C, batch after batch, in each of them column after column.</summary>
internal readonly struct GemmTasks(in GemmShape shape, in GemmSplit split)
{
    private readonly int m = shape.M, n = shape.N, batch2 = shape.Batch2, rowsATask = split.RowsATask, columnsATask = split.ColumnsATask;
    private readonly int rowTasks = (shape.M + split.RowsATask - 1) / split.RowsATask;
    private readonly int tasksABatch = (shape.M + split.RowsATask - 1) / split.RowsATask * ((shape.N + split.ColumnsATask - 1) / split.ColumnsATask);

    /// <summary>How many there are; 0 when C is empty.</summary>
    public int Count { get; } = checked((shape.M + split.RowsATask - 1) / split.RowsATask * ((shape.N + split.ColumnsATask - 1) / split.ColumnsATask) * shape.Batch);

    /// <summary>One of them.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public GemmPart At(int task)
    {
        // Divisions would be a good part of a small product.
        int batch = task == 0 ? 0 : task / tasksABatch, inBatch = task - batch * tasksABatch;
        int columnTask = inBatch == 0 ? 0 : inBatch / rowTasks, rowTask = inBatch - columnTask * rowTasks;
        int outer = batch == 0 ? 0 : batch / batch2, inner = batch - outer * batch2;
        int row = rowTask * rowsATask, column = columnTask * columnsATask;
        return new(row, Math.Min(m, row + rowsATask), column, Math.Min(n, column + columnsATask), outer, inner);
    }
}

/// <summary>What one task computes: rows and columns from the first to the one behind the last, of the product at an index of each batch dimension.</summary>
internal readonly record struct GemmPart(int Row0, int Row1, int Column0, int Column1, int Outer, int Inner);
