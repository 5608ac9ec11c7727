using AiOptix.Graphs;
using AiOptix.Graphs.Ops;
using AiOptix.Kernels.Cast;
using AiOptix.Kernels.Copy;
using AiOptix.Kernels.Gather;
using AiOptix.Tensors;

namespace AiOptix.Cpu.Lower;

/// <summary>Gather, Cast, Pad and ConstantOfShape.</summary>
internal static unsafe class IndexRules
{
    public static bool Gather(Lowering lowering, Node node)
    {
        var (data, indices) = (node.Inputs[0]!, node.Inputs[1]!);
        if (!MovementRules.IsBytes(data.DType)) return false;
        var axis = MovementRules.Normal(((Gather)node.Operator).Axis, data.Shape!.Rank);
        var (x, i, y) = (lowering.Slot(data), lowering.Slot(indices), lowering.Slot(node.Output));
        var size = data.DType.Bits() / 8;
        var type = indices.DType;
        long? entry = size;
        foreach (var dim in data.Shape.Dims[(axis + 1)..]) entry *= dim.Constant;
        var rows = entry is { } bytes ? [GatherTable.Select(bytes, type)] : new[] { GatherTable.Select(size, type), GatherTable.Select(0, type) };
        foreach (var row in rows) lowering.Prepare(row.Name, () => GatherPlan.Rehearse(row));
        lowering.Emit(node, [x, i], context =>
        {
            var shape = context.Shape(x);
            var count = context.Shape(i).Count;
            var plan = new GatherPlan(new(shape.Product(0, axis), shape[axis], shape.Product(axis + 1, shape.Rank) * size, count, type));
            return new PlanTasks((s, from, to, _) => plan.Run((byte*)s[x], (byte*)s[i], (byte*)s[y], from, to), s => PositionRules.OutOfRange((void*)s[i], type, count, -shape[axis], shape[axis]))
            {
                Kernel = plan.Kernel.Name,
                Tasks = plan.Tasks,
            };
        });
        return true;
    }

    public static bool Cast(Lowering lowering, Node node)
    {
        var (from, to) = (node.Inputs[0]!.DType, node.Output.DType);
        if (from == to)
        {
            lowering.Alias(node, node.Output, node.Inputs[0]!);
            return true;
        }
        if (CastTable.Select(from, to) is not { } row) return false;
        var (x, y) = (lowering.Slot(node.Inputs[0]!), lowering.Slot(node.Output));
        lowering.Prepare(row.Name, () => CastPlan.Rehearse(row));
        lowering.Emit(node, [x], context =>
        {
            var plan = new CastPlan(from, to, context.Shape(x).Count, row);
            return new PlanTasks((s, first, end, _) => plan.Run((byte*)s[x], (byte*)s[y], first, end)) { Kernel = plan.Kernel.Name, Tasks = plan.Tasks };
        });
        return true;
    }

    public static bool ConstantOfShape(Lowering lowering, Node node)
    {
        var value = ((ConstantOfShape)node.Operator).Value.Tensor;
        if (!MovementRules.IsBytes(node.Output.DType)) return false;
        Fill(lowering, node, [], _ => (nint)value.Pointer);
        return true;
    }

    /// <summary>Padding with a constant (the value everywhere, then the input into its window) or with what the input itself holds.</summary>
    public static bool Pad(Lowering lowering, Node node)
    {
        var pad = (Pad)node.Operator;
        var input = node.Inputs[0]!;
        if (!MovementRules.IsBytes(input.DType) || node.Inputs[1]!.Elements is not { } pads) return false;
        if (node.Input(3) is { Constant: null }) return false;
        var rank = input.Shape!.Rank;
        var axes = node.Input(3)?.Constant!.ToInt64().Select(a => MovementRules.Normal(a, rank)) ?? Queries.Each(rank, a => a);
        if (pad.Mode != PadMode.Constant) return Border(lowering, node, pad.Mode, pads, axes);
        var zero = Tensor.Allocate(input.DType, Shape.Scalar, zeroed: true);
        if (node.Input(2) is { } given)
        {
            var slot = lowering.Slot(given);
            Fill(lowering, node, [slot], s => s[slot]);
        }
        else Fill(lowering, node, [], _ => (nint)zero.Pointer);
        var (x, y) = (lowering.Slot(input), lowering.Slot(node.Output));
        var size = input.DType.Bits() / 8;
        MovementRules.PrepareCopies(lowering, size, MovementRules.IsShort(input, size) || MovementRules.IsShort(node.Output, size), CopyForm.Strided);
        lowering.Emit(new MoveStep(node.Name, [x], [y], lowering.Target, context =>
        {
            var (source, result) = (context.Shape(x), context.Shape(y));
            var dims = source.Dims.ToArray();
            long from = 0, to = 0;
            for (var i = 0; i < axes.Length; i++)
            {
                var (begin, end) = (context.Evaluate(pads[i]), context.Evaluate(pads[i + axes.Length]));
                dims[axes[i]] += Math.Min(begin, 0) + Math.Min(end, 0);
                from += Math.Max(-begin, 0) * source.Strides()[axes[i]];
                to += Math.Max(begin, 0) * result.Strides()[axes[i]];
            }
            return [new Move(x, y, new CopyDescriptor(size, dims, source.Strides(), result.Strides()), from, to)];
        })
        {
            Operation = node.Operator.Name,
            Origins = node.Origins,
        });
        return true;
    }

    private static bool Border(Lowering lowering, Node node, PadMode mode, IReadOnlyList<Dim> pads, int[] axes)
    {
        var (x, y) = (lowering.Slot(node.Inputs[0]!), lowering.Slot(node.Output));
        var (size, rank) = (node.Output.DType.Bits() / 8, node.Output.Shape!.Rank);
        if (rank == 0 || size > 8) return false;
        var border = mode switch { PadMode.Edge => BorderMode.Edge, PadMode.Wrap => BorderMode.Wrap, _ => BorderMode.Reflect };
        lowering.Prepare($"border {size}", () => BorderPlan.Rehearse(size));
        lowering.Emit(node, [x], context =>
        {
            var (begin, end) = (new long[rank], new long[rank]);
            for (var i = 0; i < axes.Length; i++) (begin[axes[i]], end[axes[i]]) = (context.Evaluate(pads[i]), context.Evaluate(pads[i + axes.Length]));
            var plan = new BorderPlan(new(size, context.Shape(x).Dims.ToArray(), begin, end, border));
            return new PlanTasks((s, from, to, _) => plan.Run((byte*)s[x], (byte*)s[y], from, to)) { Kernel = "border", Tasks = plan.Tasks };
        });
        return true;
    }

    private delegate nint AddressOf(nint* slots);

    private static void Fill(Lowering lowering, Node node, int[] inputs, AddressOf value)
    {
        var y = lowering.Slot(node.Output);
        var size = node.Output.DType.Bits() / 8;
        lowering.Prepare($"fill {size}", () => FillPlan.Rehearse(size));
        lowering.Emit(node, inputs, context =>
        {
            var plan = new FillPlan(size, context.Shape(y).Count);
            return new PlanTasks((s, from, to, _) => plan.Run((byte*)value(s), (byte*)s[y], from, to)) { Kernel = "fill", Tasks = plan.Tasks };
        });
    }
}
