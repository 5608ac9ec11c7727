using AiOptix.Cpu.Layout;
using AiOptix.Graphs;
using AiOptix.Graphs.Ops;
using AiOptix.Kernels.Conv;
using AiOptix.Kernels.Vectors;
using AiOptix.Tensors;

namespace AiOptix.Cpu.Lower;

/// <summary>Conv in float32 with constant weights over one to three axes, with what follows it.</summary>
internal static class ConvRules
{
    /// <summary>Stands for an extent that is not known when weights are packed; only the choice between kernels looks at it.</summary>
    private const long TypicalExtent = 56;

    /// <summary>Inputs of up to so many channels are read with their channels first.</summary>
    private const int FewChannels = 8;

    public static bool Conv(Lowering lowering, Node node) => Lower(lowering, node, (Conv)node.Operator, node.Inputs[0]!, ConvLayout.ChannelsFirst);

    /// <summary>A convolution with channels last. A reorder before it of few channels is no step of its own.</summary>
    public static bool ChannelsLast(Lowering lowering, Node node, Conv conv)
    {
        var x = node.Inputs[0]!;
        var isFew = x.Shape is { } s && s[-1].Constant is > 1 and <= FewChannels;
        if (isFew && x.Producer is { Operator: Transpose t, Inputs: [{ Shape: { } from } first] } && first.Graph == lowering.Graph && lowering.IsKnown(first)
            && t.PermutationOf(from.Rank).SequenceEqual(Permutation.ToLast(from.Rank)))
            return Lower(lowering, node, conv, first, ConvLayout.FirstToLast);
        return Lower(lowering, node, conv, x, ConvLayout.ChannelsLast);
    }

    private static unsafe bool Lower(Lowering lowering, Node node, Conv conv, Value x, ConvLayout layout)
    {
        if (x.DType != DType.Float32 || node.Inputs[1]!.Constant is not { } w || w.Shape.Rank is < 3 or > 5) return false;
        var bias = node.Input(2);
        if (bias is { IsConstant: false } || x.Shape![layout == ConvLayout.ChannelsLast ? -1 : 1].Constant is null) return false;
        var geometry = conv.Geometry(w.Shape.Dims[2..]);
        if (geometry.Pads.Any(p => p < 0)) return false;
        var chain = EpilogueChain.Follow(lowering, node, layout == ConvLayout.ChannelsFirst ? -(w.Shape.Rank - 1) : -1, hasBias: bias is not null);
        var typical = x.Shape.Select((d, i) => d.Constant ?? (i == 0 ? 1 : TypicalExtent)).ToArray();
        var shape = ConvParts.Describe(geometry, checked((int)conv.Group), checked((int)w.Shape[0]), typical, layout);
        var kernel = ConvTable.Select(shape, lowering.Target);
        var plan = kernel.Plan(shape, lowering.Target);
        var packed = lowering.Pack($"{kernel.Name} {shape}", plan.PackedWeightBytes, to => plan.PackWeights((float*)w.Pointer, (float*)to), w);
        var isFirst = layout == ConvLayout.ChannelsFirst;
        var input = layout == ConvLayout.ChannelsLast ? lowering.Read(x) : new(lowering.Slot(x), 0, 0);
        ChannelSlice residual = chain.Residual is not { } r ? new(-1, 0, 0) : isFirst ? new(lowering.Slot(r), 0, 0) : lowering.Read(r);
        var place = isFirst ? new(lowering.Slot(chain.Output), 0, 0) : lowering.Place(chain.Output);
        var parts = new ConvParts(input.Slot, x.Shape, place.Slot, geometry, (int)conv.Group, (int)w.Shape[0], kernel, packed, bias?.Constant ?? chain.Bias)
        {
            Residual = residual.Slot,
            Layout = layout,
            Slices = (input, residual, place),
            Activation = chain.Activation,
            Args = chain.Args,
        };
        Activation? activation = parts.Bias is null && parts.Residual < 0 && chain.Activation == Activation.None ? null : chain.Activation;
        var isKnown = x.Shape.Skip(1).All(d => d.Constant is not null);
        var rehearsed = shape with { Batch = checked((int)(x.Shape[0].Constant ?? 0)) };
        lowering.Prepare($"{kernel.Name} {rehearsed} {isKnown} {activation}", () => ConvPlan.Rehearse(kernel, rehearsed, isKnown, activation, lowering.Target));
        lowering.Emit(new ConvStep(chain.Nodes[^1].Name, parts, lowering.Target) { Operation = chain.Operation, Origins = [.. chain.Origins] }, chain.Nodes);
        return true;
    }
}
