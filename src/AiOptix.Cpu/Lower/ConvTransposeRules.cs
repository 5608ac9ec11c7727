using AiOptix.Graphs;
using AiOptix.Graphs.Ops;
using AiOptix.Kernels.Conv;
using AiOptix.Kernels.Fold;
using AiOptix.Kernels.Vectors;
using AiOptix.Tensors;

namespace AiOptix.Cpu.Lower;

/// <summary>
/// ConvTranspose in float32 with constant weights over one to three axes: a pointwise convolution to one channel a filter and tap, then a fold that adds up what meets an output.
/// </summary>
internal static unsafe class ConvTransposeRules
{
    public static bool ConvTranspose(Lowering lowering, Node node)
    {
        var op = (ConvTranspose)node.Operator;
        var input = node.Inputs[0]!;
        if (input.DType != DType.Float32 || node.Inputs[1]!.Constant is not { } w || w.Shape.Rank is < 3 or > 5 || input.Shape![1].Constant is null) return false;
        if (node.Input(2) is { IsConstant: false } || op.Pads.Any(p => p < 0)) return false;
        var (groups, rank) = (checked((int)op.Group), w.Shape.Rank - 2);
        var (filters, taps) = (checked((int)(w.Shape[1] * groups)), checked((int)w.Shape.Product(2, w.Shape.Rank)));
        var pointwise = new ConvGeometry(new([.. Enumerable.Repeat(1L, rank)]), default, default, default);
        long[] typical = [.. input.Shape.Select((d, i) => d.Constant ?? (i == 0 ? 1 : 56))];
        var shape = ConvParts.Describe(pointwise, groups, filters * taps, typical);
        var kernel = ConvTable.Select(shape, lowering.Target);
        var columns = lowering.Between(node, new(DType.Float32, new([input.Shape[0], filters * taps, .. input.Shape.Skip(2)])));
        var plan = kernel.Plan(shape, lowering.Target);
        var packed = lowering.Pack($"transposed {kernel.Name} {shape}", plan.PackedWeightBytes, to => Pack(plan, w, groups, (float*)to), w);
        var parts = new ConvParts(lowering.Slot(input), columns, pointwise, groups, filters * taps, kernel, packed, null);
        lowering.Prepare($"{kernel.Name} {shape} pointwise", () => ConvPlan.Rehearse(kernel, shape with { Batch = 0 }, isKnown: false, Activation.None, lowering.Target));
        lowering.Emit(new ConvStep(node.Name, parts, lowering.Target) { Operation = "ConvTranspose", Origins = node.Origins });
        EmitFold(lowering, node, op, columns, w.Shape, filters);
        return true;
    }

    /// <summary>Weights [C, M/group, taps] as those of a convolution: [M·taps, C/group].</summary>
    private static void Pack(ConvPlan plan, Tensor w, int groups, float* packed)
    {
        var (channels, outputs) = (w.Shape[0] / groups, w.Shape.Product(1, w.Shape.Rank));
        using var turned = Tensor.Allocate(DType.Float32, new Shape(groups * outputs * channels));
        float* from = (float*)w.Pointer, at = (float*)turned.Pointer;
        for (var g = 0; g < groups; g++)
            for (long o = 0; o < outputs; o++)
                for (long c = 0; c < channels; c++) *at++ = from[(g * channels + c) * outputs + o];
        plan.PackWeights((float*)turned.Pointer, packed);
    }

    private static void EmitFold(Lowering lowering, Node node, ConvTranspose op, int columns, Shape weights, int filters)
    {
        var (x, y, bias, target) = (lowering.Slot(node.Inputs[0]!), lowering.Slot(node.Output), node.Input(2)?.Constant, lowering.Target);
        var row = FoldTable.Select(target);
        lowering.Prepare(row.Name, () => FoldPlan.Rehearse(row));
        lowering.Emit(node, [columns], context =>
        {
            var (from, to) = (context.Shape(x), context.Shape(y));
            var axes = new FoldAxis[3];
            var missing = 5 - weights.Rank;
            for (var i = 0; i < 3; i++)
                axes[i] = i < missing ? new(1, 1) : new(checked((int)from[i + 2 - missing]), checked((int)to[i + 2 - missing]), checked((int)weights[i + 2 - missing]),
                    checked((int)op.Stride(i - missing)), checked((int)op.Dilation(i - missing)), checked((int)op.Begin(i - missing, weights[i + 2 - missing], from[i + 2 - missing])));
            var plan = new FoldPlan(new(from[0] * filters, filters, axes[0], axes[1], axes[2]), target);
            return new PlanTasks((s, first, end, scratch) => plan.Run((float*)s[columns], bias is null ? null : (float*)bias.Pointer, (float*)s[y], first, end, scratch))
            {
                Kernel = plan.Kernel.Name,
                Tasks = plan.Tasks,
                ScratchBytes = plan.ScratchBytes,
            };
        });
    }
}
