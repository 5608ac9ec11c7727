using AiOptix.Graphs;
using AiOptix.Graphs.Ops;
using AiOptix.Kernels.Choice;
using AiOptix.Kernels.Conv;
using AiOptix.Kernels.QuantizedConv;
using AiOptix.Tensors;

namespace AiOptix.Cpu.Lower;

/// <summary>QLinearConv and QLinearMatMul of bytes, with constant weights, scales and zero points, in exact integers.</summary>
internal static unsafe class QuantizedProductRules
{
    public static bool Conv(Lowering lowering, Node node, QLinearConv op)
    {
        var conv = op.Convolution;
        if (node.Inputs[3]!.Constant is not { Shape.Rank: >= 3 and <= 5 } w || node.Input(8) is { IsConstant: false }) return false;
        if (QuantizedParts.Of(node, w, isFilterFirst: true, node.Input(8)?.Constant) is not { } all) return false;
        var (parts, last) = Clipped(lowering, node, all);
        var x = node.Inputs[0]!;
        var readsFirst = ConvRules.ReadsChannelsFirst(lowering, x, out var first);
        if (readsFirst) x = first!;
        var (geometry, outputs, group, extents) = (conv.Geometry(w.Shape.Dims[2..]), checked((int)w.Shape[0]), checked((int)conv.Group), x.Shape!);
        var (from, to) = (readsFirst ? new(lowering.Slot(x), 0, 0) : lowering.Read(x), lowering.Place(last.Output));
        QuantizedShape Describe(ReadOnlySpan<long> dims)
        {
            var shape = ConvParts.Describe(geometry, group, outputs, dims, readsFirst);
            if (from.Pitch != 0) shape = shape with { XPitch = from.Pitch };
            if (to.Pitch != 0) shape = shape with { YPitch = to.Pitch };
            return parts.Shape(shape);
        }
        Emit(lowering, node, last, parts, from, to, Describe([.. extents.Select((d, i) => d.Constant ?? (i == 0 ? 1 : ConvRules.TypicalExtent))]), extents, Describe);
        return true;
    }

    public static bool MatMul(Lowering lowering, Node node)
    {
        var a = node.Inputs[0]!;
        if (node.Inputs[3]!.Constant is null) return ActivationProductRules.MatMul(lowering, node);
        if (node.Inputs[3]!.Constant is not { Shape.Rank: 2 } w || a.Shape!.Rank < 2 || node.Input(8) is { IsConstant: false }) return false;
        if (QuantizedParts.Of(node, w, isFilterFirst: false, node.Input(8)?.Constant) is not { } all) return false;
        var (parts, last) = Clipped(lowering, node, all);
        var (terms, outputs) = (checked((int)w.Shape[0]), checked((int)w.Shape[1]));
        QuantizedShape Product(long rows) => parts.Shape(new(1, terms, outputs, 1, ConvAxis.None, ConvAxis.None, new(checked((int)rows))));
        Emit(lowering, node, last, parts, new(lowering.Slot(a), 0, 0), new(lowering.Slot(last.Output), 0, 0), Product(1), a.Shape, dims => Product(new Shape(dims).Product(0, dims.Length - 1)));
        return true;
    }

    private delegate QuantizedShape Description(ReadOnlySpan<long> dims);

    /// <summary>With a Clip of the bytes to constant bounds, that nothing else reads before it.</summary>
    private static (QuantizedParts Parts, Node Last) Clipped(Lowering lowering, Node node, QuantizedParts parts)
    {
        if (node.Output.SoleUser is not { Operator: Clip } clip || clip.Graph != lowering.Graph || lowering.IsClaimed(clip) || clip.Input(1) is { IsConstant: false } || clip.Input(2) is { IsConstant: false }) return (parts, node);
        return (parts.Within(clip.Input(1)?.Constant!.ToInt64()[0], clip.Input(2)?.Constant!.ToInt64()[0]), clip);
    }

    private static void Emit(Lowering lowering, Node node, Node last, QuantizedParts parts, ChannelSlice from, ChannelSlice to, QuantizedShape form, SymbolicShape extents, Description describe)
    {
        var target = lowering.Target;
        var kernel = QuantizedConvTable.Named(lowering.Choose(new QuantizedProblem(form with { Conv = form.Conv.Dense() })));
        var packed = lowering.Pack($"{kernel.Name} {form} {parts.Digest}", kernel.Plan(form, target).PackedWeightBytes, bytes => parts.Pack(kernel.Plan(form, target), bytes), parts.Weights.Weights);
        var isKnown = extents.Skip(1).All(d => d.Constant is not null);
        var rehearsed = form with { Conv = form.Conv with { Batch = extents[0].Constant is null ? 0 : form.Conv.Batch } };
        lowering.Prepare($"{kernel.Name} {rehearsed} {isKnown}", () => kernel.Rehearse(rehearsed, isKnown, target));
        lowering.Emit(new PlanStep(last.Name, [from.Slot], [to.Slot], context =>
        {
            var plan = kernel.Plan(describe([.. extents.Select(context.Evaluate)]), target);
            return new PlanTasks((m, first, end, scratch) =>
            {
                var call = parts.Call;
                call.X = (byte*)m[from.Slot] + from.Offset;
                call.PackedWeights = (byte*)packed.Pointer;
                call.Y = (byte*)m[to.Slot] + to.Offset;
                plan.Run(call, first, end, scratch);
            })
            {
                Kernel = plan.KernelName,
                Tasks = plan.Tasks,
                ScratchBytes = plan.ScratchBytes,
            };
        })
        {
            Operation = node == last ? node.Operator.Name : $"{node.Operator.Name}+{last.Operator.Name}",
            Origins = [.. node.Origins.Union(last.Origins)],
            Weights = packed.Length,
        }, node == last ? [node] : [node, last]);
    }
}
