using AiOptix.Graphs;
using AiOptix.Graphs.Ops;
using AiOptix.Kernels.Pool;
using AiOptix.Tensors;

namespace AiOptix.Cpu.Lower;

/// <summary>Max and average pooling in float32 over one to three axes.</summary>
internal static unsafe class PoolRules
{
    public static bool Pool(Lowering lowering, Node node)
    {
        var pool = (Pool)node.Operator;
        var input = node.Inputs[0]!;
        if (input.DType != DType.Float32 || input.Shape!.Rank is < 3 or > 5 || node.Outputs.Skip(1).Any(o => !o.IsUnused)) return false;
        var geometry = pool.Geometry;
        if (geometry.Pads.Any(p => p < 0)) return false;
        var (x, y) = (lowering.Slot(input), lowering.Slot(node.Output));
        var target = lowering.Target;
        var row = PoolTable.Select(pool is MaxPool, target);
        lowering.Prepare(row.Name, () => PoolPlan.Rehearse(row));
        lowering.Emit(node, [x], context =>
        {
            var plan = new PoolPlan(Describe(pool, geometry, context.Shape(x), context.Shape(y)), target);
            return new PlanTasks((s, from, to, scratch) => plan.Run((float*)s[x], (float*)s[y], from, to, scratch))
            {
                Kernel = plan.Kernel.Name,
                Tasks = plan.Tasks,
                ScratchBytes = plan.ScratchBytes,
            };
        });
        return true;
    }

    private static PoolDescriptor Describe(Pool pool, ConvGeometry geometry, Shape input, Shape output)
    {
        long[] Each(Func<int, long> of) => [.. Enumerable.Range(0, geometry.Rank).Select(of)];
        return new(pool is MaxPool, input[0] * input[1], Each(i => input[i + 2]), Each(i => output[i + 2]), Each(i => geometry.Kernel[i]), Each(geometry.Stride),
            Each(geometry.Dilation), Each(i => geometry.PadsOf(i, input[i + 2]).Begin), Each(i => geometry.PadsOf(i, input[i + 2]).End),
            pool is AveragePool { CountIncludePad: true });
    }
}
