using AiOptix.Graphs;
using AiOptix.Graphs.Ops;
using AiOptix.Kernels.Reduce;
using AiOptix.Tensors;

namespace AiOptix.Cpu.Lower;

/// <summary>Reductions of float32 over any axes.</summary>
internal static unsafe class ReduceRules
{
    /// <summary>GlobalAveragePool and GlobalMaxPool: a reduction over all spatial axes.</summary>
    public static LoweringRule Global(ReduceKind kind) => (lowering, node) =>
    {
        var input = node.Inputs[0]!;
        if (input.DType != DType.Float32 || input.Shape!.Rank < 3) return false;
        Emit(lowering, node, kind, [.. Enumerable.Range(0, input.Shape.Rank).Select(i => i >= 2)]);
        return true;
    };

    private static void Emit(Lowering lowering, Node node, ReduceKind kind, bool[] reduced)
    {
        var (x, y) = (lowering.Slot(node.Inputs[0]!), lowering.Slot(node.Output));
        var target = lowering.Target;
        lowering.Emit(node, [x], context =>
        {
            var plan = new ReducePlan(new(kind, context.Shape(x).Dims.ToArray(), reduced), target);
            return new PlanTasks((s, from, to, _) => plan.Run((float*)s[x], (float*)s[y], from, to)) { Kernel = plan.Kernel.Name, Tasks = plan.Tasks };
        });
    }
}
