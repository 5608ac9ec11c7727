using AiOptix.Graphs;
using AiOptix.Graphs.Ops;
using AiOptix.Kernels.Reduce;
using AiOptix.Tensors;

namespace AiOptix.Cpu.Lower;

/// <summary>Reductions of float32, and of integers where they are a sum, a product or an extreme, over any axes.</summary>
internal static unsafe class ReduceRules
{
    /// <summary>A rule for a reduction; an inner transform that the kernels do not have goes to the Reference step.</summary>
    public static LoweringRule Of(ReduceKind kind) => (lowering, node) =>
    {
        var input = node.Inputs[0]!;
        if (Axes(node, input.Shape!.Rank) is not { } reduced || reduced.All(r => !r)) return false;
        if (input.DType != DType.Float32) return Integers(lowering, node, kind, reduced);
        Emit(lowering, node, kind, reduced);
        return true;
    };

    /// <summary>GlobalAveragePool and GlobalMaxPool: a reduction over all spatial axes.</summary>
    public static LoweringRule Global(ReduceKind kind) => (lowering, node) =>
    {
        var input = node.Inputs[0]!;
        if (input.DType != DType.Float32 || input.Shape!.Rank < 3) return false;
        Emit(lowering, node, kind, Queries.Each(input.Shape.Rank, i => i >= 2));
        return true;
    };

    /// <summary>ArgMax and ArgMin.</summary>
    public static bool Position(Lowering lowering, Node node)
    {
        var op = (ArgReduction)node.Operator;
        var input = node.Inputs[0]!;
        if (input.DType != DType.Float32 || input.Shape!.Rank == 0) return false;
        var axis = MovementRules.Normal(op.Axis, input.Shape.Rank);
        var (x, y) = (lowering.Slot(input), lowering.Slot(node.Output));
        lowering.Prepare("arg reduce", ArgReducePlan.Rehearse);
        lowering.Emit(node, [x], context =>
        {
            var shape = context.Shape(x);
            if (shape[axis] == 0) throw new InvalidInputException($"node {node}: axis {axis} of shape {shape} is empty; it has no extreme element");
            var plan = new ArgReducePlan(new(op is ArgMin, op.SelectLast, shape.Product(0, axis), shape[axis], shape.Product(axis + 1, shape.Rank)));
            return new PlanTasks((s, from, to, _) => plan.Run((float*)s[x], (long*)s[y], from, to)) { Kernel = "arg_reduce_f32", Tasks = plan.Tasks };
        });
        return true;
    }

    private static bool Integers(Lowering lowering, Node node, ReduceKind kind, bool[] reduced)
    {
        var type = node.Inputs[0]!.DType;
        if (IntegerReducePlan.Create(kind, type, [.. reduced.Select(_ => 1L)], reduced) is null) return false;
        var (x, y) = (lowering.Slot(node.Inputs[0]!), lowering.Slot(node.Output));
        lowering.Prepare($"reduce {(int)kind} {(int)type}", () => IntegerReducePlan.Rehearse(kind, type));
        lowering.Emit(node, [x], context =>
        {
            var plan = IntegerReducePlan.Create(kind, type, context.Shape(x).Dims.ToArray(), reduced)!;
            return new PlanTasks((s, from, to, _) => plan.Run((byte*)s[x], (byte*)s[y], from, to)) { Kernel = plan.KernelName, Tasks = plan.Tasks };
        });
        return true;
    }

    private static void Emit(Lowering lowering, Node node, ReduceKind kind, bool[] reduced)
    {
        var (x, y) = (lowering.Slot(node.Inputs[0]!), lowering.Slot(node.Output));
        var target = lowering.Target;
        lowering.Prepare($"reduce {(int)kind}", () => ReducePlan.Rehearse(kind, target));
        lowering.Emit(node, [x], context =>
        {
            var plan = new ReducePlan(new(kind, context.Shape(x).Dims.ToArray(), reduced), target);
            return new PlanTasks((s, from, to, _) => plan.Run((float*)s[x], (float*)s[y], from, to)) { Kernel = plan.Kernel.Name, Tasks = plan.Tasks };
        });
    }

    /// <summary>Which axes are reduced, or null when that is not known.</summary>
    private static bool[]? Axes(Node node, int rank)
    {
        var reduced = new bool[rank];
        if (node.Input(1) is { } given && given.Elements is null) return null;
        if (node.Input(1) is not { Elements: { Count: > 0 } axes })
        {
            Array.Fill(reduced, !((Reduction)node.Operator).NoopWithEmptyAxes);
            return reduced;
        }
        foreach (var axis in axes)
        {
            if (axis.Constant is not { } a) return null;
            reduced[MovementRules.Normal(a, rank)] = true;
        }
        return reduced;
    }
}
