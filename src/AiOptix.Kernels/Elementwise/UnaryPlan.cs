using System.Runtime.CompilerServices;
using AiOptix.Kernels.Loops;
using AiOptix.Kernels.Vectors;
using AiOptix.Tensors;

namespace AiOptix.Kernels.Elementwise;

/// <summary>A unary function over dense elements, made ready. Immutable.</summary>
public sealed unsafe class UnaryPlan
{
    private readonly ActivationArgs args;
    private readonly Split split;
    private readonly int size;

    /// <summary>Plans the function over <paramref name="count"/> elements; <paramref name="row"/> forces a row of the table.</summary>
    /// <exception cref="UnsupportedModelException">The function has no kernel for this type.</exception>
    public UnaryPlan(UnaryKind kind, DType type, ActivationArgs args, long count, Target target, UnaryKernel? row = null)
    {
        Kernel = row ?? UnaryTable.Select(kind, type, target) ?? throw new UnsupportedModelException($"no kernel for {kind} of {type.Name()}");
        this.args = args;
        size = type.Bits() / 8;
        split = new Split(count, kind >= UnaryKind.Sin && type == DType.Float32 ? 16 : kind is UnaryKind.None or UnaryKind.Relu or UnaryKind.Abs ? 1 : 2, 64);
    }

    /// <summary>The chosen row.</summary>
    public UnaryKernel Kernel { get; }

    /// <summary>Tasks; any cut of them into ranges gives the same bytes.</summary>
    public int Tasks => split.Tasks;

    /// <summary>Scratch bytes a worker needs: none.</summary>
    public long ScratchBytes => 0;

    /// <summary>Runs tasks <paramref name="firstTask"/> up to <paramref name="endTask"/>; the result may be the argument.</summary>
    [MethodImpl(HotCode.Optimized)]
    public void Run(byte* x, byte* y, int firstTask, int endTask)
    {
        var (first, end) = (split.Start(firstTask), split.Start(endTask));
        var a = args;
        if (first < end) Kernel.Run(x + first * size, y + first * size, end - first, &a);
    }

    /// <summary>Rehearses a row: runs it over a few elements, so that its code is compiled before a run needs it.</summary>
    public static void Rehearse(UnaryKernel row)
    {
        using var memory = new RehearsalMemory();
        var plan = new UnaryPlan(row.Kind, row.Type, default, RehearsalMemory.Row, HostTarget.Current, row);
        plan.Run(memory.Bytes(RehearsalMemory.Row * sizeof(double)), memory.Bytes(RehearsalMemory.Row * sizeof(double)), 0, plan.Tasks);
    }
}
