using AiOptix.Graphs;
using AiOptix.Graphs.Ops;
using AiOptix.Kernels.Sample;
using AiOptix.Tensors;

namespace AiOptix.Cpu.Lower;

/// <summary>GridSample, Col2Im and the windows of DeformConv of one to three axes, and RoiAlign by averages, in float32.</summary>
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

    public static bool Columns(Lowering lowering, Node node)
    {
        var op = (Col2Im)node.Operator;
        if (node.Inputs[0] is not { DType: DType.Float32 } data || node.Inputs[2]!.Constant is not { } given || given.ToInt64() is not { Length: >= 1 and <= 3 } block || node.Output.Shape!.Rank != block.Length + 2) return false;
        var window = new ConvGeometry(new(block), op.Strides, op.Dilations, op.Pads);
        if (window.Problem() is not null) return false;
        var (x, y, target) = (lowering.Slot(data), lowering.Slot(node.Output), lowering.Target);
        lowering.Prepare("columns", () => ColumnsPlan.Rehearse(SampleTable.Select(target)));
        lowering.Emit(node, [x], context =>
        {
            var (columns, image) = (context.Shape(x), context.Shape(y));
            var axes = block.Select((taps, a) => new WindowAxis(image[a + 2], window.Output(a, image[a + 2]), taps, window.Stride(a), window.Dilation(a), window.PadsOf(a, image[a + 2]).Begin)).ToArray();
            var (blocks, elements) = (axes.Aggregate(1L, (n, a) => n * a.Windows), block.Aggregate(1L, (n, t) => n * t));
            if (columns[2] != blocks || columns[1] % elements != 0) throw new InvalidInputException($"node {node}: columns of shape {columns} do not fit {blocks} blocks of {elements} elements");
            if (blocks * (Int128)elements > int.MaxValue) throw new LimitExceededException($"node {node}: {blocks} blocks of {elements} elements are more than {int.MaxValue} columns of a channel");
            var plan = new ColumnsPlan(new(columns[0], columns[1] / elements, axes), target);
            return new PlanTasks((s, from, to, scratch) => plan.Run((float*)s[x], (float*)s[y], from, to, scratch)) { Kernel = plan.Kernel.Name, Tasks = plan.Tasks, ScratchBytes = plan.ScratchBytes };
        });
        return true;
    }

    public static bool Deformed(Lowering lowering, Node node)
    {
        var op = (DeformedColumns)node.Operator;
        var (x, m, y, target) = (lowering.Slot(node.Inputs[0]!), lowering.Slot(node.Inputs[1]!), lowering.Slot(node.Output), lowering.Target);
        var f = node.Input(2) is { } factors ? lowering.Slot(factors) : -1;
        lowering.Prepare("deformed", () => DeformPlan.Rehearse(SampleTable.Select(target)));
        lowering.Emit(node, f < 0 ? [x, m] : [x, m, f], context =>
        {
            var (shape, moves, window) = (context.Shape(x), context.Shape(m), op.Window);
            Fits(node, shape);
            var outputs = window.Outputs(shape.Dims[2..]);
            var places = new Shape(outputs).Count;
            if (moves != new Shape([shape[0], op.MoveGroups * op.Taps * window.Rank, .. outputs]) || f >= 0 && context.Shape(f) != new Shape([shape[0], op.MoveGroups * op.Taps, .. outputs]))
                throw new InvalidInputException($"node {node}: offsets of shape {moves}, or the mask, do not fit {op.MoveGroups} groups of {op.Taps} window elements at {places} places");
            var axes = outputs.Select((n, a) => new WindowAxis(shape[a + 2], n, window.Kernel[a], window.Stride(a), window.Dilation(a), window.PadsOf(a, shape[a + 2]).Begin));
            var plan = new DeformPlan(new(shape[0], shape[1], op.MoveGroups, [.. axes]), target);
            return new PlanTasks((s, from, to, scratch) => plan.Run((float*)s[x], (float*)s[m], f < 0 ? null : (float*)s[f], (float*)s[y], from, to, scratch)) { Kernel = plan.Kernel.Name, Tasks = plan.Tasks, ScratchBytes = plan.ScratchBytes };
        });
        return true;
    }

    private static void Fits(Node node, Shape shape)
    {
        if (shape.Product(2, shape.Rank) > int.MaxValue) throw new LimitExceededException($"node {node}: a plane of shape {shape} has more than {int.MaxValue} elements");
    }
}
