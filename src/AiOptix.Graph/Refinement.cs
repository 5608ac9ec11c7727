using AiOptix.Tensors;

namespace AiOptix.Graphs;

/// <summary>
/// Two true statements about one value, made into the stronger one. When a value takes over from another, what was known of either holds for both, and
/// what follows from it spreads to the nodes behind. Knowledge only grows, so the spreading ends.
/// </summary>
internal static class Refinement
{
    /// <summary>Gives a value what is known of another that it stands in for.</summary>
    /// <returns>True when the value knows more than <paramref name="old"/> did.</returns>
    public static bool Adopt(Value old, Value value)
    {
        if (value.IsConstant) return !Equals(old.Type, value.Type) || !Same(old.Elements, value.Elements);
        value.Type = Stronger(old.Type, value.Type);
        value.Elements = Stronger(old.Elements, value.Elements);
        return !Equals(old.Type, value.Type) || !Same(old.Elements, value.Elements);
    }

    /// <summary>
    /// What was made up for an extent of a value, and is told by the value that takes over from it, is put in its place throughout the graph: nothing is left that only
    /// the old value's producer could have told.
    /// </summary>
    public static void Solve(Value old, Value value)
    {
        for (var axis = 0; old.Shape is { } s && value.Shape?.Rank == s.Rank && axis < s.Rank; axis++)
            if (Graph.IsFresh(s[axis]) && s[axis].SymbolName is { } symbol && !value.Shape[axis].Symbols.Contains(symbol)) old.Graph.Substitute(symbol, value.Shape[axis]);
    }

    /// <summary>Runs the rules of the users of a value again, and of what is behind them as far as that tells something new.</summary>
    public static void Spread(Value value)
    {
        var work = new Queue<Node>(value.Users);
        while (work.TryDequeue(out var node))
        {
            if (node.Operator.Subgraphs.Count > 0) continue;
            foreach (var output in Infer(node))
                foreach (var user in output.Users) work.Enqueue(user);
        }
    }

    private static List<Value> Infer(Node node)
    {
        var before = node.Outputs.Select(o => (o.Type, o.Elements)).ToArray();
        var contradiction = false;
        try
        {
            Graph.Infer(node);
        }
        catch (InvalidGraphException)
        {
            // The model contradicts itself where it may never run; a run that gets there reports it.
            contradiction = true;
        }
        var changed = new List<Value>();
        for (var i = 0; i < before.Length; i++)
        {
            var (type, elements) = before[i];
            var o = node.Outputs[i];
            var found = o.Type;
            var foundElements = o.Elements;
            o.Type = contradiction ? type : Stronger(type, found);
            o.Elements = contradiction ? elements : Stronger(elements, foundElements);
            if (!Equals(o.Type, type) || !Same(o.Elements, elements)) changed.Add(o);
        }
        return changed;
    }

    private static GraphType? Stronger(GraphType? known, GraphType? other)
    {
        if (known is null) return other;
        if (known is not TensorType a || other is not TensorType { Shape: { } shape } b || a.DType != b.DType) return known;
        if (a.Shape is not { } s) return other;
        return s.Rank != shape.Rank ? known : new TensorType(a.DType, new([.. s.Zip(shape, Stronger)]));
    }

    private static IReadOnlyList<Dim>? Stronger(IReadOnlyList<Dim>? known, IReadOnlyList<Dim>? other) =>
        known is null ? other : other is null || other.Count != known.Count ? known : [.. known.Zip(other, Stronger)];

    private static Dim Stronger(Dim known, Dim other) =>
        !known.IsConstant && (other.IsConstant || (Graph.IsFresh(known) && !Graph.IsFresh(other))) ? other : known;

    private static bool Same(IReadOnlyList<Dim>? a, IReadOnlyList<Dim>? b) =>
        ReferenceEquals(a, b) || (a is not null && b is not null && a.SequenceEqual(b));
}
