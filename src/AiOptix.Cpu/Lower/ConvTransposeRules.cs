using AiOptix.Graphs;
using AiOptix.Graphs.Ops;
using AiOptix.Kernels.Choice;
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
    public static bool ConvTranspose(Lowering lowering, Node node, ConvTranspose op)
    {
        var input = node.Inputs[0]!;
        var w = node.Inputs[1]!.Constant!;
        var (groups, rank) = (checked((int)op.Group), w.Shape.Rank - 2);
        var (filters, taps) = (checked((int)(w.Shape[1] * groups)), checked((int)w.Shape.Product(2, w.Shape.Rank)));
        var pointwise = new ConvGeometry(new([.. Enumerable.Repeat(1L, rank)]), default, default, default);
        long[] typical = [.. input.Shape!.Select((d, i) => d.Constant ?? (i == 0 ? 1 : 56))];
        var shape = ConvParts.Describe(pointwise, groups, filters * taps, typical, readsFirst: false);
        var kernel = ConvTable.Named(lowering.Choose(new ConvProblem(shape)));
        var columns = lowering.Between(node, new(DType.Float32, new([.. input.Shape!.SkipLast(1), filters * taps])));
        var plan = kernel.Plan(shape, lowering.Target);
        var packed = lowering.Pack($"transposed {kernel.Name} {shape}", plan.PackedWeightBytes, to => Pack(plan, w, groups, (float*)to), w);
        var parts = new ConvParts(lowering.Slot(input), input.Shape!, columns, pointwise, groups, filters * taps, kernel, packed, null);
        lowering.Prepare($"{kernel.Name} {shape} pointwise", () => kernel.Rehearse(shape with { Batch = 0 }, false, null, lowering.Target));
        lowering.Emit(new ConvStep(node.Name, parts, lowering.Target) { Operation = "ConvTranspose", Origins = node.Origins });
        EmitFold(lowering, node, op, columns, w.Shape, filters);
        return true;
    }

    /// <summary>Weights [C, M/group, taps] as those of a convolution: [taps·M, C/group] group by group.</summary>
    private static void Pack(ConvPlan plan, Tensor w, int groups, float* packed)
    {
        var (channels, filters, taps) = (w.Shape[0] / groups, w.Shape[1], w.Shape.Product(2, w.Shape.Rank));
        var outputs = filters * taps;
        using var turned = Tensor.Allocate(DType.Float32, new Shape(groups * outputs * channels));
        float* from = (float*)w.Pointer, at = (float*)turned.Pointer;
        for (var g = 0; g < groups; g++)
            for (long o = 0; o < outputs; o++)
                for (long c = 0; c < channels; c++) *at++ = from[(g * channels + c) * outputs + o % filters * taps + o / filters];
        plan.PackWeights((float*)turned.Pointer, packed);
    }

    private static void EmitFold(Lowering lowering, Node node, ConvTranspose op, int columns, Shape weights, int filters)
    {
        var (x, bias, target) = (lowering.Slot(node.Inputs[0]!), node.Input(2)?.Constant, lowering.Target);
        var place = lowering.Place(node.Output);
        var shape = node.Output.Shape!;
        var row = FoldTable.Select(target);
        lowering.Prepare(row.Name, () => FoldPlan.Rehearse(row));
        var y = place.Slot;
        lowering.Emit(node, [columns], [y], context =>
        {
            var (from, to) = (context.Shape(x), shape.Evaluate(context.Symbols));
            var axes = new FoldAxis[3];
            var missing = 5 - weights.Rank;
            var first = 1 - missing;
            for (var i = 0; i < 3; i++)
                axes[i] = i < missing ? new(1, 1) : new(checked((int)from[i + first]), checked((int)to[i + first]), checked((int)weights[i + 2 - missing]),
                    checked((int)op.Stride(i - missing)), checked((int)op.Dilation(i - missing)), checked((int)op.Begin(i - missing, weights[i + 2 - missing], from[i + first])));
            var plan = new FoldPlan(new(from[0], filters, axes[0], axes[1], axes[2], checked((int)op.Group), place.Pitch), target);
            return new PlanTasks((s, start, end, scratch) => plan.Run((float*)s[columns], bias is null ? null : (float*)bias.Pointer, (float*)s[y] + place.Offset, start, end, scratch))
            {
                Kernel = plan.Kernel.Name,
                Tasks = plan.Tasks,
                ScratchBytes = plan.ScratchBytes,
            };
        });
    }
}
