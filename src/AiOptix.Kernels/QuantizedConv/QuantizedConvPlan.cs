using AiOptix.Kernels.Conv;
using AiOptix.Kernels.Loops;

namespace AiOptix.Kernels.QuantizedConv;

/// <summary>What a quantised convolution works on.</summary>
/// <param name="Conv">The convolution.</param>
/// <param name="IsChannelsLast">X is [pixels, channels] and Y [pixels, output channels]: a matrix product. Only for one tap, one group and one image.</param>
public readonly record struct QuantizedShape(ConvShape Conv, bool IsChannelsLast)
{
    /// <summary>The product of X [rows, terms] and Wᵀ [terms, outputs].</summary>
    public static QuantizedShape Product(int rows, int terms, int outputs) => new(new(1, terms, outputs, 1, ConvAxis.None, ConvAxis.None, new(rows)), true);
}

/// <summary>How bytes stand for numbers. Signed bytes are read as unsigned ones with the highest bit flipped and a zero point 128 higher.</summary>
/// <param name="Zero">The zero point, 0 to 255.</param>
/// <param name="Flip">128 for signed bytes, otherwise 0.</param>
public readonly record struct QuantizedBytes(int Zero, byte Flip)
{
    /// <summary>The form of a type with a zero point.</summary>
    public static QuantizedBytes Of(int zero, bool isSigned) => isSigned ? new(zero + 128, 128) : new(zero, 0);
}

/// <summary>The operands of one run; no alignment is needed.</summary>
public unsafe struct QuantizedConvCall
{
    /// <summary>The input.</summary>
    public byte* X;
    /// <summary>How X is to be read.</summary>
    public QuantizedBytes Input;
    /// <summary>The weights as <see cref="QuantizedConvPlan.PackWeights"/> wrote them.</summary>
    public byte* PackedWeights;
    /// <summary>One addend an output channel.</summary>
    public int* Bias;
    /// <summary>What a step of the sum is in steps of the result, one an output channel; finite.</summary>
    public float* Factors;
    /// <summary>The output.</summary>
    public byte* Y;
    /// <summary>How Y is to be written.</summary>
    public QuantizedBytes Output;
}

/// <summary>
/// A convolution of bytes less their zero points with int16 weights, made ready for one shape: exact int32 sums plus bias, which the caller guarantees not to overflow,
/// as float32 times a factor, rounded to the nearest even integer, plus the zero point, cut off at the type's range. All rows give the same bytes. Immutable.
/// </summary>
public abstract unsafe class QuantizedConvPlan
{
    private protected QuantizedConvPlan(in QuantizedShape shape, string kernel)
    {
        Shape = shape;
        KernelName = kernel;
    }

    /// <summary>The shape it was made for.</summary>
    public QuantizedShape Shape { get; }

    /// <summary>The name of the table row.</summary>
    public string KernelName { get; }

    /// <summary>Bytes of the packed weights.</summary>
    public abstract long PackedWeightBytes { get; }

    /// <summary>Bytes of scratch that each worker needs, at any alignment.</summary>
    public abstract long ScratchBytes { get; }

    /// <summary>Independent shares of the work, by shape only; 0 when Y is empty.</summary>
    public abstract int Tasks { get; }

    /// <summary>Packs weights [OutputChannels, Channels / Groups, taps…], less their zero points. The form depends on channels and taps only.</summary>
    public abstract void PackWeights(short* weights, byte* packed);

    /// <summary>Computes tasks <paramref name="firstTask"/> to <paramref name="endTask"/> − 1. Allocates and throws nothing.</summary>
    public abstract void Run(in QuantizedConvCall call, int firstTask, int endTask, byte* scratch);

    /// <summary>Rehearses a row, so that its code is compiled before a run needs it.</summary>
    public static void Rehearse(QuantizedConvKernel row)
    {
        if (row.Suits(Depthwise(1)))
        {
            Rehearse(row, Depthwise(1));
            Rehearse(row, Depthwise(2));
        }
        if (!row.Suits(QuantizedShape.Product(5, 7, 9))) return;
        Rehearse(row, new(new(1, 3, 5, 1, new(2, 2), new(3, 2, 2, 1, 1, 1), new(RehearsalMemory.Row, 3, 1, 1, 1, 1)), false));
        Rehearse(row, new(new(1, 3, 5, 1, ConvAxis.None, ConvAxis.None, new(RehearsalMemory.Row)), false));
        Rehearse(row, QuantizedShape.Product(5, 7, 9));
    }

    private static QuantizedShape Depthwise(int stride) => new(new(1, 2, 2, 2, ConvAxis.None, new(3, 3, stride, 1, 1, 1), new(RehearsalMemory.Row, 3, stride, 1, 1, 1)), false);

    private static void Rehearse(QuantizedConvKernel row, QuantizedShape shape)
    {
        using var memory = new RehearsalMemory();
        var plan = row.Plan(shape);
        var conv = shape.Conv;
        plan.PackWeights((short*)memory.Bytes(sizeof(short) * (long)conv.OutputChannels * conv.Terms), memory.Bytes(plan.PackedWeightBytes));
        var call = new QuantizedConvCall
        {
            X = memory.Bytes((long)conv.Channels * conv.InputPixels),
            PackedWeights = memory.Bytes(plan.PackedWeightBytes),
            Bias = (int*)memory.Floats(conv.OutputChannels),
            Factors = memory.Floats(conv.OutputChannels),
            Y = memory.Bytes((long)conv.OutputChannels * conv.OutputPixels),
        };
        plan.Run(call, 0, plan.Tasks, memory.Bytes(plan.ScratchBytes));
    }
}
