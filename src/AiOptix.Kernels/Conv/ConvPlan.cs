using AiOptix.Kernels.Loops;
using AiOptix.Kernels.Vectors;
using AiOptix.Tensors;

namespace AiOptix.Kernels.Conv;

/// <summary>
/// A float32 convolution for one shape on one target. Immutable, and usable from many threads. Every direct kernel adds the terms of an output in the
/// order depth, height, width, channel with one fused rounding each, then the bias, then the residual, so results do not depend on the kernel or the split;
/// those of the other kernels (<see cref="ConvKernel.IsDirect"/>) do not depend on the split.
/// </summary>
public abstract unsafe class ConvPlan
{
    private protected ConvPlan(in ConvShape shape, string kernel)
    {
        Shape = shape;
        KernelName = kernel;
    }

    /// <summary>The shape it was made for.</summary>
    public ConvShape Shape { get; }

    /// <summary>The name of the table row.</summary>
    public string KernelName { get; }

    /// <summary>Bytes of the packed weights.</summary>
    public abstract long PackedWeightBytes { get; }

    /// <summary>Bytes of scratch that each worker needs, at any alignment.</summary>
    public abstract long ScratchBytes { get; }

    /// <summary>Independent shares of the work, by shape only; 0 when Y is empty.</summary>
    public abstract int Tasks { get; }

    /// <summary>Plans a convolution with the kernel that suits shape and target best.</summary>
    public static ConvPlan Create(in ConvShape shape, Target target) => ConvTable.Select(shape, target).Plan(shape, target);

    /// <summary>
    /// Packs weights [OutputChannels, Channels / Groups, taps…]. The form depends on the kernel row, the channels and the taps, not on batch or
    /// spatial extents.
    /// </summary>
    public abstract void PackWeights(float* weights, float* packed);

    /// <summary>Computes tasks <paramref name="firstTask"/> to <paramref name="endTask"/> − 1. Allocates and throws nothing.</summary>
    public abstract void Run(in ConvCall call, int firstTask, int endTask, byte* scratch);

    /// <summary>Runs a small plan over zeros.</summary>
    private protected static void Rehearse(ConvPlan plan, Activation? activation)
    {
        var few = plan.Shape;
        using var memory = new RehearsalMemory();
        var call = new ConvCall
        {
            X = memory.Floats((long)Math.Max(few.Channels, few.XPitch) * few.InputPixels * few.Batch),
            PackedWeights = (float*)memory.Bytes(plan.PackedWeightBytes),
            Bias = activation is null ? null : memory.Floats(few.OutputChannels),
            Y = memory.Floats((long)Math.Max(few.OutputChannels, few.YPitch) * few.OutputPixels * few.Batch),
            Activation = activation ?? Activation.None,
        };
        plan.Run(call, 0, plan.Tasks, memory.Bytes(plan.ScratchBytes));
    }

    /// <summary>Output channels that lead through the same branches as all of them: some whole panels, and the rest.</summary>
    private protected static int Few(int outputs, int panel) => outputs <= 4 * panel ? outputs : 3 * panel + outputs % panel;

    /// <summary>The axis with an input that is just long enough for some outputs.</summary>
    private protected static ConvAxis Few(in ConvAxis axis, int outputs) =>
        axis with { Input = Math.Max(1, (Math.Min(axis.Output, outputs) - 1) * axis.Stride + (axis.Kernel - 1) * axis.Dilation + 1 - axis.PadBegin - axis.PadEnd) };
}
