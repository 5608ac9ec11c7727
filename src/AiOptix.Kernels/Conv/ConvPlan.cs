using AiOptix.Kernels.Gemm;
using AiOptix.Kernels.Loops;
using AiOptix.Kernels.Vectors;
using AiOptix.Tensors;

namespace AiOptix.Kernels.Conv;

/// <summary>
/// A float32 convolution for one shape on one target. Immutable, and usable from many threads. Every kernel adds the terms of an output in the
/// order of the shape's <see cref="ConvLayout"/> with one fused rounding each, then the bias, then the residual, so results do not depend on the kernel or the split.
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

    /// <summary>Rehearses a row: convolves a few pixels and channels, so that the code which convolutions of a shape run is compiled before a run needs it.</summary>
    /// <param name="row">The row.</param>
    /// <param name="shape">The shape; Batch is 0 where it is not known.</param>
    /// <param name="isKnown">Whether its spatial extents are known, or only stand for others.</param>
    /// <param name="activation">What is applied last; null when the convolution is all.</param>
    /// <param name="target">The machine.</param>
    public static void Rehearse(ConvKernel row, in ConvShape shape, bool isKnown, Activation? activation, Target target)
    {
        if (row.Code is { } code)
        {
            code(shape, isKnown, activation, target);
            return;
        }
        if (row.Product is { } product)
        {
            var (rows, columns) = row.ProductShape(shape);
            GemmTable.RehearseTiles(product, rows, isKnown ? columns : 0);
        }
        LineCopy.Run(null, 0, 0, 1, null, 0);
        var groups = Math.Min(shape.Groups, 2);
        var outputs = shape.GroupOutputs < 12 ? shape.GroupOutputs : 12 + shape.GroupOutputs % 12;
        var width = Few(shape.Width, 32);
        var height = Few(shape.Height, 1);
        for (var h = 2; h <= shape.Height.Output && width.Output * height.Output % 32 != (isKnown ? shape.OutputPixels % 32 : 0) && h <= 32; h++) height = Few(shape.Height, h);
        var few = new ConvShape(1, groups, groups * outputs, groups, Few(shape.Depth, 1), height, width);
        Rehearse(row.Plan(few, target), activation);
    }

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

    /// <summary>The axis with an input that is just long enough for some outputs.</summary>
    private protected static ConvAxis Few(in ConvAxis axis, int outputs) =>
        axis with { Input = Math.Max(1, (Math.Min(axis.Output, outputs) - 1) * axis.Stride + (axis.Kernel - 1) * axis.Dilation + 1 - axis.PadBegin - axis.PadEnd) };
}
