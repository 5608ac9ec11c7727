using System.Runtime.CompilerServices;
using AiOptix.Kernels.Loops;
using AiOptix.Tensors;

namespace AiOptix.Kernels.Quantize;

/// <summary>What a quantisation or its reverse works on: elements whose scales and zero points belong to the entries of an axis.</summary>
/// <param name="Count">Elements.</param>
/// <param name="Extent">The extent of the axis; 1 when one scale serves all.</param>
/// <param name="Inner">Elements behind one entry of the axis.</param>
public readonly record struct QuantizeShape(long Count, long Extent, long Inner);

/// <summary>A quantisation of dense elements or its reverse, made ready. Immutable.</summary>
public sealed unsafe class QuantizePlan
{
    private readonly QuantizeShape shape;
    private readonly int fromSize;
    private readonly int toSize;
    private readonly bool signed;
    private readonly Split split;

    /// <summary>Plans it.</summary>
    public QuantizePlan(QuantizeShape shape, QuantizeKernel row)
    {
        this.shape = shape;
        Kernel = row;
        (fromSize, toSize) = (row.From.Bits() / 8, row.To.Bits() / 8);
        signed = row.From == DType.Int8 || row.To == DType.Int8;
        split = new Split(shape.Count, 1, 64);
    }

    /// <summary>The chosen row.</summary>
    public QuantizeKernel Kernel { get; }

    /// <summary>Tasks; any cut of them into ranges gives the same bytes.</summary>
    public int Tasks => split.Tasks;

    /// <summary>Runs tasks <paramref name="firstTask"/> up to <paramref name="endTask"/>. <paramref name="zeros"/> may be null: all are 0.</summary>
    [MethodImpl(HotCode.Optimized)]
    public void Run(byte* x, float* scales, byte* zeros, byte* y, int firstTask, int endTask)
    {
        var (first, end) = (split.Start(firstTask), split.Start(endTask));
        while (first < end)
        {
            var line = first / shape.Inner;
            var stop = shape.Extent == 1 ? end : Math.Min(end, (line + 1) * shape.Inner);
            var entry = shape.Extent == 1 ? 0 : line % shape.Extent;
            var zero = zeros == null ? 0 : signed ? ((sbyte*)zeros)[entry] : zeros[entry];
            Kernel.Run(x + first * fromSize, y + first * toSize, stop - first, scales[entry], zero);
            first = stop;
        }
    }

    /// <summary>Rehearses a row: runs it over a few elements, so that its code is compiled before a run needs it.</summary>
    public static void Rehearse(QuantizeKernel row)
    {
        using var memory = new RehearsalMemory();
        var plan = new QuantizePlan(new(RehearsalMemory.Row, 1, RehearsalMemory.Row), row);
        plan.Run(memory.Bytes(RehearsalMemory.Row * sizeof(double)), (float*)memory.Bytes(sizeof(double)), null, memory.Bytes(RehearsalMemory.Row * sizeof(double)), 0, plan.Tasks);
    }
}
