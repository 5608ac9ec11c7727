using AiOptix.Graphs;
using AiOptix.Graphs.Ops;

namespace AiOptix.Passes.Fuse;

/// <summary>
/// Finds rotary positions and makes them a RotaryEmbedding. Half-split: x · cos + Concat(-second half, first half) · sin over [batch, heads, length, size], cosines and
/// sines of angles that a Concat with themselves made as long as a head. Interleaved: elements 2i and 2i + 1 of a head taken apart along a last axis of two, turned, and
/// put together again.
/// </summary>
public sealed class RotaryFusion : IPass
{
    private const int MaxDepth = 6;

    /// <inheritdoc/>
    public Patch? Match(Graph graph, Node node) => node.Operator switch
    {
        Add => Halves(graph, node),
        Reshape => Pairs(graph, node),
        _ => null,
    };

    private static Patch? Halves(Graph graph, Node node)
    {
        foreach (var (plain, turned) in node.Orders())
        {
            if (plain.MadeOnlyFor<Mul>(node) is not { } first || turned.MadeOnlyFor<Mul>(node) is not { } second) continue;
            foreach (var (rotated, sines) in second.Orders())
                foreach (var (x, cosines) in first.Orders())
                {
                    if (x.Shape is not { Rank: 4 } s || rotated.MadeOnlyFor<Concat>(second) is not { } join || !Rotates(join, x, s)) continue;
                    if (!Spreads(cosines, s, 1) || !Spreads(sines, s, 1) || !x.SameType(node.Output)) continue;
                    var patch = new Patch(graph, "two halves");
                    if (Half(cosines, patch, MaxDepth) is { } cos && Half(sines, patch, MaxDepth) is { } sin)
                        return patch.Replace(node.Output, patch.Add(new RotaryEmbedding(), x, Flat(cos, patch, 1), Flat(sin, patch, 1)));
                    patch.Discard();
                }
        }
        return null;
    }

    /// <summary>True for Concat(-second half of x, first half of x) along the last axis.</summary>
    private static bool Rotates(Node join, Value x, SymbolicShape s) =>
        join.Inputs is [{ } left, { } right] && Patterns.AxisOf(((Concat)join.Operator).Axis, 4) == 3 && left.MadeOnlyFor<Neg>(join) is { Inputs: [{ } negated] }
        && s[3].Constant is { } size && size % 2 == 0 && Part(negated, x, size) == 1 && Part(right, x, size) == 0;

    /// <summary>Which half of a value's last axis another one is; null when none.</summary>
    private static int? Part(Value value, Value whole, long size)
    {
        if (value.Producer is not { } node || node.Graph != whole.Graph || node.Input(0) != whole) return null;
        if (node.Operator is Split split)
            return Patterns.AxisOf(split.Axis, 4) == 3 && node.Outputs.Count == 2 && value.Shape?[3].Constant == size / 2 ? value.OutputIndex : null;
        if (node.Operator is not Slice || value.Shape?[3].Constant != size / 2 || node.Input(1).Integers() is not [var start] || node.Input(3).Integers() is not [var axis]) return null;
        if (Patterns.AxisOf(axis, 4) != 3 || node.Input(4) is { } steps && steps.Integers() is not [1]) return null;
        return start == 0 ? 0 : start == size / 2 || start == -size / 2 ? 1 : null;
    }

    private static Patch? Pairs(Graph graph, Node node)
    {
        if (node.Input(0).MadeOnlyFor<Concat>(node) is not { Inputs: [{ } left, { } right] } join || join.Output.Shape is not { Rank: 5 } s || s[4].Constant != 2) return null;
        if (Patterns.AxisOf(((Concat)join.Operator).Axis, 5) != 4 || Last(left, join) is not var (difference, _) || Last(right, join) is not var (sum, _)) return null;
        if (difference is not { Operator: Sub, Inputs: [{ } a, { } b] } || sum.Operator is not Add) return null;
        if (a.MadeOnlyFor<Mul>(difference) is not { } evenCos || b.MadeOnlyFor<Mul>(difference) is not { } oddSin) return null;
        foreach (var (even, cosines) in evenCos.Orders())
            foreach (var (odd, sines) in oddSin.Orders())
            {
                if (!Multiplies(sum, even, sines, odd, cosines) || Taken(even, 0) is not { } source || Taken(odd, 1) != source || !source.Shape!.Equals(s)) continue;
                var flat = new SymbolicShape(s[0], s[1], s[2], s[3]);
                var axis = Spreads(cosines, flat, 1) && Spreads(sines, flat, 1) ? 1 : Spreads(cosines, flat, 2) && Spreads(sines, flat, 2) ? 2 : 0;
                if (axis == 0 || s[3].Constant is not { } half || axis == 2 && s[2].Constant is null) continue;
                return Pair(graph, node, source, s, axis, half, cosines, sines);
            }
        return null;
    }

    private static Patch? Pair(Graph graph, Node node, Value source, SymbolicShape s, int axis, long half, Value cosines, Value sines)
    {
        var shape = axis == 1 ? new SymbolicShape(s[0], s[1], s[2], 2 * half) : new SymbolicShape(s[0], s[1], s[2] * (2 * half));
        if (node.Output.Shape is not { } to || ReshapeTarget.Of(s, shape) is not { } into || ReshapeTarget.Of(shape, to) is not { } back) return null;
        var patch = new Patch(graph, "neighbours");
        var x = patch.Add(into.Operator, source, patch.Constant(into.Extents));
        var turned = patch.Add(new RotaryEmbedding(Interleaved: true, Heads: axis == 2 ? s[2].Constant!.Value : 0), x, Flat(cosines, patch, axis), Flat(sines, patch, axis));
        return patch.Replace(node.Output, patch.Add(back.Operator, turned, patch.Constant(back.Extents)));
    }

    /// <summary>The node behind an Unsqueeze that adds a last axis.</summary>
    private static (Node Node, Node Unsqueeze)? Last(Value value, Node join) =>
        value.MadeOnlyFor<Unsqueeze>(join) is { } wide && value.Shape?[-1].Constant == 1 && wide.Input(1).Integers() is [4 or -1] && wide.Input(0)?.Producer is { } node
            && wide.Inputs[0]!.SoleUser == wide && node.Graph == join.Graph ? (node, wide) : null;

    /// <summary>True for even · sin + odd · cos in any order.</summary>
    private static bool Multiplies(Node sum, Value even, Value sines, Value odd, Value cosines)
    {
        foreach (var (left, right) in sum.Orders())
            if (Is(left, even, sines) && Is(right, odd, cosines)) return true;
        return false;

        bool Is(Value product, Value x, Value y) => product.MadeOnlyFor<Mul>(sum) is { } node && node.Orders().Any(o => o.First == x && o.Second == y);
    }

    /// <summary>The value of 5 axes from whose last axis an entry is taken.</summary>
    private static Value? Taken(Value value, long index) =>
        value.Producer is { Operator: Gather gather } node && node.Input(0) is { Shape.Rank: 5 } source && Patterns.AxisOf(gather.Axis, 5) == 4 && node.Input(1) is { Shape.Rank: 0 } at
            && at.Integers() is [var i] && (i < 0 ? i + 2 : i) == index ? source : null;

    /// <summary>True when cosines or sines of [batch, length, …] stand with one entry along an axis of the heads.</summary>
    private static bool Spreads(Value angles, SymbolicShape x, int axis)
    {
        if (angles.Shape is not { Rank: 4 } s || s[axis].Constant != 1) return false;
        for (var i = 0; i < 4; i++)
            if (i != axis && !s[i].Equals(x[i])) return false;
        return true;
    }

    private static Value Flat(Value angles, Patch patch, long axis) => patch.Add(new Squeeze(), angles, patch.Constant(Tensors.Tensor.Vector(axis)));

    /// <summary>The first half along the last axis of a value whose halves a Concat with itself made alike, as new nodes.</summary>
    private static Value? Half(Value value, Patch patch, int depth)
    {
        if (depth == 0 || value.Producer is not { } node || node.Graph != value.Graph) return null;
        switch (node.Operator)
        {
            case Concat join when node.Inputs is [{ Shape: { } s } first, { } second] && first == second && Patterns.AxisOf(join.Axis, s.Rank) == s.Rank - 1:
                return first;
            case Cos or Sin or Cast:
                return node.Input(0) is { } x && Half(x, patch, depth - 1) is { } inner ? patch.Add(node.Operator, inner) : null;
            case Unsqueeze when node.Input(1) is { } axes && axes.Integers() is { } at && value.Shape is { } s && at.All(a => Patterns.AxisOf(a, s.Rank) < s.Rank - 1):
                return node.Input(0) is { } y && Half(y, patch, depth - 1) is { } narrow ? patch.Add(node.Operator, narrow, axes) : null;
            case Mul:
                foreach (var (angles, number) in node.Orders())
                    if (number.Number() is not null && Half(angles, patch, depth - 1) is { } scaled) return patch.Add(node.Operator, scaled, number);
                return null;
            default:
                return null;
        }
    }
}
