using System.Runtime.CompilerServices;
using AiOptix.Kernels.Loops;
using AiOptix.Tensors;

namespace AiOptix.Kernels.Norm;

/// <summary>
/// LayerNorm or RMSNorm over the last axes of floats, made ready: y = (s − mean) / √(variance + ε) · scale + bias with s = x + residual +
/// residual bias; RMSNorm takes the mean as 0. Everything optional is a null pointer. Immutable.
/// </summary>
public sealed unsafe class LayerNormPlan
{
    private readonly long length;
    private readonly float epsilon;
    private readonly bool centred;
    private readonly Split split;

    /// <summary>Plans the operation; <paramref name="row"/> forces a row of the table.</summary>
    /// <param name="rows">Rows normalised, each on its own.</param>
    /// <param name="length">Elements of a row.</param>
    /// <param name="epsilon">Added to the variance.</param>
    /// <param name="centred">True for LayerNorm, false for RMSNorm.</param>
    /// <param name="target">The machine.</param>
    /// <param name="row">A row to force.</param>
    public LayerNormPlan(long rows, long length, float epsilon, bool centred, Target target, NormKernel? row = null)
    {
        (this.length, this.epsilon, this.centred) = (length, epsilon, centred);
        Kernel = row ?? NormTable.Select(target);
        split = new Split(length == 0 ? 0 : rows, length * 3);
    }

    /// <summary>The chosen row.</summary>
    public NormKernel Kernel { get; }

    /// <summary>Tasks; any cut of them into ranges gives the same bits.</summary>
    public int Tasks => split.Tasks;

    /// <summary>Scratch bytes a worker needs: none.</summary>
    public long ScratchBytes => 0;

    /// <summary>Runs tasks <paramref name="firstTask"/> up to <paramref name="endTask"/>.</summary>
    [MethodImpl(HotCode.Optimized)]
    public void Run(NormArgs* args, int firstTask, int endTask) => Kernel.Layer(args, split.Start(firstTask), split.Start(endTask), length, epsilon, centred);

    /// <summary>Rehearses a row: normalises a few elements, so that its code is compiled before a run needs it.</summary>
    public static void Rehearse(bool centred, NormKernel row)
    {
        using var memory = new RehearsalMemory();
        const int length = RehearsalMemory.Row;
        var plan = new LayerNormPlan(2, length, 1, centred, HostTarget.Current, row);
        var args = new NormArgs { X = memory.Floats(2 * length), Scale = memory.Floats(length), Bias = memory.Floats(length), Y = memory.Floats(2 * length) };
        plan.Run(&args, 0, plan.Tasks);
        args.Bias = null;
        plan.Run(&args, 0, plan.Tasks);
    }
}

/// <summary>
/// GroupNorm over a dense [batch, channels, spatial] float tensor, made ready; InstanceNorm is as many groups as channels. Uses X, Y, Scale and
/// Bias (both [channels]) of <see cref="NormArgs"/>. Immutable.
/// </summary>
public sealed unsafe class GroupNormPlan
{
    private readonly long groups;
    private readonly long channels;
    private readonly long spatial;
    private readonly float epsilon;
    private readonly Split split;

    /// <summary>Plans the operation; <paramref name="row"/> forces a row of the table.</summary>
    public GroupNormPlan(long batch, long channels, long groups, long spatial, float epsilon, Target target, NormKernel? row = null)
    {
        (this.groups, this.channels, this.spatial, this.epsilon) = (groups, channels / groups, spatial, epsilon);
        Kernel = row ?? NormTable.Select(target);
        split = new Split(spatial == 0 ? 0 : batch * groups, this.channels * spatial * 3);
    }

    /// <summary>The chosen row.</summary>
    public NormKernel Kernel { get; }

    /// <summary>Tasks; any cut of them into ranges gives the same bits.</summary>
    public int Tasks => split.Tasks;

    /// <summary>Scratch bytes a worker needs: none.</summary>
    public long ScratchBytes => 0;

    /// <summary>Runs tasks <paramref name="firstTask"/> up to <paramref name="endTask"/>.</summary>
    [MethodImpl(HotCode.Optimized)]
    public void Run(NormArgs* args, int firstTask, int endTask) =>
        Kernel.Group(args, split.Start(firstTask), split.Start(endTask), groups, channels, spatial, epsilon);

    /// <summary>Rehearses a row: normalises a few elements, so that its code is compiled before a run needs it.</summary>
    public static void Rehearse(NormKernel row)
    {
        using var memory = new RehearsalMemory();
        const int channels = 4, spatial = RehearsalMemory.Row;
        var plan = new GroupNormPlan(1, channels, 2, spatial, 1, HostTarget.Current, row);
        var args = new NormArgs { X = memory.Floats(channels * spatial), Scale = memory.Floats(channels), Bias = memory.Floats(channels), Y = memory.Floats(channels * spatial) };
        plan.Run(&args, 0, plan.Tasks);
    }
}

/// <summary>y = x·scale[c] + bias[c] over a dense [outer, channels, inner] float tensor, made ready: BatchNorm with its statistics folded. Immutable.</summary>
public sealed unsafe class ChannelAffinePlan
{
    private readonly long channels;
    private readonly long inner;
    private readonly Split split;

    /// <summary>Plans the operation; <paramref name="row"/> forces a row of the table.</summary>
    public ChannelAffinePlan(long outer, long channels, long inner, Target target, NormKernel? row = null)
    {
        (this.channels, this.inner) = (channels, inner);
        Kernel = row ?? NormTable.Select(target);
        split = inner == 1 ? new Split(channels == 0 ? 0 : outer, channels) : new Split(inner == 0 ? 0 : outer * channels, inner);
    }

    /// <summary>The chosen row.</summary>
    public NormKernel Kernel { get; }

    /// <summary>Tasks; any cut of them into ranges gives the same bits.</summary>
    public int Tasks => split.Tasks;

    /// <summary>Scratch bytes a worker needs: none.</summary>
    public long ScratchBytes => 0;

    /// <summary>Runs tasks <paramref name="firstTask"/> up to <paramref name="endTask"/>; the result may be the argument.</summary>
    [MethodImpl(HotCode.Optimized)]
    public void Run(float* x, float* scale, float* bias, float* y, int firstTask, int endTask)
    {
        var (first, end) = (split.Start(firstTask), split.Start(endTask));
        if (inner == 1)
            for (var r = first; r < end; r++) Kernel.ChannelRow(x + r * channels, scale, bias, y + r * channels, channels);
        else
            for (var r = first; r < end; r++) Kernel.ChannelSpan(x + r * inner, scale[r % channels], bias[r % channels], y + r * inner, inner);
    }

    /// <summary>Rehearses a row: runs it over a few elements in both layouts, so that its code is compiled before a run needs it.</summary>
    public static void Rehearse(NormKernel row)
    {
        using var memory = new RehearsalMemory();
        const int channels = RehearsalMemory.Row;
        var (x, y, factors) = ((nint)memory.Floats(2 * channels * channels), (nint)memory.Floats(2 * channels * channels), (nint)memory.Floats(channels));
        foreach (var inner in new[] { 1, channels })
        {
            var plan = new ChannelAffinePlan(2, channels, inner, HostTarget.Current, row);
            plan.Run((float*)x, (float*)factors, (float*)factors, (float*)y, 0, plan.Tasks);
        }
    }
}
