using AiOptix.Graphs;
using AiOptix.Graphs.Ops;
using AiOptix.Kernels.Norm;
using AiOptix.Tensors;

namespace AiOptix.Cpu.Lower;

/// <summary>Normalisations in float32.</summary>
internal static unsafe class NormRules
{
    public static bool LayerNormalization(Lowering lowering, Node node)
    {
        var op = (LayerNormalization)node.Operator;
        return Rows(lowering, node, op.Axis, op.Epsilon, centred: true);
    }

    public static bool RmsNormalization(Lowering lowering, Node node)
    {
        var op = (RMSNormalization)node.Operator;
        return Rows(lowering, node, op.Axis, op.Epsilon, centred: false);
    }

    public static bool InstanceNormalization(Lowering lowering, Node node) => Groups(lowering, node, null, ((InstanceNormalization)node.Operator).Epsilon);

    public static bool GroupNormalization(Lowering lowering, Node node)
    {
        var op = (GroupNormalization)node.Operator;
        return Groups(lowering, node, op.NumGroups, op.Epsilon);
    }

    /// <summary>With constant statistics, a factor and an addend a channel, worked out in float64 and rounded once.</summary>
    public static bool BatchNormalization(Lowering lowering, Node node) => Affine(lowering, node, (BatchNormalization)node.Operator, channelAxis: 1);

    /// <summary>The same with channels last.</summary>
    public static bool ChannelsLast(Lowering lowering, Node node, BatchNormalization op) => Affine(lowering, node, op, node.Output.Shape!.Rank - 1);

    private static bool Affine(Lowering lowering, Node node, BatchNormalization op, int channelAxis)
    {
        var input = node.Inputs[0]!;
        if (op.Training || input.DType != DType.Float32 || input.Shape!.Rank < 2) return false;
        if (node.Inputs.Skip(1).Any(i => i!.Constant is not { DType: DType.Float32 })) return false;
        var (scale, bias) = Fold(node, op.Epsilon);
        var (x, y) = (lowering.Slot(input), lowering.Slot(node.Output));
        var target = lowering.Target;
        lowering.Prepare("channel affine", () => ChannelAffinePlan.Rehearse(NormTable.Select(target)));
        lowering.Emit(node, [x], context =>
        {
            var shape = context.Shape(x);
            if (shape[channelAxis] != scale.Count) throw new InvalidInputException($"node {node}: the input has {shape[channelAxis]} channels; the statistics are for {scale.Count}");
            var plan = new ChannelAffinePlan(shape.Product(0, channelAxis), scale.Count, shape.Product(channelAxis + 1, shape.Rank), target);
            return new PlanTasks((s, from, to, _) => plan.Run((float*)s[x], (float*)scale.Pointer, (float*)bias.Pointer, (float*)s[y], from, to))
            {
                Kernel = plan.Kernel.Name,
                Tasks = plan.Tasks,
            };
        });
        return true;
    }

    private static (Tensor Scale, Tensor Bias) Fold(Node node, float epsilon)
    {
        float[] Read(int input)
        {
            var t = node.Inputs[input]!.Constant!;
            var values = t.Span<float>().ToArray();
            GC.KeepAlive(t);
            return values;
        }
        var (scale, bias, mean, variance) = (Read(1), Read(2), Read(3), Read(4));
        for (var c = 0; c < scale.Length; c++)
        {
            var factor = scale[c] / Math.Sqrt((double)variance[c] + epsilon);
            scale[c] = (float)factor;
            bias[c] = (float)(bias[c] - mean[c] * factor);
        }
        return (Tensor.Vector<float>(scale), Tensor.Vector<float>(bias));
    }

    private static bool Rows(Lowering lowering, Node node, long axis, float epsilon, bool centred)
    {
        var input = node.Inputs[0]!;
        if (input.DType != DType.Float32 || node.Outputs.Skip(1).Any(o => !o.IsUnused)) return false;
        var at = MovementRules.Normal(axis, input.Shape!.Rank);
        var normalised = new SymbolicShape(input.Shape.Dims[at..]);
        foreach (var w in node.Inputs.Skip(1))
            if (w is not null && (w.DType != DType.Float32 || !normalised.Equals(w.Shape))) return false;
        var (x, y) = (lowering.Slot(input), lowering.Slot(node.Output));
        var scale = lowering.Slot(node.Inputs[1]!);
        var bias = node.Input(2) is { } b ? lowering.Slot(b) : -1;
        var target = lowering.Target;
        lowering.Prepare($"layer norm {centred}", () => LayerNormPlan.Rehearse(centred, NormTable.Select(target)));
        lowering.Emit(node, bias >= 0 ? [x, scale, bias] : [x, scale], context =>
        {
            var shape = context.Shape(x);
            var plan = new LayerNormPlan(shape.Product(0, at), shape.Product(at, shape.Rank), epsilon, centred, target);
            return new PlanTasks((s, from, to, _) =>
            {
                var args = new NormArgs { X = (float*)s[x], Scale = (float*)s[scale], Bias = bias >= 0 ? (float*)s[bias] : null, Y = (float*)s[y] };
                plan.Run(&args, from, to);
            })
            {
                Kernel = plan.Kernel.Name,
                Tasks = plan.Tasks,
            };
        });
        return true;
    }

    /// <summary>GroupNorm, or InstanceNorm where <paramref name="groups"/> is null, over channels that lie last.</summary>
    public static bool ChannelsLast(Lowering lowering, Node node, long? groups, float epsilon)
    {
        var input = node.Inputs[0]!;
        if (node.Inputs.Any(i => i!.DType != DType.Float32)) return false;
        var (x, scale, bias, y) = (lowering.Slot(input), lowering.Slot(node.Inputs[1]!), lowering.Slot(node.Inputs[2]!), lowering.Slot(node.Output));
        var target = lowering.Target;
        lowering.Prepare("group norm last", () => GroupNormLastPlan.Rehearse(NormTable.Select(target)));
        lowering.Emit(node, [x, scale, bias], context =>
        {
            var shape = context.Shape(x);
            var channels = Fitting(node, shape[-1], context.Shape(scale), context.Shape(bias), groups);
            var plan = new GroupNormLastPlan(shape[0], channels, groups ?? channels, shape.Product(1, shape.Rank - 1), epsilon, target);
            return new PlanTasks((s, from, to, scratch) =>
            {
                var args = new NormArgs { X = (float*)s[x], Scale = (float*)s[scale], Bias = (float*)s[bias], Y = (float*)s[y] };
                plan.Run(&args, from, to, scratch);
            })
            {
                Kernel = plan.Kernel.Name,
                Tasks = plan.Tasks,
                ScratchBytes = plan.ScratchBytes,
            };
        });
        return true;
    }

    private static long Fitting(Node node, long channels, Shape scale, Shape bias, long? groups) =>
        scale.Count == channels && bias.Count == channels && (groups is not { } n || channels % n == 0) ? channels
            : throw new InvalidInputException($"node {node}: scale {scale}, bias {bias} and groups do not fit {channels} channels");

    private static bool Groups(Lowering lowering, Node node, long? groups, float epsilon)
    {
        var input = node.Inputs[0]!;
        if (node.Inputs.Any(i => i!.DType != DType.Float32) || input.Shape!.Rank < 3) return false;
        var (x, scale, bias, y) = (lowering.Slot(input), lowering.Slot(node.Inputs[1]!), lowering.Slot(node.Inputs[2]!), lowering.Slot(node.Output));
        var target = lowering.Target;
        lowering.Prepare("group norm", () => GroupNormPlan.Rehearse(NormTable.Select(target)));
        lowering.Emit(node, [x, scale, bias], context =>
        {
            var shape = context.Shape(x);
            var channels = Fitting(node, shape[1], context.Shape(scale), context.Shape(bias), groups);
            var plan = new GroupNormPlan(shape[0], channels, groups ?? channels, shape.Product(2, shape.Rank), epsilon, target);
            return new PlanTasks((s, from, to, _) =>
            {
                var args = new NormArgs { X = (float*)s[x], Scale = (float*)s[scale], Bias = (float*)s[bias], Y = (float*)s[y] };
                plan.Run(&args, from, to);
            })
            {
                Kernel = plan.Kernel.Name,
                Tasks = plan.Tasks,
            };
        });
        return true;
    }
}
