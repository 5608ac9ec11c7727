using AiOptix.Graphs;
using AiOptix.Graphs.Ops;
using AiOptix.Tensors;

namespace AiOptix.Passes.Fuse;

/// <summary>
/// Finds Softmax(scale · Q · Kᵀ + mask) · V over [batch, heads, length, size], or [batch, length, size] as one head, and makes it an Attention. The scale may stand on
/// Q, on K or on the product, once or in parts; the mask is added. Heads and batch must be equal for Q, K and V, the mask's last axis that of the keys. Only rows
/// whose every key is masked by -infinity differ: NaN there, zeros here, as in the form that replaces the NaN itself (Where over IsNaN), which is taken in too.
/// </summary>
public sealed class AttentionFusion : IPass
{
    /// <inheritdoc/>
    public Patch? Match(Graph graph, Node node)
    {
        if (node.Operator is not MatMul || node.Inputs is not [{ } weights, { Shape: { } v } value]) return null;
        var nodes = new HashSet<Node> { node };
        if (Probabilities(weights, node, nodes) is not { } softmax || softmax.Input(0) is not { } scores || scores.Shape is not { Rank: 3 or 4 } s) return null;
        if (Patterns.AxisOf(((Softmax)softmax.Operator).Axis, s.Rank) != s.Rank - 1) return null;
        var scale = 1.0;
        var (mask, masked) = Mask(scores, softmax, nodes);
        var scaled = Unscale(masked, mask is null ? softmax : masked.Users[0], nodes, ref scale);
        if (scaled.MadeBy<MatMul>(graph) is not { Inputs: [{ } left, { } right] } product || !Reals.CanWrite(scaled.DType)) return null;
        nodes.Add(product);
        var query = Unscale(left, product, nodes, ref scale);
        if (Keys(Unscale(right, product, nodes, ref scale), product, nodes, ref scale) is not var (key, order)) return null;
        if (query.Shape is not { } q || key.Shape is not { } k || !Fits(q, new([.. order.Select(a => k[a])]), v)) return null;
        if (mask is not null && !MaskFits(mask.Shape!, s)) return null;
        var factor = (float)scale;
        if (!float.IsFinite(factor) || (query.DType == DType.Float64 && factor != scale)) return null;
        if (!Patterns.IsClosed(nodes, node)) return null;
        var patch = new Patch(graph, mask is null ? "without a mask" : "with a mask");
        if (!order.SequenceEqual(Enumerable.Range(0, order.Length))) key = patch.Add(new Transpose(new([.. order.Select(a => (long)a)])), key);
        var op = s.Rank == 3 ? new Attention(QueryHeads: 1, KeyHeads: 1, Scale: factor) : new Attention(Scale: factor);
        return patch.Replace(node.Output, mask is null ? patch.Add(op, query, key, value) : patch.Add(op, query, key, value, mask));
    }

    /// <summary>The Softmax, also behind a Where that puts 0 for NaN.</summary>
    private static Node? Probabilities(Value weights, Node reader, HashSet<Node> nodes)
    {
        if (weights.MadeOnlyFor<Where>(reader) is { Inputs: [{ } condition, { } zero, { } kept] } where)
        {
            if (zero.Number() != 0 || condition.MadeOnlyFor<IsNaN>(where) is not { } test || test.Input(0) != kept) return null;
            nodes.Add(where);
            nodes.Add(test);
            weights = kept;
        }
        if (weights.MadeBy<Softmax>(reader.Graph) is not { } softmax) return null;
        nodes.Add(softmax);
        return softmax;
    }

    /// <summary>The mask that is added to the scores, if one is, and what it is added to.</summary>
    private static (Value? Mask, Value Scores) Mask(Value scores, Node reader, HashSet<Node> nodes)
    {
        if (scores.MadeOnlyFor<Add>(reader) is not { } sum) return (null, scores);
        foreach (var (value, mask) in sum.Orders())
        {
            if (value.SoleUser != sum || mask.Shape is null || !value.SameType(scores) || !IsProduct(value, sum)) continue;
            nodes.Add(sum);
            return (mask, value);
        }
        return (null, scores);
    }

    private static bool IsProduct(Value value, Node reader)
    {
        var scale = 1.0;
        return Unscale(value, reader, [], ref scale).MadeBy<MatMul>(reader.Graph) is not null;
    }

    /// <summary>A value without the numbers that it is multiplied with or divided by just for its reader.</summary>
    private static Value Unscale(Value value, Node reader, HashSet<Node> nodes, ref double scale)
    {
        while ((value.MadeOnlyFor<Mul>(reader) ?? value.MadeOnlyFor<Div>(reader)) is { } node)
        {
            var found = false;
            foreach (var (inner, number) in node.Orders())
            {
                if (number.Number() is not { } n || !inner.SameType(value) || (node.Operator is Div && (inner != node.Inputs[0] || n == 0))) continue;
                scale = node.Operator is Div ? scale / n : scale * n;
                (value, reader, found) = (inner, node, true);
                nodes.Add(node);
                break;
            }
            if (!found) break;
        }
        return value;
    }

    /// <summary>From Kᵀ, which must be a Transpose, the value before it and the order of its axes that makes it K.</summary>
    private static (Value Value, int[] Order)? Keys(Value transposed, Node product, HashSet<Node> nodes, ref double scale)
    {
        if (transposed.MadeBy<Transpose>(product.Graph) is not { Inputs: [{ Shape: { } shape } source] } transpose) return null;
        if (shape.Rank < 3) return null;
        var order = ((Transpose)transpose.Operator).PermutationOf(shape.Rank);
        (order[^1], order[^2]) = (order[^2], order[^1]);
        if (transposed.Users.Count != 1 || transposed.OutputUses > 0) return (source, order);
        var within = new HashSet<Node>();
        var before = Unscale(source, transpose, within, ref scale);
        if (before == source) return (source, order);
        nodes.UnionWith(within);
        nodes.Add(transpose);
        return (before, order);
    }

    private static bool Fits(SymbolicShape q, SymbolicShape k, SymbolicShape v)
    {
        if (q.Rank != k.Rank || q.Rank != v.Rank || !k[-2].Equals(v[-2]) || !q[-1].Equals(k[-1])) return false;
        for (var i = 0; i < q.Rank - 2; i++)
            if (!q[i].Equals(k[i]) || !q[i].Equals(v[i])) return false;
        return true;
    }

    /// <summary>True when a mask means the same to an addition and to Attention: never shorter along the keys, and one head's axis is not taken for a batch's.</summary>
    private static bool MaskFits(SymbolicShape mask, SymbolicShape scores)
    {
        if (mask.Rank is 0 || mask.Rank > scores.Rank || !mask[-1].Equals(scores[-1])) return false;
        for (var i = 1; i <= mask.Rank; i++)
            if (mask[-i].Constant != 1 && !mask[-i].Equals(scores[-i])) return false;
        return scores.Rank == 4 || mask.Rank < 3 || mask[0].Constant == 1;
    }
}
