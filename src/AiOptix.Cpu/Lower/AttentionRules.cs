using AiOptix.Graphs;
using AiOptix.Graphs.Ops;
using AiOptix.Kernels.Attention;
using AiOptix.Kernels.Copy;
using AiOptix.Runtime;
using AiOptix.Tensors;
using Broadcasting = AiOptix.Kernels.Loops.Broadcasting;

namespace AiOptix.Cpu.Lower;

/// <summary>
/// Attention in float32: heads are read where they lie, through the views around them, and written through a Transpose behind. A past and the new keys and values are copied once,
/// into the present ones, and attended to there.
/// </summary>
internal static unsafe class AttentionRules
{
    public static bool Attention(Lowering lowering, Node node)
    {
        var op = (Attention)node.Operator;
        if (node.Inputs.Take(3).Concat([node.Input(4), node.Input(5)]).Any(i => i is { DType: not DType.Float32 }) || node.Outputs.Skip(3).Any(o => !o.IsUnused)) return false;
        if (op.SoftmaxPrecision is { } p && p != DType.Float32) return false;
        var (mask, valid) = (node.Input(3), node.Input(6));
        if (mask is { DType: not (DType.Float32 or DType.Bool) } or { Shape: null or { Rank: 0 } } || valid is { DType: not DType.Int64 }) return false;
        var extents = op.Extents(node.Inputs[0]!.Shape!, node.Inputs[1]!.Shape!, node.Inputs[2]!.Shape!, node.Input(4)?.Shape);

        var parts = new AttentionParts(op, extents, StridedView.Of(lowering, node.Inputs[0]!), Present(lowering, node, extents, 1), Present(lowering, node, extents, 2))
        {
            Mask = mask is null ? -1 : lowering.Slot(mask),
            Valid = valid is null ? -1 : lowering.Slot(valid),
        };
        var (nodes, output, transposed) = Result(lowering, node);
        var y = lowering.Slot(output);
        var target = lowering.Target;
        int Known(Dim d) => checked((int)(d.Constant ?? 0));
        var shape = new AttentionShape(1, 1, 1, Known(extents.Queries), Known(extents.Keys), Known(extents.HeadSize), Known(extents.ValueSize));
        lowering.Prepare($"attention {shape}", () => AttentionPlan.Rehearse(AttentionTable.Select(target), shape));
        var step = new PlanStep(nodes[^1].Name, parts.Inputs, [y], context => Bind(context, parts, y, transposed, target))
        {
            Operation = string.Join("+", nodes.Select(n => n.Operator.Name)),
            Origins = [.. nodes.SelectMany(n => n.Origins)],
        };
        lowering.Emit(step, nodes);
        return true;
    }

    /// <summary>Keys (output 1) or values (output 2) to attend to: the input where it lies, or the present ones that it is copied to, behind the past ones.</summary>
    private static StridedView Present(Lowering lowering, Node node, AttentionExtents extents, int output)
    {
        var added = StridedView.Of(lowering, node.Inputs[output]!);
        var past = node.Input(output + 3);
        var isWanted = node.Outputs.Count > output && !node.Outputs[output].IsUnused;
        if (past is null && !isWanted) return added;
        var size = output == 1 ? extents.HeadSize : extents.ValueSize;
        var type = new TensorType(DType.Float32, new(extents.Batch, extents.KeyHeads, extents.Keys, size));
        var present = isWanted ? lowering.Slot(node.Outputs[output]) : lowering.Between(node, type);
        var before = past is null ? -1 : lowering.Slot(past);
        MovementRules.PrepareCopies(lowering, sizeof(float), size.Constant is not { } n || n <= 4, CopyForm.Strided, CopyForm.Transpose);
        lowering.Emit(new MoveStep(node.Name, past is null ? [added.Slot] : [before, added.Slot], [present], lowering.Target, context => Moves(context, before, added, present, extents.PastKeys))
        {
            Operation = "Concat",
            Origins = node.Origins,
        });
        return new(present, context => StridedPlace.Dense(context.Shape(present)));
    }

    private static IEnumerable<Move> Moves(BindContext context, int past, StridedView added, int present, Dim pastKeys)
    {
        var (all, before) = (context.Shape(present), context.Evaluate(pastKeys));
        var strides = all.Strides();
        if (past >= 0) yield return new(past, present, new(sizeof(float), context.Shape(past).Dims.ToArray(), context.Shape(past).Strides(), strides));
        var place = added.Place(context);
        var heads = Heads(place, all[3]);
        yield return new(added.Slot, present, new(sizeof(float), [all[0], all[1], all[2] - before, all[3]], [heads.Batch, heads.Head, heads.Position, heads.Element], strides),
            place.Offset, before * strides[2]);
    }

    /// <summary>A Transpose that brings the result back to [batch, length, heads, size] costs nothing here.</summary>
    private static (Node[] Nodes, Value Output, bool Transposed) Result(Lowering lowering, Node node)
    {
        var isTranspose = node.Output is { Shape.Rank: 4, SoleUser: { Operator: Transpose t } user } && user.Graph == lowering.Graph && !lowering.IsClaimed(user)
            && t.PermutationOf(4) is [0, 2, 1, 3];
        return isTranspose ? ([node, node.Output.SoleUser!], node.Output.SoleUser!.Output, true) : ([node], node.Output, false);
    }

    private static PlanTasks Bind(BindContext context, AttentionParts parts, int y, bool transposed, Target target)
    {
        int Of(Dim d) => checked((int)context.Evaluate(d));
        var (op, extents, m, valid) = (parts.Operator, parts.Extents, parts.Mask, parts.Valid);
        var shape = new AttentionShape(Of(extents.Batch), Of(extents.QueryHeads), Of(extents.KeyHeads), Of(extents.Queries), Of(extents.Keys), Of(extents.HeadSize), Of(extents.ValueSize));
        if (shape.Heads > 0 && (shape.KeyHeads == 0 || shape.Heads % shape.KeyHeads != 0))
            throw new InvalidInputException($"{shape.Heads} query heads cannot share {shape.KeyHeads} key heads");
        var plan = new AttentionPlan(shape, target);
        var (q, k, v) = (parts.Q.Place(context), parts.K.Place(context), parts.V.Place(context));
        var template = new AttentionCall
        {
            QStrides = Heads(q, shape.Width),
            KStrides = Heads(k, shape.Width),
            VStrides = Heads(v, shape.ValueWidth),
            YStrides = transposed || context.Shape(y).Rank == 3
                ? new((nint)shape.Queries * shape.Heads * shape.ValueWidth, shape.ValueWidth, (nint)shape.Heads * shape.ValueWidth)
                : new((nint)shape.Heads * shape.Queries * shape.ValueWidth, (nint)shape.Queries * shape.ValueWidth, shape.ValueWidth),
            Scale = op.Scale ?? (float)(1 / Math.Sqrt(shape.Width)),
            Softcap = op.Softcap > 0 ? op.Softcap : 0,
            Position = Of(extents.PastKeys),
            Before = op.LeftWindow < 0 ? int.MaxValue : (int)Math.Min(op.LeftWindow, int.MaxValue),
            After = op.IsCausal ? 0 : op.RightWindow < 0 ? int.MaxValue : (int)Math.Min(op.RightWindow, int.MaxValue),
        };
        var isBoolean = m >= 0 && context.DType(m) == DType.Bool;
        if (m >= 0)
        {
            var given = context.Shape(m);
            template.MaskKeys = (int)Math.Min(given[-1], shape.Keys);
            var s = Broadcasting.Strides(given, new Shape(shape.Batch, shape.Heads, shape.Queries, given[-1]));
            template.MaskStrides = new((nint)s[0], (nint)s[1], (nint)s[2]);
        }
        return new PlanTasks((slots, from, to, scratch) =>
        {
            var call = template;
            call.Q = (float*)slots[parts.Q.Slot] + q.Offset;
            call.K = (float*)slots[parts.K.Slot] + k.Offset;
            call.V = (float*)slots[parts.V.Slot] + v.Offset;
            call.Y = (float*)slots[y];
            call.Mask = m >= 0 && !isBoolean ? (float*)slots[m] : null;
            call.Allowed = isBoolean ? (byte*)slots[m] : null;
            call.Valid = valid >= 0 ? (long*)slots[valid] : null;
            plan.Run(call, from, to, scratch);
        })
        {
            Kernel = plan.Kernel.Name,
            Tasks = plan.Tasks,
            ScratchBytes = plan.ScratchBytes,
        };
    }

    /// <summary>Strides of [batch, head, position, element] for an operand of that layout, or of [batch, position, heads · size].</summary>
    private static HeadStrides Heads(StridedPlace operand, long size)
    {
        var s = operand.Strides;
        return s.Length == 4 ? new((nint)s[0], (nint)s[1], (nint)s[2], (nint)s[3]) : new((nint)s[0], (nint)(size * s[2]), (nint)s[1], (nint)s[2]);
    }

    private sealed record AttentionParts(Attention Operator, AttentionExtents Extents, StridedView Q, StridedView K, StridedView V)
    {
        public int Mask { get; init; } = -1;

        public int Valid { get; init; } = -1;

        public IReadOnlyList<int> Inputs => Array.FindAll([Q.Slot, K.Slot, V.Slot, Mask, Valid], s => s >= 0).DistinctFew();
    }
}
