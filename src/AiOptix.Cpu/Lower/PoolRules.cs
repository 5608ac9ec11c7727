using AiOptix.Graphs;
using AiOptix.Graphs.Ops;
using AiOptix.Kernels.Pool;
using AiOptix.Tensors;

namespace AiOptix.Cpu.Lower;

/// <summary>Max and average pooling in float32, and max pooling of bytes with their channels last, over one to three axes.</summary>
internal static unsafe class PoolRules
{
    public static bool Pool(Lowering lowering, Node node) => Lower(lowering, node, (Pool)node.Operator, isLast: false);

    public static bool ChannelsLast(Lowering lowering, Node node, Pool pool) => Lower(lowering, node, pool, isLast: true);

    private static bool Lower(Lowering lowering, Node node, Pool pool, bool isLast)
    {
        var input = node.Inputs[0]!;
        if (isLast && pool is MaxPool && input.DType is DType.Int8 or DType.UInt8) return Bytes(lowering, node, pool);
        if (input.DType != DType.Float32 || input.Shape!.Rank is < 3 or > 5 || node.Outputs.Skip(1).Any(o => !o.IsUnused)) return false;
        var geometry = pool.Geometry;
        if (geometry.Pads.Any(p => p < 0)) return false;
        var from = isLast ? lowering.Read(input) : new(lowering.Slot(input), 0, 0);
        var to = isLast ? lowering.Place(node.Output) : new(lowering.Slot(node.Output), 0, 0);
        var (inputShape, outputShape) = (input.Shape, node.Output.Shape!);
        var target = lowering.Target;
        var row = PoolTable.Select(pool is MaxPool, target);
        lowering.Prepare($"{row.Name} {isLast}", () => PoolPlan.Rehearse(row, isLast));
        lowering.Emit(node, [from.Slot], [to.Slot], context =>
        {
            var descriptor = Describe(pool, geometry, inputShape.Evaluate(context.Symbols), outputShape.Evaluate(context.Symbols), isLast);
            var plan = new PoolPlan(descriptor with { XPitch = from.Pitch, YPitch = to.Pitch }, target);
            return new PlanTasks((s, first, end, scratch) => plan.Run((float*)s[from.Slot] + from.Offset, (float*)s[to.Slot] + to.Offset, first, end, scratch))
            {
                Kernel = plan.Kernel.Name,
                Tasks = plan.Tasks,
                ScratchBytes = plan.ScratchBytes,
            };
        });
        return true;
    }

    private static bool Bytes(Lowering lowering, Node node, Pool pool)
    {
        var (input, geometry) = (node.Inputs[0]!, pool.Geometry);
        if (input.Shape!.Rank is < 3 or > 5 || geometry.Pads.Any(p => p < 0)) return false;
        var (from, to) = (lowering.Read(input), lowering.Place(node.Output));
        var (inputShape, outputShape, isSigned) = (input.Shape, node.Output.Shape!, input.DType == DType.Int8);
        var row = BytePoolTable.Select(lowering.Target);
        lowering.Prepare(row.Name, () => BytePoolPlan.Rehearse(row));
        lowering.Emit(node, [from.Slot], [to.Slot], context =>
        {
            var descriptor = Describe(pool, geometry, inputShape.Evaluate(context.Symbols), outputShape.Evaluate(context.Symbols), isLast: true);
            var plan = new BytePoolPlan(descriptor with { XPitch = from.Pitch, YPitch = to.Pitch }, isSigned, row);
            return new PlanTasks((s, first, end, _) => plan.Run((byte*)s[from.Slot] + from.Offset, (byte*)s[to.Slot] + to.Offset, first, end)) { Kernel = row.Name, Tasks = plan.Tasks };
        });
        return true;
    }

    private static PoolDescriptor Describe(Pool pool, ConvGeometry geometry, Shape input, Shape output, bool isLast)
    {
        var first = isLast ? 1 : 2;
        long[] Each(Func<int, long> of) => Queries.Each(geometry.Rank, of);
        return new(pool is MaxPool, isLast ? input[0] : input[0] * input[1], Each(i => input[i + first]), Each(i => output[i + first]), Each(i => geometry.Kernel[i]), Each(geometry.Stride),
            Each(geometry.Dilation), Each(i => geometry.PadsOf(i, input[i + first]).Begin), Each(i => geometry.PadsOf(i, input[i + first]).End),
            pool is AveragePool { CountIncludePad: true }, isLast ? input[-1] : 1);
    }
}
