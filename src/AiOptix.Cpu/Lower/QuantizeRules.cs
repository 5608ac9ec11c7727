using AiOptix.Graphs;
using AiOptix.Graphs.Ops;
using AiOptix.Kernels.Quantize;
using AiOptix.Tensors;

namespace AiOptix.Cpu.Lower;

/// <summary>Quantisation between float32 and bytes, with one scale or one for each entry of an axis.</summary>
internal static unsafe class QuantizeRules
{
    public static bool Quantize(Lowering lowering, Node node)
    {
        var op = (QuantizeLinear)node.Operator;
        return op.BlockSize == 0 && op.Precision is null or DType.Float32 && Lower(lowering, node, op.Axis);
    }

    public static bool Dequantize(Lowering lowering, Node node)
    {
        var op = (DequantizeLinear)node.Operator;
        return op.BlockSize == 0 && Lower(lowering, node, op.Axis);
    }

    /// <summary>With a scale and a zero point from the values: a step that measures them and one that quantises.</summary>
    public static bool Dynamic(Lowering lowering, Node node)
    {
        if (QuantizeTable.Select(DType.Float32, DType.UInt8, lowering.Target) is not { } row || node.Inputs[0]!.Shape is not { } shape) return false;
        var x = lowering.Slot(node.Inputs[0]!);
        int[] to = [.. node.Outputs.Select(lowering.Slot)];
        var extremes = lowering.Between(node, new(DType.Float32, new(Dim.FloorDiv(shape.Count, DynamicQuantizePlan.LeastATask) * 2 + 2)));
        lowering.Prepare($"dynamic {row.Name}", () => DynamicQuantizePlan.Rehearse(row));
        lowering.Emit(node, [x], [extremes], context =>
        {
            var plan = new DynamicQuantizePlan(context.Shape(x).Count, row);
            return new PlanTasks((m, first, end, _) => plan.Measure((float*)m[x], (float*)m[extremes], first, end)) { Kernel = "extremes_float32", Tasks = plan.Tasks };
        });
        lowering.Emit(node, [x, extremes], to, context =>
        {
            var plan = new DynamicQuantizePlan(context.Shape(x).Count, row);
            if (plan.Tasks == 0) return new PlanTasks((m, _, _, _) => DynamicQuantizePlan.Nothing((float*)m[to[1]], (byte*)m[to[2]])) { Kernel = row.Name, Tasks = 1 };
            return new PlanTasks((m, first, end, _) => plan.Quantize((float*)m[x], (float*)m[extremes], (byte*)m[to[0]], (float*)m[to[1]], (byte*)m[to[2]], first, end)) { Kernel = row.Name, Tasks = plan.Tasks };
        });
        return true;
    }

    private static bool Lower(Lowering lowering, Node node, long axis)
    {
        var (x, scale, zero) = (node.Inputs[0]!, node.Inputs[1]!, node.Input(2));
        if (scale.DType != DType.Float32 || scale.Shape is not { Rank: <= 1 } s || QuantizeTable.Select(x.DType, node.Output.DType, lowering.Target) is not { } row) return false;
        var alone = s.All(d => d.Constant == 1);
        if (!alone && (zero is not null && !s.Equals(zero.Shape) || x.Shape!.Rank == 0)) return false;
        if (alone && zero?.Shape is { } z && !z.All(d => d.Constant == 1)) return false;
        var at = alone ? 0 : MovementRules.Normal(axis, x.Shape!.Rank);
        if (!alone && !x.Shape![at].Equals(s[0])) return false;
        var (from, to, scales, zeros) = (lowering.Slot(x), lowering.Slot(node.Output), lowering.Slot(scale), zero is null ? -1 : lowering.Slot(zero));
        lowering.Prepare(row.Name, () => QuantizePlan.Rehearse(row));
        lowering.Emit(node, zero is null ? [from, scales] : [from, scales, zeros], context =>
        {
            var shape = context.Shape(from);
            var plan = new QuantizePlan(alone ? new(shape.Count, 1, Math.Max(1, shape.Count)) : new(shape.Count, shape[at], Math.Max(1, shape.Product(at + 1, shape.Rank))), row);
            return new PlanTasks((m, first, end, _) => plan.Run((byte*)m[from], (float*)m[scales], zeros < 0 ? null : (byte*)m[zeros], (byte*)m[to], first, end))
            {
                Kernel = row.Name,
                Tasks = plan.Tasks,
            };
        });
        return true;
    }
}
