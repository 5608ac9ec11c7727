using System.Runtime.CompilerServices;
using AiOptix.Kernels.Loops;

namespace AiOptix.Kernels.Rotary;

/// <summary>What rotary positions work on: X and Y dense, [batch, heads, length, size] or [batch, length, heads, size].</summary>
/// <param name="Batch">Batch.</param>
/// <param name="Heads">Heads.</param>
/// <param name="Length">Positions.</param>
/// <param name="Size">Elements of a head.</param>
/// <param name="Turned">How many of them are turned, an even number; the rest is copied.</param>
/// <param name="IsHeadMajor">Heads stand before positions.</param>
public readonly record struct RotaryShape(int Batch, int Heads, int Length, int Size, int Turned, bool IsHeadMajor);

/// <summary>The operands of one run; no alignment is needed.</summary>
public unsafe struct RotaryCall
{
    /// <summary>The input.</summary>
    public float* X;
    /// <summary>Rows of Turned / 2 cosines.</summary>
    public float* Cosines;
    /// <summary>Rows of Turned / 2 sines.</summary>
    public float* Sines;
    /// <summary>The row of each batch entry and position; null when there is a row for each in that order.</summary>
    public long* Positions;
    /// <summary>How many rows there are; positions outside leave their place alone.</summary>
    public long Rows;
    /// <summary>The output.</summary>
    public float* Y;
}

/// <summary>Rotary positions made ready for one shape: (p, q) becomes (cos · p − sin · q, sin · p + cos · q), every product and sum rounded. Immutable.</summary>
public sealed unsafe class RotaryPlan
{
    private readonly RotaryShape shape;
    private readonly Split split;

    /// <summary>Plans it.</summary>
    public RotaryPlan(RotaryShape shape, RotaryKernel row)
    {
        this.shape = shape;
        Kernel = row;
        split = new((long)shape.Batch * shape.Heads * shape.Length, shape.Size);
    }

    /// <summary>The chosen row.</summary>
    public RotaryKernel Kernel { get; }

    /// <summary>Tasks; any cut of them into ranges gives the same bits.</summary>
    public int Tasks => split.Tasks;

    /// <summary>Runs tasks <paramref name="firstTask"/> up to <paramref name="endTask"/>.</summary>
    [MethodImpl(HotCode.Optimized)]
    public void Run(in RotaryCall call, int firstTask, int endTask)
    {
        var half = shape.Turned / 2;
        for (var item = split.Start(firstTask); item < split.Start(endTask); item++)
        {
            var batch = item / shape.Heads / shape.Length;
            var place = batch * shape.Length + (shape.IsHeadMajor ? item % shape.Length : item / shape.Heads % shape.Length);
            var row = call.Positions == null ? place : call.Positions[place];
            if ((ulong)row >= (ulong)call.Rows) continue;
            var (x, y) = ((nint)(call.X + item * shape.Size), (nint)(call.Y + item * shape.Size));
            Kernel.Run((float*)x, call.Cosines + row * half, call.Sines + row * half, (float*)y, half);
            for (var i = shape.Turned; i < shape.Size; i++) ((float*)y)[i] = ((float*)x)[i];
        }
    }

    /// <summary>Rehearses a row, so that its code is compiled before a run needs it.</summary>
    public static void Rehearse(RotaryKernel row)
    {
        using var memory = new RehearsalMemory();
        var plan = new RotaryPlan(new(1, 2, 2, 2 * RehearsalMemory.Row + 1, 2 * RehearsalMemory.Row, true), row);
        var half = memory.Floats(2 * RehearsalMemory.Row);
        plan.Run(new RotaryCall { X = memory.Floats(12 * RehearsalMemory.Row), Cosines = half, Sines = half, Rows = 2, Y = memory.Floats(12 * RehearsalMemory.Row) }, 0, plan.Tasks);
    }
}
