using AiOptix.Graphs;
using AiOptix.Graphs.Ops;
using AiOptix.Kernels.Resize;
using AiOptix.Runtime;
using AiOptix.Tensors;

namespace AiOptix.Cpu.Lower;

/// <summary>Resize of float32, and to the nearest element of any type, along one axis or two adjacent ones, by scales or sizes that are known when shapes are.</summary>
internal static unsafe class ResizeRules
{
    public static bool Resize(Lowering lowering, Node node)
    {
        var op = (Resize)node.Operator;
        var input = node.Inputs[0]!;
        var isPick = input.DType != DType.Float32 && op.Mode == ResizeMode.Nearest && MovementRules.IsBytes(input.DType);
        if (input.DType != DType.Float32 && !isPick || op.Coordinates == ResizeCoordinates.CropAndResize || First(op, node) is not { } first) return false;
        var sizes = node.Input(3) is { } given && given.Constant is not { Count: 0 } ? given.Elements : null;
        var scales = node.Input(2)?.Constant is { Count: > 0 } s ? s : null;
        if (sizes is null == scales is null) return false;
        var (x, y) = (lowering.Slot(input), lowering.Slot(node.Output));
        var target = lowering.Target;
        var row = ResizeTable.Select(target);
        if (isPick)
        {
            Pick(lowering, node, context => Describe(op, node, context.Shape(x), first, scales, sizes is null ? null : Tensor.Vector<long>([.. sizes.Select(context.Evaluate)])));
            return true;
        }
        lowering.Prepare(row.Name, () => ResizePlan.Rehearse(row));
        lowering.Emit(node, [x], context =>
        {
            var plan = new ResizePlan(Describe(op, node, context.Shape(x), first, scales, sizes is null ? null : Tensor.Vector<long>([.. sizes.Select(context.Evaluate)])), target);
            return new PlanTasks((slots, from, to, scratch) => plan.Run((float*)slots[x], (float*)slots[y], from, to, scratch))
            {
                Kernel = plan.Kernel.Name,
                Tasks = plan.Tasks,
                ScratchBytes = plan.ScratchBytes,
            };
        });
        return true;
    }

    private static void Pick(Lowering lowering, Node node, Func<BindContext, ResizeDescriptor> describe)
    {
        var (x, y, size) = (lowering.Slot(node.Inputs[0]!), lowering.Slot(node.Output), node.Output.DType.Bits() / 8);
        lowering.Prepare("pick", PickPlan.Rehearse);
        lowering.Emit(node, [x], context =>
        {
            var plan = new PickPlan(describe(context), size);
            return new PlanTasks((slots, from, to, _) => plan.Run((byte*)slots[x], (byte*)slots[y], from, to)) { Kernel = "pick", Tasks = plan.Tasks };
        });
    }

    /// <summary>The first of the axes that may change, when they are one or two adjacent ones; null otherwise.</summary>
    private static int? First(Resize op, Node node)
    {
        var shape = node.Inputs[0]!.Shape!;
        var factors = node.Input(2)?.Constant is { Count: > 0 } s && s.DType == DType.Float32 ? s.Span<float>().ToArray() : null;
        var sizes = node.Input(3)?.Elements;
        var axes = op.Axes.Count > 0 ? op.Axes.Span.ToArray().Select(a => MovementRules.Normal(a, shape.Rank)) : Queries.Each(shape.Rank, i => i);
        var changed = new List<int>();
        for (var i = 0; i < axes.Length; i++)
            if (!(factors is not null ? factors[i] == 1 : op.Aspect == ResizeAspect.Stretch && sizes is not null && sizes[i].Equals(shape[axes[i]]))) changed.Add(axes[i]);
        changed.Sort();
        GC.KeepAlive(node.Input(2)?.Constant);
        return changed.Count switch
        {
            1 => changed[0],
            2 when changed[1] == changed[0] + 1 => changed[0],
            _ => null,
        };
    }

    private static ResizeDescriptor Describe(Resize op, Node node, Shape input, int first, Tensor? scales, Tensor? sizes)
    {
        var axes = op.AxesOf(new EvaluationContext(node, [], Limits.Default), input, region: null, scales, sizes);
        var second = first + 1 < input.Rank ? first + 1 : -1;
        return second < 0
            ? new(input.Product(0, first), ResizeTaps.Identity(1), Taps(axes[first], input[first]), 1)
            : new(input.Product(0, first), Taps(axes[first], input[first]), Taps(axes[second], input[second]), input.Product(second + 1, input.Rank));
    }

    private static ResizeTaps Taps(ResizeAxis? axis, long extent) => axis is null
        ? ResizeTaps.Identity(checked((int)extent))
        : new(checked((int)extent), axis.Output, axis.Taps, axis.Positions, axis.Weights);
}
