using AiOptix.Cpu.Lower;
using AiOptix.Graphs;
using AiOptix.Graphs.Ops;
using AiOptix.Kernels.Conv;
using AiOptix.Kernels.Vectors;
using AiOptix.Runtime;
using AiOptix.Tensors;

namespace AiOptix.Cpu;

/// <summary>A float32 convolution with its epilogue.</summary>
/// <param name="Input">The input's slot.</param>
/// <param name="InputShape">The input's shape.</param>
/// <param name="Output">The output's slot.</param>
/// <param name="Geometry">The window.</param>
/// <param name="Groups">Groups.</param>
/// <param name="OutputChannels">Output channels.</param>
/// <param name="Kernel">The row whose form the weights are packed in.</param>
/// <param name="Weights">The packed weights.</param>
/// <param name="Bias">One addend an output channel, or null.</param>
internal sealed record ConvParts(int Input, SymbolicShape InputShape, int Output, ConvGeometry Geometry, int Groups, int OutputChannels, ConvKernel Kernel, MemoryBlock Weights, Tensor? Bias)
{
    /// <summary>A slot of the output's shape that is added, or -1.</summary>
    public int Residual { get; init; } = -1;

    /// <summary>True when the input's channels lie first.</summary>
    public bool ReadsChannelsFirst { get; init; }

    /// <summary>Which of the channels of its slots it reads, adds and writes.</summary>
    public (ChannelSlice Input, ChannelSlice Residual, ChannelSlice Output) Slices { get; init; }

    public Activation Activation { get; init; }

    public ActivationArgs Args { get; init; }

    /// <summary>The kernel's descriptor for an input shape, channels last unless <paramref name="readsFirst"/>.</summary>
    public static ConvShape Describe(ConvGeometry geometry, int groups, int outputChannels, ReadOnlySpan<long> input, bool readsFirst)
    {
        var axes = new ConvAxis[3];
        var missing = 3 - geometry.Rank;
        for (var i = 0; i < 3; i++)
        {
            if (i < missing)
            {
                axes[i] = ConvAxis.None;
                continue;
            }
            var a = i - missing;
            var extent = input[readsFirst ? a + 2 : a + 1];
            var (begin, end) = geometry.PadsOf(a, extent);
            axes[i] = new(checked((int)extent), (int)geometry.Kernel[a], (int)geometry.Stride(a), (int)geometry.Dilation(a), checked((int)begin), checked((int)end));
        }
        // An inner axis of one position that nothing slides along is none: lines are then as long as the data has them.
        for (var i = 0; i < 2 && axes[2] is { Input: 1, IsIdentity: true }; i++) axes = [ConvAxis.None, axes[0], axes[1]];
        return new(checked((int)input[0]), checked((int)input[readsFirst ? 1 : ^1]), outputChannels, groups, axes[0], axes[1], axes[2]) { ReadsChannelsFirst = readsFirst };
    }
}

/// <inheritdoc cref="ConvParts"/>
internal sealed class ConvStep(string name, ConvParts parts, Target target)
    : KernelStep(name, parts.Residual >= 0 ? [parts.Input, parts.Residual] : [parts.Input], [parts.Output])
{
    public override long OwnedBytes => parts.Weights.Length;

    public override BoundStep Bind(BindContext context)
    {
        var shape = ConvParts.Describe(parts.Geometry, parts.Groups, parts.OutputChannels, InputDims(context), parts.ReadsChannelsFirst);
        var (from, residual, to) = parts.Slices;
        if (from.Pitch != 0) shape = shape with { XPitch = from.Pitch };
        if (residual.Pitch != 0) shape = shape with { ResidualPitch = residual.Pitch };
        if (to.Pitch != 0) shape = shape with { YPitch = to.Pitch };
        var plan = parts.Kernel.Plan(shape, target);
        if (plan.PackedWeightBytes != parts.Weights.Length)
            throw new InvalidInputException($"node '{Name}': the input has {shape.Channels} channels, the weights were made for another number");
        return new Bound(parts, plan)
        {
            Kernel = plan.KernelName,
            Tasks = plan.Tasks,
            ScratchBytes = plan.ScratchBytes,
        };
    }

    private long[] InputDims(BindContext context)
    {
        var dims = new long[parts.InputShape.Rank];
        for (var i = 0; i < dims.Length; i++) dims[i] = context.Evaluate(parts.InputShape[i]);
        return dims;
    }

    private sealed unsafe class Bound(ConvParts parts, ConvPlan plan) : BoundStep
    {
        public override void Run(nint* slots, int firstTask, int endTask, byte* scratch)
        {
            var call = new ConvCall
            {
                X = (float*)slots[parts.Input] + parts.Slices.Input.Offset,
                PackedWeights = (float*)parts.Weights.Pointer,
                Bias = parts.Bias is null ? null : (float*)parts.Bias.Pointer,
                Residual = parts.Residual >= 0 ? (float*)slots[parts.Residual] + parts.Slices.Residual.Offset : null,
                Y = (float*)slots[parts.Output] + parts.Slices.Output.Offset,
                Activation = parts.Activation,
                Args = parts.Args,
            };
            plan.Run(call, firstTask, endTask, scratch);
        }
    }
}
