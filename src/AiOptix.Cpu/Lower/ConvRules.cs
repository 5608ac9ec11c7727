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

    public static unsafe bool Conv(Lowering lowering, Node node)
    {
        var conv = (Conv)node.Operator;
        var x = node.Inputs[0]!;
        if (x.DType != DType.Float32 || node.Inputs[1]!.Constant is not { } w || w.Shape.Rank is < 3 or > 5) return false;
        var bias = node.Input(2);
        if (bias is { IsConstant: false } || x.Shape![1].Constant is null) return false;
        var geometry = conv.Geometry(w.Shape.Dims[2..]);
        if (geometry.Pads.Any(p => p < 0)) return false;
        var chain = EpilogueChain.Follow(lowering, node, -(w.Shape.Rank - 1), hasBias: bias is not null);
        var typical = x.Shape.Select((d, i) => d.Constant ?? (i == 0 ? 1 : TypicalExtent)).ToArray();
        var shape = ConvParts.Describe(geometry, checked((int)conv.Group), checked((int)w.Shape[0]), typical);
        var kernel = ConvTable.Select(shape, lowering.Target);
        var plan = kernel.Plan(shape, lowering.Target);
        var packed = lowering.Pack($"{kernel.Name} {shape}", plan.PackedWeightBytes, to => plan.PackWeights((float*)w.Pointer, (float*)to), w);
        var parts = new ConvParts(lowering.Slot(x), lowering.Slot(chain.Output), geometry, (int)conv.Group, (int)w.Shape[0], kernel, packed, bias?.Constant ?? chain.Bias)
        {
            Residual = chain.Residual is { } r ? lowering.Slot(r) : -1,
            Activation = chain.Activation,
            Args = chain.Args,
        };
        Activation? activation = parts.Bias is null && parts.Residual < 0 && chain.Activation == Activation.None ? null : chain.Activation;
        var isKnown = x.Shape.Skip(2).All(d => d.Constant is not null);
        var rehearsed = shape with { Batch = checked((int)(x.Shape[0].Constant ?? 0)) };
        lowering.Prepare($"{kernel.Name} {rehearsed} {isKnown} {activation}", () => ConvPlan.Rehearse(kernel, rehearsed, isKnown, activation, lowering.Target));
        lowering.Emit(new ConvStep(chain.Nodes[^1].Name, parts, lowering.Target) { Operation = chain.Operation, Origins = [.. chain.Origins] }, chain.Nodes);
        return true;
    }
}
