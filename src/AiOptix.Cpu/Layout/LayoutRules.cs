using AiOptix.Graphs;
using AiOptix.Graphs.Ops;
using AiOptix.Tensors;

namespace AiOptix.Cpu.Layout;

/// <summary>How operators follow an input whose channels lie last: the same operator with its axes moved. Each returns false where it cannot; input 0 has its channels last unless said otherwise.</summary>
internal static class LayoutRules
{
    public static bool Unary(LayoutPatch p) => p.Give(p.Add(p.Node.Operator, [p.Last(p.Node.Inputs[0]!), .. p.Node.Inputs.Skip(1)]));

    /// <summary>Conversions with one scale for all or one for each entry of an axis.</summary>
    public static bool Scales(LayoutPatch p, long axis, long blocks, Func<long, Operator> with)
    {
        var rank = p.Node.Output.Shape!.Rank;
        if (blocks != 0 || p.Node.Inputs[1]!.Shape is not { Rank: <= 1 } scales) return false;
        var isOne = scales.All(d => d.Constant == 1);
        return p.Give(p.Add(isOne ? p.Node.Operator : with(Place(axis, rank)), [p.Last(p.Node.Inputs[0]!), .. p.Node.Inputs.Skip(1)]));
    }

    /// <summary>Any of the inputs has its channels last; all others are brought there, which costs nothing for constants and single elements.</summary>
    public static bool Broadcast(LayoutPatch p)
    {
        var rank = p.Node.Output.Shape!.Rank;
        var inputs = new Value?[p.Node.Inputs.Count];
        for (var i = 0; i < inputs.Length; i++)
        {
            var value = p.Node.Inputs[i]!;
            if (value.Shape is not { } s) return false;
            if (s.All(d => d.Constant == 1)) inputs[i] = value;
            else if (s.Rank == rank) inputs[i] = p.Last(value);
            else if (LayoutPatch.Source(value) is null && value.IsConstant)
                inputs[i] = p.Turned(p.Add(new Unsqueeze(), value, p.Integers(Queries.Each(rank - s.Rank, a => (long)a))), Permutation.ToLast(rank));
            else return false;
        }
        return p.Give(p.Add(p.Node.Operator, inputs));
    }

    public static bool Concat(LayoutPatch p, Concat op)
    {
        var rank = p.Node.Output.Shape!.Rank;
        return p.Node.Inputs.All(i => i?.Shape is not null) && p.Give(p.Add(new Concat(Place(op.Axis, rank)), [.. p.Node.Inputs.Select(i => p.Last(i!))]));
    }

    public static bool Split(LayoutPatch p, Split op)
    {
        var node = p.AddNode(new Split(Place(op.Axis, p.Node.Output.Shape!.Rank)), [p.Last(p.Node.Inputs[0]!), .. p.Node.Inputs.Skip(1)], p.Node.Outputs.Count);
        for (var i = 0; i < node.Outputs.Count; i++) p.Give(p.Node.Outputs[i], node.Outputs[i]);
        return true;
    }

    public static bool Slice(LayoutPatch p)
    {
        var (node, rank) = (p.Node, p.Node.Output.Shape!.Rank);
        if (Axes(node, 3, node.Inputs[1]!.Elements?.Count) is not { } axes) return false;
        return p.Give(p.Add(node.Operator, p.Last(node.Inputs[0]!), node.Inputs[1], node.Inputs[2], p.Integers(axes.Select(a => Place(a, rank))), node.Input(4)));
    }

    public static bool Pad(LayoutPatch p)
    {
        var (node, rank) = (p.Node, p.Node.Output.Shape!.Rank);
        if (Axes(node, 3, rank) is not { } axes) return false;
        return p.Give(p.Add(node.Operator, p.Last(node.Inputs[0]!), node.Inputs[1], node.Input(2), p.Integers(axes.Select(a => Place(a, rank)))));
    }

    public static bool Resize(LayoutPatch p, Resize op)
    {
        var rank = p.Node.Output.Shape!.Rank;
        if (op.Coordinates == ResizeCoordinates.CropAndResize) return false;
        var axes = op.Axes.Count > 0 ? op.Axes.Span.ToArray() : Queries.Each(rank, a => (long)a);
        return p.Give(p.Add(op with { Axes = new(axes.Select(a => Place(a, rank))) }, [p.Last(p.Node.Inputs[0]!), .. p.Node.Inputs.Skip(1)]));
    }

    /// <summary>Functions of lines along an axis.</summary>
    public static bool Line(LayoutPatch p, LineFunction op, long axis, Func<long, LineFunction> with) =>
        p.Give(p.Add(with(Place(axis, p.Node.Output.Shape!.Rank)), p.Last(p.Node.Inputs[0]!)));

    /// <summary>Pooling over all of the image: a reduction over its axes.</summary>
    public static bool Spatial(LayoutPatch p, Reduction op) =>
        p.Give(p.Add(op, p.Last(p.Node.Inputs[0]!), p.Integers(Queries.Each(p.Node.Output.Shape!.Rank - 2, a => a + 1L))));

    public static bool Reduce(LayoutPatch p, Reduction op)
    {
        var rank = p.Node.Inputs[0]!.Shape!.Rank;
        if (p.Node.Input(1) is null || Axes(p.Node, 1, null) is not { Length: > 0 } axes) return false;
        var moved = axes.Select(a => Place(a, rank));
        return Kept(p, rank, moved, op.KeepDims) is { } give && give(p.Add(op, p.Last(p.Node.Inputs[0]!), p.Integers(moved)));
    }

    public static bool Position(LayoutPatch p, ArgReduction op)
    {
        var rank = p.Node.Inputs[0]!.Shape!.Rank;
        var axis = Place(op.Axis, rank);
        return Kept(p, rank, [axis], op.KeepDims) is { } give && give(p.Add(op with { Axis = axis }, p.Last(p.Node.Inputs[0]!)));
    }

    /// <summary>A Transpose of the file: one Transpose of what is really made, or none.</summary>
    public static bool Transpose(LayoutPatch p, Transpose op)
    {
        var rank = p.Node.Output.Shape!.Rank;
        return p.Replace(p.Node.Output, p.Turned(p.Last(p.Node.Inputs[0]!), Permutation.ToFirst(rank).Then(op.PermutationOf(rank))));
    }

    /// <summary>The axes of the image become one, [N, C, S…] to [N, C, M], or the channels become two, [N, C, S…] to [N, A, B, S…].</summary>
    public static bool Reshape(LayoutPatch p)
    {
        var (from, to) = (p.Node.Inputs[0]!.Shape!, p.Node.Output.Shape!);
        if (to.Rank < 3 || !from[0].Equals(to[0])) return false;
        if (to.Rank == 3 && from.Rank > 3 && from[1].Equals(to[1]) && from[1].Constant is { } c) return p.Give(p.Add(new Reshape(), p.Last(p.Node.Inputs[0]!), p.Integers(0, -1, c)));
        return to.Rank == from.Rank + 1 && Array.TrueForAll(Queries.Each(from.Rank - 2, a => a + 2), a => from[a].Equals(to[a + 1])) && SplitChannels(p, to);
    }

    /// <summary>An axis of the image is put in.</summary>
    public static bool Unsqueeze(LayoutPatch p)
    {
        var rank = p.Node.Output.Shape!.Rank;
        if (Axes(p.Node, 1, null) is not { } axes) return false;
        var normal = axes.Select(a => a < 0 ? a + rank : a);
        return Array.TrueForAll(normal, a => a >= 2) && p.Give(p.Add(new Unsqueeze(), p.Last(p.Node.Inputs[0]!), p.Integers(normal.Select(a => a - 1))));
    }

    /// <summary>An axis of the image is taken out, and at least one is left.</summary>
    public static bool Squeeze(LayoutPatch p)
    {
        var rank = p.Node.Inputs[0]!.Shape!.Rank;
        if (p.Node.Output.Shape!.Rank < 3 || p.Node.Input(1) is null || Axes(p.Node, 1, null) is not { } axes) return false;
        var normal = axes.Select(a => a < 0 ? a + rank : a);
        return Array.TrueForAll(normal, a => a >= 2) && p.Give(p.Add(new Squeeze(), p.Last(p.Node.Inputs[0]!), p.Integers(normal.Select(a => a - 1))));
    }

    // [N, A, B, S…] is the turned form of [N, S…, A, B]. When a Transpose and a Reshape back follow, as channels are shuffled, all three stay with the channels last.
    private static bool SplitChannels(LayoutPatch p, SymbolicShape to)
    {
        var rank = to.Rank;
        if (to[1].Constant is not { } a || to[2].Constant is not { } b || p.Node.Output.SoleUser is not { Operator: Transpose t } turn || turn.Graph != p.Node.Graph) return false;
        var image = new long[rank - 2];
        var split = p.Add(new Reshape(), p.Last(p.Node.Inputs[0]!), p.Integers([.. image, a, b]));
        var back = Queries.Each(rank, a => a == 0 ? 0 : a < 3 ? rank - 3 + a : a - 2);
        var permutation = t.PermutationOf(rank);
        var shuffle = Queries.Each(rank, a => a is 1 or 2 ? 3 - a : a);
        if (!permutation.AsSpan().SequenceEqual(shuffle) || turn.Output.SoleUser is not { Operator: Graphs.Ops.Reshape, Output.Shape: { } whole } join || join.Graph != p.Node.Graph
            || !whole.Equals(p.Node.Inputs[0]!.Shape))
            return p.Replace(turn.Output, p.Turned(split, back.Then(permutation)));
        var turned = p.Turned(split, Queries.Each(rank, a => a < rank - 2 ? a : 2 * rank - 3 - a));
        return p.Give(join.Output, p.Add(new Reshape(), turned, p.Integers([.. image, a * b])));
    }

    /// <summary>How the result of taking axes away is handed out: with its channels last, or as it is when what is left is in the same order either way; null where it is neither.</summary>
    private static Func<Value, bool>? Kept(LayoutPatch p, int rank, long[] moved, bool keepDims)
    {
        if (keepDims) return p.Give;
        var isInOrder = Array.IndexOf(moved, rank - 1) >= 0 || Array.TrueForAll(Queries.Each(rank - 2, a => a + 1L), a => Array.IndexOf(moved, a) >= 0);
        return isInOrder ? last => p.Replace(p.Node.Output, last) : null;
    }

    /// <summary>The constant axes that an input names; the first <paramref name="count"/> where it is left out; null when they are not known.</summary>
    private static long[]? Axes(Node node, int input, int? count) =>
        node.Input(input) is { } given ? given.Constant?.ToInt64() : count is { } n ? Queries.Each(n, a => (long)a) : null;

    private static long Place(long axis, int rank) => Permutation.Place((int)(axis < 0 ? axis + rank : axis), rank);
}
