using AiOptix.Graphs;
using AiOptix.Graphs.Ops;
using AiOptix.Kernels.Rotary;
using AiOptix.Tensors;

namespace AiOptix.Cpu.Lower;

/// <summary>RotaryEmbedding in float32.</summary>
internal static unsafe class RotaryRules
{
    public static bool Rotary(Lowering lowering, Node node)
    {
        var op = (RotaryEmbedding)node.Operator;
        var (x, cosines, sines, positions) = (node.Inputs[0]!, node.Inputs[1]!, node.Inputs[2]!, node.Input(3));
        var isHeadMajor = x.Shape!.Rank == 4;
        if (x.DType != DType.Float32 || positions is { DType: not DType.Int64 }) return false;
        if ((isHeadMajor ? x.Shape[3].Constant : x.Shape[2].Constant / op.Heads) is not { } size) return false;
        var turned = op.Size == 0 ? size : op.Size;
        if (turned > size || turned % 2 != 0 || size > int.MaxValue || cosines.Shape![-1].Constant != turned / 2 || sines.Shape![-1].Constant != turned / 2) return false;
        if (cosines.Shape.Rank != (positions is null ? 3 : 2) || sines.Shape.Rank != cosines.Shape.Rank) return false;
        var length = x.Shape[isHeadMajor ? 2 : 1];
        var places = positions?.Shape ?? cosines.Shape;
        if (!places[0].Equals(x.Shape[0]) || !places[1].Equals(length)) return false;
        var row = RotaryTable.Select(op.Interleaved);
        var (from, cos, sin, at, to) = (lowering.Slot(x), lowering.Slot(cosines), lowering.Slot(sines), positions is null ? -1 : lowering.Slot(positions), lowering.Slot(node.Output));
        lowering.Prepare(row.Name, () => RotaryPlan.Rehearse(row));
        lowering.Emit(node, at < 0 ? [from, cos, sin] : [from, cos, sin, at], context =>
        {
            var shape = context.Shape(from);
            var (heads, count) = isHeadMajor ? (shape[1], shape[2]) : (op.Heads, shape[1]);
            var plan = new RotaryPlan(new(checked((int)shape[0]), checked((int)heads), checked((int)count), (int)size, (int)turned, isHeadMajor), row);
            var rows = context.Shape(cos).Count / (turned / 2);
            return new PlanTasks((m, first, end, _) => plan.Run(new RotaryCall
            {
                X = (float*)m[from],
                Cosines = (float*)m[cos],
                Sines = (float*)m[sin],
                Positions = at < 0 ? null : (long*)m[at],
                Rows = rows,
                Y = (float*)m[to],
            }, first, end), m => at < 0 ? null : Outside((long*)m[at], shape[0] * count, rows))
            {
                Kernel = row.Name,
                Tasks = plan.Tasks,
            };
        });
        return true;
    }

    private static string? Outside(long* positions, long count, long rows)
    {
        for (long i = 0; i < count; i++)
            if ((ulong)positions[i] >= (ulong)rows) return $"position {positions[i]} lies outside of the {rows} rows of cosines and sines";
        return null;
    }
}
