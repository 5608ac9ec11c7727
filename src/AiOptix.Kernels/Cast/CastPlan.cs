using System.Runtime.CompilerServices;
using AiOptix.Kernels.Loops;
using AiOptix.Tensors;

namespace AiOptix.Kernels.Cast;

/// <summary>
/// A conversion of dense elements, made ready. Floats round to nearest even; floats become integers by cutting the fraction off, as the nearest
/// int64 or int32 (NaN gives 0), narrower types keep the low bits of the int64; integers keep their low bits. Immutable.
/// </summary>
public sealed unsafe class CastPlan
{
    private readonly int fromSize;
    private readonly int toSize;
    private readonly Split split;

    /// <summary>Plans the conversion of <paramref name="count"/> elements; <paramref name="row"/> forces a row of the table.</summary>
    /// <exception cref="UnsupportedModelException">No kernel converts between the two types.</exception>
    public CastPlan(DType from, DType to, long count, CastKernel? row = null)
    {
        Kernel = row ?? CastTable.Select(from, to) ?? throw new UnsupportedModelException($"no kernel converts {from.Name()} to {to.Name()}");
        (fromSize, toSize) = (from.Bits() / 8, to.Bits() / 8);
        split = new Split(count, 1, 64);
    }

    /// <summary>The chosen row.</summary>
    public CastKernel Kernel { get; }

    /// <summary>Tasks; any cut of them into ranges gives the same bytes.</summary>
    public int Tasks => split.Tasks;

    /// <summary>Scratch bytes a worker needs: none.</summary>
    public long ScratchBytes => 0;

    /// <summary>Runs tasks <paramref name="firstTask"/> up to <paramref name="endTask"/>.</summary>
    [MethodImpl(HotCode.Optimized)]
    public void Run(byte* x, byte* y, int firstTask, int endTask)
    {
        var (first, end) = (split.Start(firstTask), split.Start(endTask));
        if (first < end) Kernel.Run(x + first * fromSize, y + first * toSize, end - first);
    }

    /// <summary>Rehearses a row: runs it over a few elements, so that its code is compiled before a run needs it.</summary>
    public static void Rehearse(CastKernel row)
    {
        using var memory = new RehearsalMemory();
        var plan = new CastPlan(row.From, row.To, RehearsalMemory.Row, row);
        plan.Run(memory.Bytes(RehearsalMemory.Row * sizeof(double)), memory.Bytes(RehearsalMemory.Row * sizeof(double)), 0, plan.Tasks);
    }
}
