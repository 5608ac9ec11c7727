using System.Runtime.CompilerServices;
using AiOptix.Kernels.Loops;
using AiOptix.Tensors;

namespace AiOptix.Kernels.Elementwise;

/// <summary>A binary operation with broadcasting, made ready. Immutable.</summary>
public sealed unsafe class BinaryPlan
{
    private readonly RectangleGrid grid;

    /// <summary>Plans the operation; <paramref name="row"/> forces a row of the table.</summary>
    /// <exception cref="UnsupportedModelException">The function has no kernel for this type.</exception>
    public BinaryPlan(BinaryDescriptor descriptor, Target target, BinaryKernel? row = null)
    {
        Kernel = row ?? BinaryTable.Select(descriptor.Kind, descriptor.Type, target)
            ?? throw new UnsupportedModelException($"no kernel for {descriptor.Kind} of {descriptor.Type.Name()}");
        var size = descriptor.Type.Bits() / 8;
        var axes = AxisList.Broadcast(descriptor.Dims, descriptor.Compares ? 1 : size, (descriptor.AStrides, size), (descriptor.BStrides, size));
        grid = new RectangleGrid(axes, weight: descriptor.Kind is BinaryKind.Pow or BinaryKind.Mod or BinaryKind.FMod ? 16 : 1);
    }

    /// <summary>The chosen row.</summary>
    public BinaryKernel Kernel { get; }

    /// <summary>Tasks; any cut of them into ranges gives the same bytes.</summary>
    public int Tasks => grid.Tasks;

    /// <summary>Scratch bytes a worker needs: none.</summary>
    public long ScratchBytes => 0;

    /// <summary>
    /// Runs tasks <paramref name="firstTask"/> up to <paramref name="endTask"/>. The result may be an argument of the same element size that is
    /// dense over the result's sizes.
    /// </summary>
    [MethodImpl(HotCode.Optimized)]
    public void Run(byte* a, byte* b, byte* y, int firstTask, int endTask)
    {
        RectangleGrid.Cursor cursor;
        var tile = new BinaryTile
        {
            ARow = grid.RowStride(0), AColumn = grid.ColumnStride(0), BRow = grid.RowStride(1), BColumn = grid.ColumnStride(1), YRow = grid.RowStride(2),
        };
        var kernel = Kernel.Run;
        grid.Begin(&cursor, firstTask, endTask);
        while (grid.Next(&cursor))
        {
            tile.Rows = cursor.Rows;
            tile.Columns = cursor.Columns;
            kernel(a + cursor.Offset[0], b + cursor.Offset[1], y + cursor.Offset[2], &tile);
        }
    }

    /// <summary>Rehearses a row: runs it over a few elements in every layout, so that its code is compiled before a run needs it.</summary>
    public static void Rehearse(BinaryKernel row)
    {
        using var memory = new RehearsalMemory();
        const int rows = 3, columns = RehearsalMemory.Row;
        var (a, b, y) = ((nint)memory.Bytes(rows * columns * sizeof(double)), (nint)memory.Bytes(rows * columns * sizeof(double)), (nint)memory.Bytes(rows * columns * sizeof(double)));
        long[][] layouts = [[columns, 1], [1, 0], [1, rows]];
        foreach (var (left, right) in new[] { (0, 0), (0, 1), (1, 0), (2, 2) })
        {
            var plan = new BinaryPlan(new(row.Kind, row.Type, [rows, columns], layouts[left], layouts[right]), HostTarget.Current, row);
            plan.Run((byte*)a, (byte*)b, (byte*)y, 0, plan.Tasks);
        }
    }
}
