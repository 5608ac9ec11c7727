using AiOptix.Graphs;
using AiOptix.Graphs.Ops;
using AiOptix.Kernels.Attention;
using AiOptix.Kernels.Loops;
using AiOptix.Runtime;
using AiOptix.Tensors;

namespace AiOptix.Cpu.Lower;

/// <summary>Attention in float32 without past: heads are read and written where they lie, through the transposes around it.</summary>
internal static unsafe class AttentionRules
{
    public static bool Attention(Lowering lowering, Node node)
    {
        var op = (Attention)node.Operator;
        if (node.Inputs.Take(3).Any(i => i!.DType != DType.Float32) || node.Outputs.Skip(1).Any(o => !o.IsUnused)) return false;
        if (node.Inputs.Skip(4).Any(i => i is not null) || op.Softcap != 0 || op.LeftWindow >= 0 || op.RightWindow >= 0) return false;
        if (op.SoftmaxPrecision is { } p && p != DType.Float32) return false;
        var extents = op.Extents(node.Inputs[0]!.Shape!, node.Inputs[1]!.Shape!, node.Inputs[2]!.Shape!, null);
        var mask = node.Input(3);
        if (mask is not null && (mask.DType != DType.Float32 || mask.Shape!.Rank == 0 || !mask.Shape[-1].Equals(extents.Keys))) return false;

        var (q, k, v) = (StridedOperand.Of(lowering, node.Inputs[0]!), StridedOperand.Of(lowering, node.Inputs[1]!), StridedOperand.Of(lowering, node.Inputs[2]!));
        var (nodes, output, transposed) = Result(lowering, node);
        var y = lowering.Slot(output);
        var m = mask is null ? -1 : lowering.Slot(mask);
        var target = lowering.Target;
        int Known(Dim d) => checked((int)(d.Constant ?? 0));
        var shape = new AttentionShape(1, 1, 1, Known(extents.Queries), Known(extents.Keys), Known(extents.HeadSize), Known(extents.ValueSize));
        lowering.Prepare($"attention {shape}", () => AttentionPlan.Rehearse(AttentionTable.Select(target), shape));
        int[] inputs = [.. new[] { q.Slot, k.Slot, v.Slot, m }.Where(s => s >= 0).Distinct()];
        var step = new PlanStep(nodes[^1].Name, inputs, [y], context => Bind(context, op, extents, q, k, v, m, y, transposed, target))
        {
            Operation = string.Join("+", nodes.Select(n => n.Operator.Name)),
            Origins = [.. nodes.SelectMany(n => n.Origins)],
        };
        lowering.Emit(step, nodes);
        return true;
    }

    /// <summary>A Transpose that brings the result back to [batch, length, heads, size] costs nothing here.</summary>
    private static (Node[] Nodes, Value Output, bool Transposed) Result(Lowering lowering, Node node)
    {
        var isTranspose = node.Output is { Shape.Rank: 4, SoleUser: { Operator: Transpose t } user } && user.Graph == lowering.Graph && !lowering.IsClaimed(user)
            && t.PermutationOf(4) is [0, 2, 1, 3];
        return isTranspose ? ([node, node.Output.SoleUser!], node.Output.SoleUser!.Output, true) : ([node], node.Output, false);
    }

    private static PlanTasks Bind(BindContext context, Attention op, AttentionExtents extents, StridedOperand q, StridedOperand k, StridedOperand v, int m, int y,
        bool transposed, Target target)
    {
        int Of(Dim d) => checked((int)context.Evaluate(d));
        var shape = new AttentionShape(Of(extents.Batch), Of(extents.QueryHeads), Of(extents.KeyHeads), Of(extents.Queries), Of(extents.Keys), Of(extents.HeadSize), Of(extents.ValueSize));
        var plan = new AttentionPlan(shape, target);
        var template = new AttentionCall
        {
            QStrides = Heads(q.At(context), shape.Width),
            KStrides = Heads(k.At(context), shape.Width),
            VStrides = Heads(v.At(context), shape.ValueWidth),
            YStrides = transposed || context.Shape(y).Rank == 3
                ? new((nint)shape.Queries * shape.Heads * shape.ValueWidth, shape.ValueWidth, (nint)shape.Heads * shape.ValueWidth)
                : new((nint)shape.Heads * shape.Queries * shape.ValueWidth, (nint)shape.Queries * shape.ValueWidth, shape.ValueWidth),
            Scale = op.Scale ?? (float)(1 / Math.Sqrt(shape.Width)),
            Causal = op.IsCausal,
        };
        if (m >= 0)
        {
            var s = Broadcasting.Strides(context.Shape(m), new Shape(shape.Batch, shape.Heads, shape.Queries, shape.Keys));
            template.MaskStrides = new((nint)s[0], (nint)s[1], (nint)s[2], (nint)s[3]);
        }
        return new PlanTasks((slots, from, to, scratch) =>
        {
            var call = template;
            call.Q = (float*)slots[q.Slot];
            call.K = (float*)slots[k.Slot];
            call.V = (float*)slots[v.Slot];
            call.Y = (float*)slots[y];
            call.Mask = m >= 0 ? (float*)slots[m] : null;
            plan.Run(call, from, to, scratch);
        })
        {
            Kernel = plan.Kernel.Name,
            Tasks = plan.Tasks,
            ScratchBytes = plan.ScratchBytes,
            Flops = 2.0 * shape.Batch * shape.Heads * shape.Queries * shape.Keys * (shape.Width + shape.ValueWidth),
        };
    }

    /// <summary>Strides of [batch, head, position, element] for an operand of that layout, or of [batch, position, heads · size].</summary>
    private static HeadStrides Heads((long[] Dims, long[] Strides) operand, long size)
    {
        var s = operand.Strides;
        return s.Length == 4 ? new((nint)s[0], (nint)s[1], (nint)s[2], (nint)s[3]) : new((nint)s[0], (nint)(size * s[2]), (nint)s[1], (nint)s[2]);
    }
}
