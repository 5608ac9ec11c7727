using AiOptix.Cpu.Bytes;
using AiOptix.Graphs;
using AiOptix.Kernels.Bytes;
using AiOptix.Kernels.Loops;
using AiOptix.Tensors;

namespace AiOptix.Cpu.Lower;

/// <summary>Element-wise functions of quantised bytes.</summary>
internal static unsafe class BytesRules
{
    public static bool Binary(Lowering lowering, Node node)
    {
        var function = ((BytesBinary)node.Operator).Function;
        if (ByteBinaryTable.Select(function.Kind, lowering.Target) is not { } row) return false;
        var (a, b, y) = (lowering.Slot(node.Inputs[0]!), lowering.Slot(node.Inputs[1]!), lowering.Slot(node.Output));
        lowering.Prepare(row.Name, () => ByteBinaryPlan.Rehearse(row));
        var steps = new Lazy<ByteSteps?>(() => ByteBinaryPlan.StepsOf(function, row));
        lowering.Prepare($"{row.Name} {function}", () => _ = steps.Value);
        lowering.Emit(node, [a, b], context =>
        {
            var shape = context.Shape(y);
            var plan = new ByteBinaryPlan(function, shape.Dims.ToArray(), Broadcasting.Strides(context.Shape(a), shape), Broadcasting.Strides(context.Shape(b), shape), row, steps.Value);
            return new PlanTasks((s, from, to, _) => plan.Run((byte*)s[a], (byte*)s[b], (byte*)s[y], from, to)) { Kernel = row.Name, Tasks = plan.Tasks };
        });
        return true;
    }

    public static bool Table(Lowering lowering, Node node)
    {
        var row = ByteTableTable.Select(lowering.Target);
        var table = Tensor.Vector<byte>(((BytesTable)node.Operator).Table.Span.ToArray());
        var (x, y) = (lowering.Slot(node.Inputs[0]!), lowering.Slot(node.Output));
        lowering.Prepare(row.Name, () => ByteTablePlan.Rehearse(row));
        lowering.Emit(node, [x], context =>
        {
            var plan = new ByteTablePlan(context.Shape(y).Count, row);
            return new PlanTasks((s, from, to, _) => plan.Run((byte*)s[x], (byte*)s[y], table.Pointer, from, to)) { Kernel = row.Name, Tasks = plan.Tasks };
        });
        return true;
    }
}
