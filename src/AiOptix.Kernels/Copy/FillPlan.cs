using System.Runtime.CompilerServices;
using AiOptix.Kernels.Loops;

namespace AiOptix.Kernels.Copy;

/// <summary>Fills adjacent elements with one value: the constant of Pad and ConstantOfShape.</summary>
public sealed unsafe class FillPlan
{
    private readonly int elementSize;
    private readonly Split split;

    /// <summary>Plans a fill of <paramref name="count"/> elements of <paramref name="elementSize"/> bytes (1, 2, 4, 8 or 16).</summary>
    public FillPlan(int elementSize, long count)
    {
        this.elementSize = elementSize;
        split = new Split(count, Math.Max(elementSize / 4, 1), 64);
    }

    /// <summary>Tasks; any cut of them into ranges gives the same bytes.</summary>
    public int Tasks => split.Tasks;

    /// <summary>Scratch bytes a worker needs: none.</summary>
    public long ScratchBytes => 0;

    /// <summary>Runs tasks <paramref name="firstTask"/> up to <paramref name="endTask"/>; <paramref name="value"/> points to one element.</summary>
    [MethodImpl(HotCode.Optimized)]
    public void Run(byte* value, byte* target, int firstTask, int endTask)
    {
        var (first, end) = (split.Start(firstTask), split.Start(endTask));
        target += first * elementSize;
        switch (elementSize)
        {
            case 1: CopyLoops.FillRow(target, *value, end - first); break;
            case 2: CopyLoops.FillRow(target, Unsafe.ReadUnaligned<ushort>(value), end - first); break;
            case 4: CopyLoops.FillRow(target, Unsafe.ReadUnaligned<uint>(value), end - first); break;
            case 8: CopyLoops.FillRow(target, Unsafe.ReadUnaligned<ulong>(value), end - first); break;
            case 16: CopyLoops.FillRow(target, Unsafe.ReadUnaligned<SixteenBytes>(value), end - first); break;
        }
    }

    /// <summary>Rehearses the code for an element size: runs it over a few elements, so that it is compiled before a run needs it.</summary>
    public static void Rehearse(int elementSize)
    {
        using var memory = new RehearsalMemory();
        var plan = new FillPlan(elementSize, RehearsalMemory.Row);
        plan.Run(memory.Bytes(elementSize), memory.Bytes(RehearsalMemory.Row * elementSize), 0, plan.Tasks);
    }
}
