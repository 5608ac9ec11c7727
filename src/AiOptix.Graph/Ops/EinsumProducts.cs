using AiOptix.Tensors;

namespace AiOptix.Graphs.Ops;

/// <summary>
/// An <see cref="Einsum"/> as products of two operands after another, each a MatMul or, where nothing is summed, a Mul. Labels that both operands have and that stay are batches; those that only
/// one has make up its rows or columns; those that both have and that nobody needs any more are summed.
/// </summary>
internal sealed class EinsumProducts
{
    private readonly Composition to;
    private readonly Dictionary<char, (Value From, int Axis, Dim Extent)> extents = [];

    private EinsumProducts(Composition to) => this.to = to;

    /// <summary>A value whose axes have names.</summary>
    private sealed record Term(Value Value, string Labels);

    /// <summary>The result; null where extents that are not known may turn out to broadcast.</summary>
    public static Value? Of(Composition to, string equation)
    {
        var inputs = to.Node.Inputs;
        if (inputs.Any(i => i!.Shape is null)) return null;
        var e = EinsumEquation.Parse(equation, [.. inputs.Select(i => i!.Shape!.Rank)]);
        var work = new EinsumProducts(to);
        if (!work.Measure(e)) return null;
        var terms = new List<Term>();
        for (var i = 0; i < inputs.Count; i++)
        {
            if (work.Plain(inputs[i]!, e.Operands[i]) is not { } term) return null;
            terms.Add(term);
        }
        var result = work.Summed(terms[0], e.Output + string.Concat(terms.Skip(1).Select(t => t.Labels)));
        for (var i = 1; i < terms.Count; i++)
        {
            var later = e.Output + string.Concat(terms.Skip(i + 1).Select(t => t.Labels));
            result = work.Product(work.Summed(result, later + terms[i].Labels), work.Summed(terms[i], later + result.Labels), later, e.Output);
        }
        return work.Spread(result, e.Output);
    }

    /// <summary>Finds the extent of every label, and where it is read; false where one cannot be told.</summary>
    private bool Measure(EinsumEquation e)
    {
        for (var i = 0; i < e.Operands.Count; i++)
            for (var a = 0; a < e.Operands[i].Length; a++)
            {
                var (label, extent) = (e.Operands[i][a], to[i].Shape![a]);
                if (!extents.TryGetValue(label, out var known) || known.Extent.Constant == 1) extents[label] = (to[i], a, extent);
                else if (extent.Constant != 1 && !extent.Equals(known.Extent) && EinsumEquation.IsBroadcast(label)) return false;
            }
        return true;
    }

    /// <summary>An operand without axes that are spread, and with each label once; null for a diagonal of unknown extent.</summary>
    private Term? Plain(Value x, string labels)
    {
        var spread = Enumerable.Range(0, labels.Length).Where(a => x.Shape![a].Constant == 1 && extents[labels[a]].Extent.Constant != 1).ToArray();
        if (spread.Length > 0)
        {
            x = to.Add(new Squeeze(), x, to.Integers([.. spread.Select(a => (long)a)]));
            labels = string.Concat(labels.Where((_, a) => !spread.Contains(a)));
        }
        while (labels.GroupBy(c => c).FirstOrDefault(g => g.Count() > 1)?.Key is { } twice)
        {
            // Of the elements of both axes in one row, every (n + 1)-th lies on the diagonal.
            var (first, second) = (labels.IndexOf(twice, StringComparison.Ordinal), labels.LastIndexOf(twice));
            if (extents[twice].Extent.Constant is not { } n) return null;
            int[] order = [.. Enumerable.Range(0, labels.Length).Where(a => a != first && a != second), first, second];
            var others = string.Concat(order[..^2].Select(a => labels[a]));
            x = Reshaped(Permuted(x, order), [.. others.Select(c => c.ToString()), "" + twice + twice]);
            if (n > 0) x = to.Add(new Slice(), x, to.Integers(0), to.Integers(long.MaxValue), to.Integers(others.Length), to.Integers(n + 1));
            labels = others + twice;
        }
        return new(x, labels);
    }

    /// <summary>The term summed over labels that are not needed.</summary>
    private Term Summed(Term term, string needed)
    {
        var axes = Enumerable.Range(0, term.Labels.Length).Where(a => !needed.Contains(term.Labels[a], StringComparison.Ordinal)).ToArray();
        return axes.Length == 0 ? term : new(to.Add(new ReduceSum(KeepDims: false), term.Value, to.Integers([.. axes.Select(a => (long)a)])), string.Concat(term.Labels.Where(c => needed.Contains(c, StringComparison.Ordinal))));
    }

    private Term Product(Term a, Term b, string later, string output)
    {
        // The order of the result: where the output has a label, or behind.
        int Place(char c) => output.IndexOf(c, StringComparison.Ordinal) is var at and >= 0 ? at : output.Length;
        var shared = a.Labels.Intersect(b.Labels).ToArray();
        var summed = string.Concat(shared.Where(c => !later.Contains(c, StringComparison.Ordinal)));
        var batch = string.Concat(shared.Except(summed).OrderBy(Place));
        if (summed.Length == 0)
        {
            var all = string.Concat(a.Labels.Union(b.Labels).OrderBy(Place));
            return new(to.Add(new Mul(), Spread(a, all), Spread(b, all)), all);
        }
        var (rows, columns) = (string.Concat(a.Labels.Except(shared).OrderBy(Place)), string.Concat(b.Labels.Except(shared).OrderBy(Place)));
        if (rows.Length > 0 && columns.Length > 0 && Place(columns[0]) < Place(rows[0])) (a, b, rows, columns) = (b, a, columns, rows);
        // Without batches rows need not be one axis: a product of many matrices with one is what MatMul makes of them.
        var apart = batch.Length == 0 && rows.Length > 0;
        string[] outer = [.. (batch + (apart ? rows : "")).Select(c => c.ToString())];
        var left = Reshaped(Ordered(a, batch + rows + summed), apart ? [.. outer, summed] : [.. outer, rows, summed]);
        var right = Reshaped(Ordered(b, batch + summed + columns), [.. batch.Select(c => c.ToString()), summed, columns]);
        var product = to.Add(new MatMul(), left, right);
        return new(Reshaped(product, [.. (batch + rows + columns).Select(c => c.ToString())], apart ? [.. outer, columns] : [.. outer, rows, columns]), batch + rows + columns);
    }

    /// <summary>The term with other labels, of extent 1 where it does not have them, in their order.</summary>
    private Value Spread(Term term, string labels)
    {
        var x = Ordered(term, string.Concat(labels.Where(c => term.Labels.Contains(c, StringComparison.Ordinal))));
        var missing = Enumerable.Range(0, labels.Length).Where(a => !term.Labels.Contains(labels[a], StringComparison.Ordinal)).ToArray();
        return missing.Length == 0 ? x : to.Add(new Unsqueeze(), x, to.Integers([.. missing.Select(a => (long)a)]));
    }

    private Value Ordered(Term term, string labels) => Permuted(term.Value, [.. labels.Select(c => term.Labels.IndexOf(c, StringComparison.Ordinal))]);

    private Value Permuted(Value x, int[] order) => order.SequenceEqual(order.Order()) ? x : to.Add(new Transpose([.. order.Select(a => (long)a)]), x);

    /// <summary>A value whose axes are the products of labels.</summary>
    private Value Reshaped(Value x, string[] axes, string[]? now = null)
    {
        if ((now ?? [.. string.Concat(axes).Select(c => c.ToString())]).SequenceEqual(axes)) return x;
        var products = axes.Select(labels => labels.Aggregate((Dim)1, (d, c) => d * extents[c].Extent)).ToArray();
        if (products.All(d => d.IsConstant)) return to.Add(new Reshape(AllowZero: true), x, to.Integers([.. products.Select(d => d.Constant!.Value)]));
        Value Extent(char c)
        {
            var (from, axis, _) = extents[c];
            return to.Add(new ShapeOf(axis, axis + 1), from);
        }
        Value Axis(string labels, Dim product) => product.Constant is { } known ? to.Integers(known) : labels.Skip(1).Aggregate(Extent(labels[0]), (v, c) => to.Add(new Mul(), v, Extent(c)));
        return to.Add(new Reshape(AllowZero: true), x, to.Add(new Concat(0), [.. axes.Zip(products, Axis)]));
    }
}
