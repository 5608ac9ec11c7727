using System.Runtime.CompilerServices;
using AiOptix.Kernels.Loops;

namespace AiOptix.Kernels.Reduce;

/// <summary>The contract of ArgMax and ArgMin over floats: a dense [outer, length, inner] tensor to [outer, inner] positions. NaN counts as the extreme.</summary>
/// <param name="Min">True for ArgMin.</param>
/// <param name="Last">True to take the last of equal extremes instead of the first.</param>
/// <param name="Outer">Product of the sizes before the axis.</param>
/// <param name="Length">Size of the axis, at least 1.</param>
/// <param name="Inner">Product of the sizes after the axis.</param>
public sealed record ArgReduceDescriptor(bool Min, bool Last, long Outer, long Length, long Inner);

/// <summary>ArgMax or ArgMin, made ready: one scalar walk along the axis that keeps the extremes of a stretch of inner positions. Immutable.</summary>
public sealed unsafe class ArgReducePlan
{
    private const int Stretch = 64;

    private readonly ArgReduceDescriptor shape;
    private readonly Split split;

    /// <summary>Plans the operation.</summary>
    public ArgReducePlan(ArgReduceDescriptor descriptor)
    {
        shape = descriptor;
        split = new Split(descriptor.Outer * descriptor.Inner, descriptor.Length * 2, descriptor.Inner == 1 ? 1 : Stretch);
    }

    /// <summary>Tasks; any cut of them into ranges gives the same positions.</summary>
    public int Tasks => split.Tasks;

    /// <summary>Scratch bytes a worker needs: none.</summary>
    public long ScratchBytes => 0;

    /// <summary>Runs tasks <paramref name="firstTask"/> up to <paramref name="endTask"/>.</summary>
    [MethodImpl(HotCode.Optimized)]
    public void Run(float* x, long* y, int firstTask, int endTask)
    {
        var (first, end) = (split.Start(firstTask), split.Start(endTask));
        var best = stackalloc float[Stretch];
        for (var o = first; o < end;)
        {
            var outer = o / shape.Inner;
            var at = o - outer * shape.Inner;
            var n = (int)Math.Min(Math.Min(shape.Inner - at, end - o), Stretch);
            var p = x + outer * shape.Length * shape.Inner + at;
            for (var c = 0; c < n; c++)
            {
                best[c] = p[c];
                y[o + c] = 0;
            }
            for (long i = 1; i < shape.Length; i++)
            {
                p += shape.Inner;
                for (var c = 0; c < n; c++)
                    if (Better(p[c], best[c]))
                    {
                        best[c] = p[c];
                        y[o + c] = i;
                    }
            }
            o += n;
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private bool Better(float value, float best)
    {
        if (float.IsNaN(best)) return shape.Last && float.IsNaN(value);
        if (float.IsNaN(value)) return true;
        return (shape.Min ? value < best : value > best) || (shape.Last && value == best);
    }

    /// <summary>Runs the code over a few elements, so that it is compiled before a run needs it.</summary>
    public static void Rehearse()
    {
        using var memory = new RehearsalMemory();
        var plan = new ArgReducePlan(new(Min: false, Last: false, 1, RehearsalMemory.Row, 2));
        plan.Run(memory.Floats(2 * RehearsalMemory.Row), (long*)memory.Bytes(2 * sizeof(long)), 0, plan.Tasks);
    }
}
