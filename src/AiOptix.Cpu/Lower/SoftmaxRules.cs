using AiOptix.Graphs;
using AiOptix.Graphs.Ops;
using AiOptix.Kernels.Softmax;
using AiOptix.Tensors;

namespace AiOptix.Cpu.Lower;

/// <summary>Softmax and LogSoftmax in float32 along any axis.</summary>
internal static unsafe class SoftmaxRules
{
    /// <summary>A rule for one of them.</summary>
    public static LoweringRule Of(bool logarithm) => (lowering, node) =>
    {
        var input = node.Inputs[0]!;
        if (input.DType != DType.Float32 || input.Shape!.Rank == 0) return false;
        var axis = MovementRules.Normal(((LineFunction)node.Operator).Axis, input.Shape.Rank);
        var (x, y) = (lowering.Slot(input), lowering.Slot(node.Output));
        var target = lowering.Target;
        Dim[] inner = [.. input.Shape.Dims[(axis + 1)..]];
        if (inner.All(d => d.Constant is null or 1)) Prepare(rows: true);
        if (inner.Any(d => d.Constant != 1)) Prepare(rows: false);
        void Prepare(bool rows) => lowering.Prepare($"softmax {logarithm} {rows}", () => SoftmaxPlan.Rehearse(logarithm, rows, SoftmaxTable.Select(target)));
        lowering.Emit(node, [x], context =>
        {
            var shape = context.Shape(x);
            var plan = new SoftmaxPlan(new(logarithm, shape.Product(0, axis), shape[axis], shape.Product(axis + 1, shape.Rank)), target);
            return new PlanTasks((s, from, to, _) => plan.Run((float*)s[x], (float*)s[y], from, to)) { Kernel = plan.Kernel.Name, Tasks = plan.Tasks };
        });
        return true;
    };
}
