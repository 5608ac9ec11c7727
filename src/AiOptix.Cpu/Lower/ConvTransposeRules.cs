using AiOptix.Graphs;
using AiOptix.Graphs.Ops;
using AiOptix.Kernels.Choice;
using AiOptix.Kernels.Conv;
using AiOptix.Kernels.Copy;
using AiOptix.Kernels.Fold;
using AiOptix.Kernels.Vectors;
using AiOptix.Runtime;
using AiOptix.Tensors;

namespace AiOptix.Cpu.Lower;

/// <summary>
/// ConvTranspose in float32 with constant weights over one to three axes: a pointwise convolution to one channel a filter and tap, then a fold that adds up what meets an output. Where
/// each output is met by one tap (a stride as long as the kernel, as in most decoders) the convolution also adds the bias and applies what follows, and the taps are only moved to their places.
/// </summary>
internal static unsafe class ConvTransposeRules
{
    private const int FewestColumns = 16;

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
        var bias = node.Input(2)?.Constant;
        // An activation goes over rows of the columns: rows shorter than a vector are better left to a step over all outputs.
        var chain = !op.IsDisjoint(w.Shape) ? null
            : filters * taps < FewestColumns ? EpilogueChain.Alone(node)
            : EpilogueChain.Follow(lowering, node, -1, hasBias: bias is not null, takesResidual: false);
        var addends = chain is not null && (bias ?? chain.Bias) is { } b ? ForTaps(b, groups, taps) : null;
        Activation? activation = addends is null && chain is null or { Activation: Activation.None } ? null : chain!.Activation;
        var parts = new ConvParts(lowering.Slot(input), input.Shape!, columns, pointwise, groups, filters * taps, kernel, packed, addends)
        {
            Activation = chain?.Activation ?? Activation.None,
            Args = chain?.Args ?? default,
        };
        lowering.Prepare($"{kernel.Name} {shape} pointwise {Activations.Label(activation)}", () => kernel.Rehearse(shape with { Batch = 0 }, false, activation, lowering.Target));
        lowering.Emit(new ConvStep(node.Name, parts, lowering.Target) { Operation = "ConvTranspose", Origins = node.Origins });
        if (chain is null) EmitFold(lowering, node, op, columns, w.Shape, filters);
        else EmitMove(lowering, chain, columns, w.Shape, groups);
        return true;
    }

    /// <summary>A bias of one element a channel, for the channels [groups, taps, channels of a group] of the columns.</summary>
    private static Tensor ForTaps(Tensor bias, int groups, int taps)
    {
        var tiled = Tensor.Allocate(DType.Float32, new Shape(bias.Count * taps));
        float* from = (float*)bias.Pointer, at = (float*)tiled.Pointer;
        var channels = bias.Count / groups;
        for (var g = 0; g < groups; g++)
            for (var t = 0; t < taps; t++)
                for (long c = 0; c < channels; c++) *at++ = from[g * channels + c];
        return tiled;
    }

    /// <summary>Moves the columns [image, inputs…, groups, taps…, channels of a group] to the outputs [image, input and tap of each axis…, groups, channels of a group].</summary>
    private static void EmitMove(Lowering lowering, EpilogueChain chain, int columns, Shape weights, int groups)
    {
        var place = lowering.Place(chain.Output);
        var (shape, rank) = (chain.Output.Shape!, weights.Rank - 2);
        MovementRules.PrepareCopies(lowering, sizeof(float), hasShortRows: true, CopyForm.Strided, CopyForm.Transpose);
        lowering.Emit(new MoveStep(chain.Nodes[^1].Name, [columns], [place.Slot], lowering.Target, Moves) { Operation = chain.Operation, Origins = [.. chain.Origins] }, chain.Nodes);
        IEnumerable<Move> Moves(BindContext context)
        {
            var (from, to) = (context.Shape(columns), new Shape([.. shape.Select(context.Evaluate)]));
            var (outputs, channels) = (place.Strides(to), to[-1] / groups);
            List<(long Dim, long Source, long Target)> axes = [(to[0], from.Product(1, from.Rank), outputs[0])];
            for (var a = 0; a < rank; a++)
            {
                axes.Add((from[a + 1], from.Product(a + 2, from.Rank), outputs[a + 1] * weights[a + 2]));
                axes.Add((weights[a + 2], weights.Product(a + 3, weights.Rank) * channels, outputs[a + 1]));
            }
            axes.Add((groups, from[-1] / groups, channels));
            axes.Add((channels, 1, 1));
            yield return new(columns, place.Slot, new(sizeof(float), [.. axes.Select(x => x.Dim)], [.. axes.Select(x => x.Source)], [.. axes.Select(x => x.Target)]), 0, place.Offset);
        }
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
