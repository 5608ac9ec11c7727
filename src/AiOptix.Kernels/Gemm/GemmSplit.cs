using AiOptix.Tensors;

namespace AiOptix.Kernels.Gemm;

/// <summary>How a product is cut: K blocks for the caches, rectangles of C for the workers. A function of shape, kernel and caches only.</summary>
/// <param name="Kc">Steps of a K block.</param>
/// <param name="RowsATask">Rows of C a task, a multiple of the tile height where A comes in panels of it.</param>
/// <param name="ColumnsATask">Columns of C a task, a multiple of the tile width.</param>
internal readonly record struct GemmSplit(int Kc, int RowsATask, int ColumnsATask)
{
    private const double OperationsATask = 1e6;
    private const double BytesATask = 256 << 10;
    private const int EnoughTasks = 16;
    private const int EnoughRepeatingTasks = 4;
    private const int FewestPanels = 3;
    private const int FewestStrips = 10;

    /// <summary>Cuts a product whose operands are packed or not as the shape says.</summary>
    public static GemmSplit Of(in GemmShape shape, GemmKernel kernel, Target target)
    {
        int mr = kernel.Mr, nr = kernel.Nr;
        // A panel of A may take half of the first-level cache, a block of B half of the second-level cache. Generated tiles keep up with the second-level one and gain from longer sums;
        // where A comes from further away each time, more columns share its way.
        var panelBytes = sizeof(float) * (double)shape.M * shape.K > 3 * target.L2Bytes ? target.L2Bytes / 15 : target.L2Bytes / 10;
        var most = Math.Max(32, (kernel.Generated is null ? target.L1Bytes / 2 / (mr * sizeof(float)) : panelBytes / (nr * sizeof(float))) & ~31);
        var blocks = Math.Max(1, (shape.K + most - 1) / most);
        var kc = Math.Max(8, ((shape.K + blocks - 1) / blocks + 7) & ~7);
        int rows = Math.Max(1, (shape.M + mr - 1) / mr), columns = Math.Max(1, (shape.N + nr - 1) / nr);
        var r = rows;
        var c = Math.Min(columns, Math.Max(1, target.L2Bytes / 2 / (kc * nr * sizeof(float))));

        var work = 2.0 * shape.M * shape.N * shape.K * shape.Batch / OperationsATask;
        var bytes = sizeof(float) * ((double)shape.M * shape.K + (double)shape.K * shape.N) * shape.Batch / BytesATask;
        var want = Math.Clamp(Math.Max(work, bytes), 1, EnoughTasks);
        // What is packed at run time is packed again by every task that a cut across the other operand makes: such cuts stop early.
        // Where the panels of a task fall out of the second-level cache before the next one of the same columns comes, that one reads them from further away: many rows must share the way.
        var isLong = blocks > 1 && rows > 1 && shape.PackedB && kernel.Generated is not null;
        var fewestColumns = (shape.PackedA || rows > 1) && !isLong ? FewestPanels : 2;
        while (true)
        {
            var tasks = (double)shape.Batch * Parts(rows, r) * Parts(columns, c);
            var fewestRows = !shape.PackedB ? FewestPanels : isLong && (double)c * nr * shape.K * sizeof(float) > target.L2Bytes ? FewestStrips : 2;
            bool canRows = r >= 2 * fewestRows, canColumns = c >= 2 * fewestColumns;
            if (tasks >= want || !(canRows || canColumns)) break;
            var byColumns = shape.PackedA == shape.PackedB ? c * nr >= r * mr : shape.PackedA;
            if (byColumns ? !canColumns : !canRows)
            {
                byColumns = !byColumns;
                if (tasks >= EnoughRepeatingTasks && !isLong && !(byColumns ? shape.PackedA : shape.PackedB)) break;
            }
            if (byColumns) c = (c + 1) / 2;
            else r = (r + 1) / 2;
        }
        r = Parts(rows, Parts(rows, r));
        c = Parts(columns, Parts(columns, c));
        // A single row over B as it lies reads a piece of each of its rows: pieces of some pages.
        if (shape is { M: 1, PackedB: false }) c = Math.Min(columns, Math.Max(c, 1024 / nr));
        // A single row reads panels once, four at a time, and is cut evenly for the sake of a few threads.
        if (shape is { M: 1, PackedB: true })
        {
            var step = columns < 8 ? 1 : columns < 48 ? 4 : 8;
            c = Parts(Parts(columns, (int)Math.Clamp(Math.Ceiling(bytes), 1, EnoughTasks)), step) * step;
        }
        return new(kc, shape.PackedA || kernel.Generated is null ? r * mr : Math.Max(1, Parts(shape.M, Parts(rows, r))), c * nr);
    }

    private static int Parts(int whole, int part) => (whole + part - 1) / part;
}
