using AiOptix.Graphs;
using AiOptix.Graphs.Ops;
using AiOptix.Kernels.Sample;
using AiOptix.Tensors;

namespace AiOptix.Cpu.Lower;

/// <summary>GridSample of one to three axes, and RoiAlign by averages, in float32.</summary>
internal static unsafe class SampleRules
{
    public static bool Grid(Lowering lowering, Node node)
    {
        var op = (GridSample)node.Operator;
        var (data, grid) = (node.Inputs[0]!, node.Inputs[1]!);
        if (data is not { DType: DType.Float32, Shape.Rank: >= 3 and <= 5 } || grid is not { DType: DType.Float32, Shape: { } places } || places[-1].Constant != data.Shape.Rank - 2) return false;
        var mode = op.Mode switch { GridMode.Nearest => SampleMode.Nearest, GridMode.Cubic => SampleMode.Cubic, _ => SampleMode.Linear };
        var border = op.Padding switch { GridPadding.Border => SampleBorder.Border, GridPadding.Reflection => SampleBorder.Reflection, _ => SampleBorder.Zeros };
        var (x, g, y, target) = (lowering.Slot(data), lowering.Slot(grid), lowering.Slot(node.Output), lowering.Target);
        lowering.Prepare($"grid {mode} {border}", () => GridPlan.Rehearse(SampleTable.Select(target), mode, border));
        lowering.Emit(node, [x, g], context =>
        {
            var (shape, positions) = (context.Shape(x), context.Shape(g));
            if (positions[0] != shape[0]) throw new InvalidInputException($"node {node}: a grid of shape {positions} does not fit an input of shape {shape}");
            Fits(node, shape);
            var plan = new GridPlan(new(shape[0], shape[1], shape.Dims[2..].ToArray(), positions.Product(1, positions.Rank - 1), mode, border, op.AlignCorners), target);
            return new PlanTasks((s, from, to, scratch) => plan.Run((float*)s[x], (float*)s[g], (float*)s[y], from, to, scratch)) { Kernel = plan.Kernel.Name, Tasks = plan.Tasks, ScratchBytes = plan.ScratchBytes };
        });
        return true;
    }

    public static bool RoiAlign(Lowering lowering, Node node)
    {
        var op = (RoiAlign)node.Operator;
        if (op.Max || node.Inputs[0] is not { DType: DType.Float32, Shape.Rank: 4 } data || node.Inputs[1] is not { Shape: { Rank: 2 } regions } || regions[1].Constant != 4 || node.Inputs[2]!.Shape?.Rank != 1) return false;
        var (x, r, b, y, target) = (lowering.Slot(data), lowering.Slot(node.Inputs[1]!), lowering.Slot(node.Inputs[2]!), lowering.Slot(node.Output), lowering.Target);
        lowering.Prepare("roi align", () => RoiPlan.Rehearse(SampleTable.Select(target)));
        lowering.Emit(node, [x, r, b], context =>
        {
            var (shape, count) = (context.Shape(x), context.Shape(r)[0]);
            if (context.Shape(b) != new Shape(count)) throw new InvalidInputException($"node {node}: batch entries of shape {context.Shape(b)} do not fit {count} regions");
            Fits(node, shape);
            var plan = new RoiPlan(new(shape[0], shape[1], shape[2], shape[3], count, op.Height, op.Width, op.Scale, op.Samples, op.HalfPixel), target);
            return new PlanTasks((s, from, to, scratch) => plan.Run((float*)s[x], (float*)s[r], (long*)s[b], (float*)s[y], from, to, scratch), s => PositionRules.OutOfRange((void*)s[b], DType.Int64, count, 0, shape[0]))
            {
                Kernel = plan.Kernel.Name,
                Tasks = plan.Tasks,
                ScratchBytes = plan.ScratchBytes,
            };
        });
        return true;
    }

    private static void Fits(Node node, Shape shape)
    {
        if (shape.Product(2, shape.Rank) > int.MaxValue) throw new LimitExceededException($"node {node}: a plane of shape {shape} has more than {int.MaxValue} elements");
    }
}
