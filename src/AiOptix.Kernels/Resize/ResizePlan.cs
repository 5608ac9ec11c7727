using System.Runtime.CompilerServices;
using AiOptix.Kernels.Loops;
using AiOptix.Tensors;

namespace AiOptix.Kernels.Resize;

/// <summary>A resize of float32, made ready. Immutable.</summary>
public sealed unsafe class ResizePlan
{
    private readonly ResizeDescriptor shape;
    private readonly Split split;
    private readonly long lineFloats;
    private readonly int lines;
    private readonly bool picksColumns;

    /// <summary>Plans the operation; <paramref name="row"/> forces a row of the table.</summary>
    public ResizePlan(ResizeDescriptor descriptor, Target target, ResizeKernel? row = null)
    {
        shape = descriptor;
        Kernel = row ?? ResizeTable.Select(target);
        lines = Math.Max(1, descriptor.Rows.Taps);
        picksColumns = descriptor.Columns.Taps == 1 && descriptor.Columns.Weights.All(w => w == 1);
        lineFloats = descriptor.Columns.Output * descriptor.Inner;
        var rows = lineFloats == 0 ? 0 : descriptor.Outer * descriptor.Rows.Output;
        split = new Split(rows, lineFloats * (lines + descriptor.Columns.Taps));
    }

    /// <summary>The chosen row.</summary>
    public ResizeKernel Kernel { get; }

    /// <summary>Tasks; any cut of them into ranges gives the same bits.</summary>
    public int Tasks => split.Tasks;

    /// <summary>Scratch bytes a worker needs.</summary>
    public long ScratchBytes => lines * (sizeof(long) + lineFloats * sizeof(double));

    /// <summary>Runs tasks <paramref name="firstTask"/> up to <paramref name="endTask"/>; the result must not overlap the argument.</summary>
    [MethodImpl(HotCode.Optimized)]
    public void Run(float* x, float* y, int firstTask, int endTask, byte* scratch)
    {
        var (first, end) = (split.Start(firstTask), split.Start(endTask));
        if (first >= end) return;
        fixed (int* rowPositions = shape.Rows.Positions, columnPositions = shape.Columns.Positions)
        fixed (double* rowWeights = shape.Rows.Weights, columnWeights = shape.Columns.Weights)
        {
            var work = new ResizeWork
            {
                X = x,
                Y = y,
                InputRows = shape.Rows.Input,
                OutputRows = shape.Rows.Output,
                RowTaps = shape.Rows.Taps,
                InputColumns = shape.Columns.Input,
                OutputColumns = shape.Columns.Output,
                ColumnTaps = shape.Columns.Taps,
                Inner = shape.Inner,
                PicksColumns = picksColumns,
                RowPositions = rowPositions,
                ColumnPositions = columnPositions,
                RowWeights = rowWeights,
                ColumnWeights = columnWeights,
                Tags = (long*)scratch,
                Lines = (double*)(scratch + lines * sizeof(long)),
            };
            Kernel.Rows(&work, first, end);
        }
    }

    /// <summary>Rehearses a row: resizes a few elements by every number of taps, so that its code is compiled before a run needs it.</summary>
    public static void Rehearse(ResizeKernel row)
    {
        using var memory = new RehearsalMemory();
        const int n = RehearsalMemory.Row;
        foreach (var taps in new[] { 0, 1, 2, 3 })
            foreach (var inner in new[] { 1, 2, 8 })
                foreach (var weight in new[] { 1.0, 0.5 })
                {
                    var axis = taps == 0 ? ResizeTaps.Identity(n) : new ResizeTaps(n, n, taps, new int[n * taps], Queries.Each(n * taps, _ => weight));
                    var plan = new ResizePlan(new(1, axis with { Output = 2 }, axis, inner), HostTarget.Current, row);
                    plan.Run(memory.Floats(n * n * inner), memory.Floats(n * n * inner), 0, plan.Tasks, memory.Bytes(plan.ScratchBytes));
                }
    }
}
