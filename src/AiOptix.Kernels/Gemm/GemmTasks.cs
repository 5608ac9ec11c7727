using System.Runtime.CompilerServices;

namespace AiOptix.Kernels.Gemm;

/// <summary>A product's shares of work: rectangles of C, batch after batch, in each of them column after column.</summary>
internal readonly struct GemmTasks
{
    private readonly int m, n, batch2, rowsATask, columnsATask, rowTasks, tasksABatch;

    /// <summary>Cuts a product.</summary>
    public GemmTasks(in GemmShape shape, in GemmSplit split)
    {
        (m, n, batch2, rowsATask, columnsATask) = (shape.M, shape.N, shape.Batch2, split.RowsATask, split.ColumnsATask);
        rowTasks = (m + rowsATask - 1) / rowsATask;
        tasksABatch = checked(rowTasks * ((n + columnsATask - 1) / columnsATask));
        Count = checked(tasksABatch * shape.Batch);
    }

    /// <summary>How many there are; 0 when C is empty.</summary>
    public int Count { get; }

    /// <summary>The next one of a range: from the first on, or from the last on where the call goes backwards.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public GemmPart At(int next, int first, int end, bool backwards) => At(backwards ? first + end - 1 - next : next);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private GemmPart At(int task)
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
