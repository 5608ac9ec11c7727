using AiOptix.Kernels.Conv;
using AiOptix.Kernels.Jit;
using AiOptix.Kernels.Loops;

namespace AiOptix.Kernels.QuantizedConv;

/// <summary>What becomes of the sums of a quantised convolution.</summary>
public enum QuantizedResult
{
    /// <summary>They are stored as they are.</summary>
    Int32,
    /// <summary>float(sum) · factor.</summary>
    Float32,
    /// <summary>float(sum) · factor, rounded to the nearest even integer, plus the zero point, cut off at a range of unsigned bytes.</summary>
    UInt8,
    /// <summary>The same with signed bytes.</summary>
    Int8,
}

/// <summary>What a quantised convolution works on: bytes with their channels last. A matrix product is one over as many pixels of a line as there are rows.</summary>
/// <param name="Conv">The convolution; pitches count elements.</param>
/// <param name="Result">What is stored.</param>
public readonly record struct QuantizedShape(ConvShape Conv, QuantizedResult Result)
{
    /// <summary>X holds signed bytes.</summary>
    public bool IsSigned { get; init; }

    /// <summary>Of how many signed bytes a weight less its zero point is the sum: 1, 2 from −256 to 254, or 3.</summary>
    public int WeightParts { get; init; } = 1;

    /// <summary>Scaled sums may leave the range of int32.</summary>
    public bool IsLimited { get; init; }

    /// <summary>Bytes are cut off at other bounds than their type's.</summary>
    public bool IsClipped { get; init; }

    /// <summary>The zero point of X and its scale are known in a run only; what is packed in place of bias and factors is the sums of the weights and their scales.</summary>
    public bool IsDynamic { get; init; }

    /// <summary>float32 results have one addend an output channel.</summary>
    public bool HasAddends { get; init; }

    /// <summary>Bytes of an element of the result.</summary>
    public int ResultBytes => Result is QuantizedResult.UInt8 or QuantizedResult.Int8 ? 1 : sizeof(int);

    /// <summary>The product of X [rows, terms] and Wᵀ [terms, outputs].</summary>
    public static QuantizedShape Product(int rows, int terms, int outputs, QuantizedResult result) => new(new(1, terms, outputs, 1, ConvAxis.None, ConvAxis.None, new(rows)), result);
}

/// <summary>What is packed.</summary>
public unsafe struct QuantizedWeights
{
    /// <summary>Weights [OutputChannels, Channels / Groups, taps…], less their zero points.</summary>
    public short* Weights;
    /// <summary>One addend an output channel; null for none.</summary>
    public int* Bias;
    /// <summary>What a step of the sum is in steps of the result, one an output channel; finite. Dynamic: the weights' scales. Null where sums are stored.</summary>
    public float* Factors;
    /// <summary>The zero point of X, unless dynamic.</summary>
    public int Zero;
    /// <summary>float32 results: what is added to them, one an output channel; null for none.</summary>
    public float* Addends;
}

/// <summary>The operands of one run; no alignment is needed.</summary>
public unsafe struct QuantizedConvCall
{
    /// <summary>The input.</summary>
    public byte* X;
    /// <summary>The zero point of X, which padding stands for.</summary>
    public int InputZero;
    /// <summary>Dynamic: the scale of X.</summary>
    public float InputScale;
    /// <summary>The weights as <see cref="QuantizedConvPlan.PackWeights"/> wrote them.</summary>
    public byte* PackedWeights;
    /// <summary>The output.</summary>
    public byte* Y;
    /// <summary>Bytes: the zero point of Y.</summary>
    public int Zero;
    /// <summary>Bytes: the least result.</summary>
    public int Low;
    /// <summary>Bytes: the greatest result.</summary>
    public int High;
}

/// <summary>
/// A convolution of bytes less their zero point with integer weights, made ready for one shape: exact int32 sums plus bias, which the caller guarantees not to overflow,
/// scaled and rounded as <see cref="QuantizedResult"/> says. All rows give the same bits. Immutable.
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

    /// <summary>Packs weights, bias and factors. The form depends on the kernel row, channels, taps and dilations, not on batch or spatial extents.</summary>
    public abstract void PackWeights(in QuantizedWeights weights, byte* packed);

    /// <summary>Computes tasks <paramref name="firstTask"/> to <paramref name="endTask"/> − 1. Allocates and throws nothing.</summary>
    public abstract void Run(in QuantizedConvCall call, int firstTask, int endTask, byte* scratch);

    /// <summary>X as unsigned bytes: the zero point is as much higher as flipping the highest bit makes the bytes.</summary>
    private protected int Unsigned(int zero) => Shape.IsSigned ? zero + 128 : zero;

    /// <summary>The first addend of an output channel: bias − zero point · Σ weights, or the sum of the weights when the zero point is not known.</summary>
    private protected int FirstAddend(in QuantizedWeights weights, int output)
    {
        var sum = 0;
        var from = weights.Weights + (nint)output * Shape.Conv.Terms;
        for (var t = 0; t < Shape.Conv.Terms; t++) sum += from[t];
        return Shape.IsDynamic ? sum : (weights.Bias == null ? 0 : weights.Bias[output]) - Unsigned(weights.Zero) * sum;
    }

    /// <summary>The first addend and the factor of every output channel.</summary>
    private protected (int[] Addends, float[] Factors) Header(in QuantizedWeights weights)
    {
        var (addends, factors) = (new int[Shape.Conv.OutputChannels], new float[Shape.Conv.OutputChannels]);
        for (var o = 0; o < addends.Length; o++) (addends[o], factors[o]) = (FirstAddend(weights, o), weights.Factors == null ? 1 : weights.Factors[o]);
        return (addends, factors);
    }

    /// <summary>One of the parts that a weight is the sum of: all of it, or as much as fits a signed byte of what the parts before left.</summary>
    private protected static int Part(int weight, int part, int parts)
    {
        for (var p = 0; parts > 1; p++)
        {
            var most = Math.Clamp(weight, sbyte.MinValue, sbyte.MaxValue);
            if (p == part) return most;
            weight -= most;
        }
        return weight;
    }

    /// <summary>Dynamic: addends and factors of a panel, −zero point · Σ weights and both scales' product.</summary>
    private protected void Scale(in QuantizedConvCall call, int width, DotArguments* t, int* to)
    {
        var zero = Unsigned(call.InputZero);
        var factors = (float*)to + width;
        for (var i = 0; i < width; i++)
        {
            to[i] = -zero * t->Bias[i];
            factors[i] = call.InputScale * t->Factors[i];
        }
        t->Bias = to;
        t->Factors = factors;
    }

    private protected static void Rehearse(QuantizedConvPlan plan)
    {
        using var memory = new RehearsalMemory();
        var conv = plan.Shape.Conv;
        var call = new QuantizedConvCall
        {
            X = memory.Bytes((long)Math.Max(conv.Channels, conv.XPitch) * conv.InputPixels * conv.Batch),
            PackedWeights = memory.Bytes(plan.PackedWeightBytes),
            Y = memory.Bytes((long)plan.Shape.ResultBytes * Math.Max(conv.OutputChannels, conv.YPitch) * conv.OutputPixels * conv.Batch),
        };
        plan.Run(call, 0, plan.Tasks, memory.Bytes(plan.ScratchBytes));
    }

    /// <summary>The shape with as few pixels as lead through its code.</summary>
    private protected static QuantizedShape Few(in QuantizedShape shape, int width)
    {
        var conv = shape.Conv;
        return shape with { Conv = new ConvShape(1, conv.Channels, conv.OutputChannels, conv.Groups, Few(conv.Depth, 1), Few(conv.Height, 1), Few(conv.Width, width)) { ReadsChannelsFirst = conv.ReadsChannelsFirst } };
    }

    private static ConvAxis Few(in ConvAxis axis, int outputs) =>
        axis with { Input = Math.Max(1, (outputs - 1) * axis.Stride + (axis.Kernel - 1) * axis.Dilation + 1 - axis.PadBegin - axis.PadEnd) };
}
