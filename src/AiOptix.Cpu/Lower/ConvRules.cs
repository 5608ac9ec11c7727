using AiOptix.Cpu.Layout;
using AiOptix.Graphs;
using AiOptix.Graphs.Ops;
using AiOptix.Kernels.Choice;
using AiOptix.Kernels.Conv;
using AiOptix.Kernels.Vectors;
using AiOptix.Tensors;

namespace AiOptix.Cpu.Lower;

/// <summary>Conv in float32 with constant weights over one to three axes, with what follows it.</summary>
internal static class ConvRules
{
    /// <summary>Stands for an extent that is not known when weights are packed; only the choice between kernels looks at it.</summary>
    public const long TypicalExtent = 56;

    /// <summary>Inputs of up to so many channels are read with their channels first.</summary>
    private const int FewChannels = 8;

    /// <summary>A convolution. A reorder before it of few channels is no step of its own.</summary>
    public static bool Conv(Lowering lowering, Node node, Conv conv)
    {
        var readsFirst = ReadsChannelsFirst(lowering, node.Inputs[0]!, out var first);
        Lower(lowering, node, conv, readsFirst ? first! : node.Inputs[0]!, readsFirst);
        return true;
    }

    /// <summary>True when a value is another one of few channels with these brought behind, so that a convolution had better read that one.</summary>
    public static bool ReadsChannelsFirst(Lowering lowering, Value x, out Value? first)
    {
        first = x is { Shape: { } s, Producer: { Operator: Transpose t, Inputs: [{ Shape: { } from } source] } } && s[-1].Constant is > 1 and <= FewChannels && source.Graph == lowering.Graph
            && lowering.IsKnown(source) && t.PermutationOf(from.Rank).SequenceEqual(Permutation.ToLast(from.Rank)) ? source : null;
        return first is not null;
    }

    private static unsafe void Lower(Lowering lowering, Node node, Conv conv, Value x, bool readsFirst)
    {
        var w = node.Inputs[1]!.Constant!;
        var bias = node.Input(2);
        var geometry = conv.Geometry(w.Shape.Dims[2..]);
        var chain = EpilogueChain.Follow(lowering, node, -1, hasBias: bias is not null);
        var extents = x.Shape!;
        var typical = new long[extents.Rank];
        for (var i = 0; i < typical.Length; i++) typical[i] = extents[i].Constant ?? (i == 0 ? 1 : TypicalExtent);
        var shape = ConvParts.Describe(geometry, checked((int)conv.Group), checked((int)w.Shape[0]), typical, readsFirst);
        var kernel = ConvTable.Named(lowering.Choose(new ConvProblem(shape)));
        var plan = kernel.Plan(shape, lowering.Target);
        var packed = lowering.Pack($"{kernel.Name} {shape}", plan.PackedWeightBytes, to => plan.PackWeights((float*)w.Pointer, (float*)to), w);
        var input = readsFirst ? new(lowering.Slot(x), 0, 0) : lowering.Read(x);
        var residual = chain.Residual is { } r ? lowering.Read(r) : new(-1, 0, 0);
        var place = lowering.Place(chain.Output);
        var parts = new ConvParts(input.Slot, extents, place.Slot, geometry, (int)conv.Group, (int)w.Shape[0], kernel, packed, bias?.Constant ?? chain.Bias)
        {
            Residual = residual.Slot,
            ReadsChannelsFirst = readsFirst,
            Slices = (input, residual, place),
            Activation = chain.Activation,
            Args = chain.Args,
        };
        Activation? activation = parts.Bias is null && parts.Residual < 0 && chain.Activation == Activation.None ? null : chain.Activation;
        var isKnown = extents.Skip(1).All(d => d.Constant is not null);
        var rehearsed = shape with { Batch = checked((int)(extents[0].Constant ?? 0)) };
        lowering.Prepare($"{kernel.Name} {rehearsed} {isKnown} {Activations.Label(activation)}", () => kernel.Rehearse(rehearsed, isKnown, activation, lowering.Target));
        lowering.Emit(new ConvStep(chain.Nodes[^1].Name, parts, lowering.Target) { Operation = chain.Operation, Origins = [.. chain.Origins] }, chain.Nodes);
    }
}
