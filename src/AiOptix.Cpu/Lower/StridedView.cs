using AiOptix.Graphs;
using AiOptix.Graphs.Ops;
using AiOptix.Runtime;
using AiOptix.Tensors;

namespace AiOptix.Cpu.Lower;

/// <summary>
/// A value read where it lies in the memory of another: through Transpose, Split, Slice, Gather of one index, Squeeze, Unsqueeze and Reshape, as far as extents and strides can say
/// it. So the parts of a fused product of queries, keys and values are read in place.
/// </summary>
/// <param name="Slot">The slot of the memory.</param>
/// <param name="Place">Extents, strides and offset in elements, once shapes are known.</param>
internal sealed record StridedView(int Slot, Func<BindContext, StridedPlace> Place)
{
    /// <summary>The view that stands for a value: as far back as one can be followed.</summary>
    public static StridedView Of(Lowering lowering, Value value)
    {
        if (Step(lowering, value) is not var (source, move))
        {
            var slot = lowering.Slot(value);
            return new(slot, context => StridedPlace.Dense(context.Shape(slot)));
        }
        var before = Of(lowering, source);
        return new(before.Slot, context => move(context, before.Place(context)));
    }

    private delegate StridedPlace Move(BindContext context, StridedPlace place);

    /// <summary>The value that a value is a view of, and how.</summary>
    private static (Value Source, Move Move)? Step(Lowering lowering, Value value)
    {
        if (value.Producer is not { } node || node.Graph != lowering.Graph || node.Inputs.Count == 0 || node.Inputs[0] is not { Shape: { } from } source) return null;
        if (source.Constant is not null || value.Shape is not { } to || !lowering.IsKnown(source)) return null;
        return node.Operator switch
        {
            Transpose t => (source, Transposed(t.PermutationOf(from.Rank))),
            Split s => Part(node, value, source, MovementRules.Normal(s.Axis, from.Rank)),
            Gather g => Index(node.Inputs[1]!, source, MovementRules.Normal(g.Axis, from.Rank)),
            Slice => Window(node, source, from.Rank),
            Reshape or Squeeze or Unsqueeze or Flatten or Identity => Groups(from, to) is { } groups ? (source, Reshaped(groups, to)) : null,
            _ => null,
        };
    }

    private static Move Transposed(int[] perm) => (_, p) => new([.. perm.Select(a => p.Dims[a])], [.. perm.Select(a => p.Strides[a])], p.Offset);

    private static (Value, Move) Part(Node split, Value value, Value source, int axis)
    {
        Dim[] before = [.. split.Outputs.TakeWhile(o => o != value).Select(o => o.Shape![axis])];
        var extent = value.Shape![axis];
        return (source, (context, p) =>
        {
            var dims = p.Dims.ToArray();
            dims[axis] = context.Evaluate(extent);
            return new(dims, p.Strides, p.Offset + before.Sum(context.Evaluate) * p.Strides[axis]);
        });
    }

    private static (Value, Move)? Index(Value index, Value source, int axis)
    {
        if (index.Constant is not { Shape.Rank: 0 } constant || source.Shape![axis].Constant is not { } extent) return null;
        var at = constant.ToInt64()[0];
        if (at < -extent || at >= extent) return null;
        if (at < 0) at += extent;
        return (source, (_, p) => new([.. p.Dims.Where((_, a) => a != axis)], [.. p.Strides.Where((_, a) => a != axis)], p.Offset + at * p.Strides[axis]));
    }

    private static (Value, Move)? Window(Node slice, Value source, int rank)
    {
        if (slice.Inputs[1]!.Elements is not { } starts || slice.Inputs[2]!.Elements is not { } ends) return null;
        if (slice.Input(3) is { Constant: null } || slice.Input(4) is { Constant: null }) return null;
        var axes = slice.Input(3)?.Constant!.ToInt64() ?? Queries.Each(starts.Count, i => (long)i);
        var steps = slice.Input(4)?.Constant!.ToInt64() ?? [.. axes.Select(_ => 1L)];
        return (source, (context, p) =>
        {
            var (dims, strides, offset) = (p.Dims.ToArray(), p.Strides.ToArray(), p.Offset);
            for (var i = 0; i < axes.Length; i++)
            {
                var axis = MovementRules.Normal(axes[i], rank);
                var (first, count) = Graphs.Ops.Slice.Bounds(p.Dims[axis], context.Evaluate(starts[i]), context.Evaluate(ends[i]), steps[i]);
                offset += first * p.Strides[axis];
                (dims[axis], strides[axis]) = (count, p.Strides[axis] * steps[i]);
            }
            return new(dims, strides, offset);
        });
    }

    /// <summary>For each axis before a Reshape how many axes it becomes; null when axes are joined, or the extents do not tell.</summary>
    private static int[]? Groups(SymbolicShape from, SymbolicShape to)
    {
        var groups = new int[from.Rank];
        var next = 0;
        for (var axis = 0; axis < from.Rank; axis++)
        {
            var begin = next;
            if (next < to.Rank && from[axis].Equals(to[next])) next++;
            else if (from[axis].Constant is { } extent)
            {
                long product = 1;
                while (product != extent)
                {
                    if (next == to.Rank || to[next].Constant is not { } d || d <= 0 || d > extent / product) return null;
                    product *= d;
                    next++;
                }
            }
            else return null;
            groups[axis] = next - begin;
        }
        for (; next < to.Rank; next++)
        {
            if (to[next].Constant != 1 || from.Rank == 0) return null;
            groups[^1]++;
        }
        return groups;
    }

    private static Move Reshaped(int[] groups, SymbolicShape to) => (context, p) =>
    {
        var dims = to.Dims.ToArray().Select(context.Evaluate).ToArray();
        var strides = new long[dims.Length];
        var end = 0;
        for (var axis = 0; axis < groups.Length; axis++)
        {
            end += groups[axis];
            var stride = p.Strides[axis];
            for (var i = end - 1; i >= end - groups[axis]; i--)
            {
                strides[i] = stride;
                stride *= dims[i];
            }
        }
        return new(dims, strides, p.Offset);
    };
}

/// <summary>Where the elements of a tensor lie, counted in elements.</summary>
/// <param name="Dims">Extents.</param>
/// <param name="Strides">From an index of an axis to the next.</param>
/// <param name="Offset">The first element.</param>
internal sealed record StridedPlace(long[] Dims, long[] Strides, long Offset)
{
    /// <summary>Row-major from the start.</summary>
    public static StridedPlace Dense(Shape shape) => new(shape.Dims.ToArray(), shape.Strides(), 0);
}
