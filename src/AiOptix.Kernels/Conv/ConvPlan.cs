using AiOptix.Tensors;

namespace AiOptix.Kernels.Conv;

/// <summary>
/// A float32 convolution for one shape on one target. Immutable, and usable from many threads. Every kernel adds the terms of an output in the
/// order channel, depth, height, width with one fused rounding each, so results do not depend on the kernel or the split.
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
}
