using System.Runtime.CompilerServices;
using AiOptix.Kernels.Loops;

namespace AiOptix.Kernels.Resize;

/// <summary>A resize whose results are elements of the argument, of any size: rows and columns are picked. Immutable.</summary>
public sealed unsafe class PickPlan
{
    private readonly ResizeDescriptor shape;
    private readonly Split split;
    private readonly long pixelBytes;

    /// <summary>Plans it for elements of some bytes; the descriptor must be one that <see cref="Suits"/>.</summary>
    public PickPlan(ResizeDescriptor descriptor, int elementSize)
    {
        shape = descriptor;
        pixelBytes = descriptor.Inner * elementSize;
        var lineBytes = descriptor.Columns.Output * pixelBytes;
        split = new Split(lineBytes == 0 ? 0 : descriptor.Outer * descriptor.Rows.Output, lineBytes);
    }

    /// <summary>Tasks; any cut of them into ranges gives the same bytes.</summary>
    public int Tasks => split.Tasks;

    /// <summary>True when every output position is one input position.</summary>
    public static bool Suits(ResizeDescriptor descriptor) => Picks(descriptor.Rows) && Picks(descriptor.Columns);

    /// <summary>Runs tasks <paramref name="firstTask"/> up to <paramref name="endTask"/>; the result must not overlap the argument.</summary>
    [MethodImpl(HotCode.Optimized)]
    public void Run(byte* x, byte* y, int firstTask, int endTask)
    {
        int rows = shape.Rows.Output, columns = shape.Columns.Output;
        var lineBytes = shape.Columns.Input * pixelBytes;
        fixed (int* rowPositions = shape.Rows.Positions, columnPositions = shape.Columns.Positions)
            for (long line = split.Start(firstTask), end = split.Start(endTask); line < end; line++)
            {
                var row = (int)(line % rows);
                var from = x + (line / rows * shape.Rows.Input + (rowPositions == null ? row : rowPositions[row])) * lineBytes;
                var to = y + line * columns * pixelBytes;
                if (columnPositions == null) Buffer.MemoryCopy(from, to, lineBytes, lineBytes);
                else if (pixelBytes == 1)
                    for (var c = 0; c < columns; c++) to[c] = from[columnPositions[c]];
                else
                    for (var c = 0; c < columns; c++) Buffer.MemoryCopy(from + columnPositions[c] * pixelBytes, to + c * pixelBytes, pixelBytes, pixelBytes);
            }
    }

    /// <summary>Makes its code ready.</summary>
    public static void Rehearse()
    {
        using var memory = new RehearsalMemory();
        foreach (var inner in new[] { 1, 3 })
            foreach (var columns in new[] { ResizeTaps.Identity(2), new ResizeTaps(2, 2, 1, [0, 1], [1, 1]) })
            {
                var plan = new PickPlan(new(1, columns, columns, inner), 1);
                plan.Run(memory.Bytes(16), memory.Bytes(16), 0, plan.Tasks);
            }
    }

    private static bool Picks(ResizeTaps taps) => taps.IsIdentity || taps.Taps == 1 && taps.Weights.All(w => w == 1);
}
