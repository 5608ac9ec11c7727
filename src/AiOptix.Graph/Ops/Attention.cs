using AiOptix.Tensors;

namespace AiOptix.Graphs.Ops;

/// <summary>What output 3 of <see cref="Attention"/> shows.</summary>
public enum AttentionScores
{
    /// <summary>The scaled products of queries and keys.</summary>
    Raw,
    /// <summary>Those after the soft cap.</summary>
    Capped,
    /// <summary>Those after the soft cap and the masks.</summary>
    Masked,
    /// <summary>The probabilities.</summary>
    Probabilities,
}

/// <summary>The extents of an attention, whatever the layout of its inputs.</summary>
/// <param name="Batch">Batch.</param>
/// <param name="QueryHeads">Heads of the query.</param>
/// <param name="KeyHeads">Heads of key and value; each serves QueryHeads / KeyHeads heads of the query.</param>
/// <param name="Queries">Length of the query sequence.</param>
/// <param name="NewKeys">Length of the sequence of keys and values without the past.</param>
/// <param name="PastKeys">Length of the past.</param>
/// <param name="HeadSize">Elements of a query or key.</param>
/// <param name="ValueSize">Elements of a value.</param>
public readonly record struct AttentionExtents(Dim Batch, Dim QueryHeads, Dim KeyHeads, Dim Queries, Dim NewKeys, Dim PastKeys, Dim HeadSize, Dim ValueSize)
{
    /// <summary>Length of the whole sequence of keys and values.</summary>
    public Dim Keys => PastKeys + NewKeys;
}

/// <summary>
/// ONNX Attention (opset 23 to 25): softmax(softcap(Scale · Q · Kᵀ) + mask) · V. Inputs Q, K, V ([batch, heads, length, size], or [batch, length, heads · size] with the
/// numbers of heads as attributes), mask (bool: may attend; otherwise added; broadcast to [batch, heads, queries, keys], a shorter last axis counts as masked), past
/// keys, past values, numbers of valid keys a batch entry. Outputs Y, present keys, present values, scores. A query that may attend nothing gives zeros.
/// </summary>
/// <param name="IsCausal">Query i attends keys up to i + offset, the offset being the length of the past, or the number of valid keys less that of queries.</param>
/// <param name="QueryHeads">Heads of the query, for 3D inputs.</param>
/// <param name="KeyHeads">Heads of key and value, for 3D inputs.</param>
/// <param name="Scale">The factor of the scores; null means 1 / √size.</param>
/// <param name="Softcap">When positive, scores become Softcap · tanh(score / Softcap).</param>
/// <param name="Scores">What output 3 shows.</param>
/// <param name="SoftmaxPrecision">The type that softmax is calculated in.</param>
/// <param name="LeftWindow">How many positions before its own a query may attend; -1 for all.</param>
/// <param name="RightWindow">How many positions after its own a query may attend; -1 for all.</param>
public sealed partial record Attention(bool IsCausal = false, long? QueryHeads = null, long? KeyHeads = null, float? Scale = null, float Softcap = 0,
    AttentionScores Scores = AttentionScores.Raw, DType? SoftmaxPrecision = null, long LeftWindow = -1, long RightWindow = -1) : Operator
{
    /// <summary>The extents for inputs of known rank.</summary>
    /// <param name="q">Q's shape.</param>
    /// <param name="k">K's shape.</param>
    /// <param name="v">V's shape.</param>
    /// <param name="pastKeys">The shape of the past keys, or null.</param>
    /// <exception cref="InvalidGraphException">The shapes do not fit the attributes.</exception>
    public AttentionExtents Extents(SymbolicShape q, SymbolicShape k, SymbolicShape v, SymbolicShape? pastKeys)
    {
        if (q.Rank != k.Rank || q.Rank != v.Rank || q.Rank is not (3 or 4)) throw new InvalidGraphException($"Q, K and V of shapes {q}, {k}, {v} must all have 3 or all 4 axes");
        var past = pastKeys?[2] ?? Dim.Zero;
        if (q.Rank == 4) return new(q[0], q[1], k[1], q[2], k[2], past, q[3], v[3]);
        if (QueryHeads is not { } heads || KeyHeads is not { } keyHeads || heads < 1 || keyHeads < 1)
            throw new InvalidGraphException("q_num_heads and kv_num_heads are required and must be positive for inputs of 3 axes");
        if (q[2].Constant % heads is > 0 || k[2].Constant % keyHeads is > 0 || v[2].Constant % keyHeads is > 0)
            throw new InvalidGraphException($"Q, K and V of shapes {q}, {k}, {v} do not divide into {heads} and {keyHeads} heads");
        return new(q[0], heads, keyHeads, q[1], k[1], past, Dim.FloorDiv(q[2], heads), Dim.FloorDiv(v[2], keyHeads));
    }

    /// <inheritdoc/>
    public override void Infer(InferenceContext context)
    {
        var type = context.Require(0, Numbers.IsReal, "float16, bfloat16, float32 or float64");
        context.RequireSame(0, 1);
        var valueType = context.Require(2, Numbers.IsReal, "float16, bfloat16, float32 or float64");
        if (context.Has(3)) context.Require(3, t => t == DType.Bool || Numbers.IsNumber(t), "bool or a numeric type");
        if (context.Has(4) != context.Has(5)) throw context.Error("past keys and past values must be given together");
        if (context.Has(6) && context.Has(4)) throw context.Error("numbers of valid keys cannot be combined with a past");
        if (LeftWindow < -1 || RightWindow < -1) throw context.Error($"windows {LeftWindow} and {RightWindow} must be -1 or more");
        if (context.Shape(0) is not { } q || context.Shape(1) is not { } k || context.Shape(2) is not { } v || (context.Has(4) && context.Shape(4) is null))
        {
            var rank = (context.Shape(0) ?? context.Shape(1) ?? context.Shape(2))?.Rank;
            context.Set(0, type, rank is { } r ? context.FreshShape(r) : null);
            context.Set(1, type, context.FreshShape(4));
            context.Set(2, valueType, context.FreshShape(4));
            context.Set(3, type, context.FreshShape(4));
            return;
        }
        if (context.Has(4)) context.RequireRank(4, 4);
        AttentionExtents e;
        try
        {
            e = Extents(q, k, v, context.Has(4) ? context.Shape(4) : null);
        }
        catch (InvalidGraphException problem)
        {
            throw context.Error(problem.Message);
        }
        Check(context, e, q, k, v);
        context.Set(0, type, q.Rank == 4 ? new(e.Batch, e.QueryHeads, e.Queries, e.ValueSize) : new(e.Batch, e.Queries, e.QueryHeads * e.ValueSize));
        context.Set(1, type, new(e.Batch, e.KeyHeads, e.Keys, e.HeadSize));
        context.Set(2, valueType, new(e.Batch, e.KeyHeads, e.Keys, e.ValueSize));
        context.Set(3, type, new(e.Batch, e.QueryHeads, e.Queries, e.Keys));
    }

    /// <inheritdoc/>
    public override Dim? Flops(Node node)
    {
        if (node.Input(0)?.Shape is not { } q || node.Input(1)?.Shape is not { } k || node.Input(2)?.Shape is not { } v) return null;
        var e = Extents(q, k, v, node.Input(4)?.Shape);
        return e.Batch * e.QueryHeads * e.Queries * e.Keys * (e.HeadSize * 2 + e.ValueSize * 2 + 5);
    }

    private static void Check(InferenceContext context, AttentionExtents e, SymbolicShape q, SymbolicShape k, SymbolicShape v)
    {
        context.Same(q[0], k[0], "the batch of Q and K");
        context.Same(q[0], v[0], "the batch of Q and V");
        context.Same(k[q.Rank - 2], v[q.Rank - 2], "the lengths of K and V");
        context.Same(e.HeadSize, q.Rank == 4 ? k[3] : Dim.FloorDiv(k[2], e.KeyHeads), "the head sizes of Q and K");
        if (q.Rank == 4) context.Same(k[1], v[1], "the heads of K and V");
        if (e.QueryHeads.Constant is { } h && e.KeyHeads.Constant is { } kh && (kh < 1 || h % kh != 0)) throw context.Error($"{h} query heads cannot share {kh} key heads");
        if (context.Has(4))
            for (var i = 4; i < 6; i++)
                context.Merge(context.Shape(i), new(e.Batch, e.KeyHeads, e.PastKeys, i == 4 ? e.HeadSize : e.ValueSize), $"input {i}");
        if (!context.Has(3) || context.Shape(3) is not { } mask) return;
        if (mask.Rank is 0 or > 4) throw context.Error($"the mask has shape {mask}; expected one that broadcasts to [batch, heads, queries, keys]");
        Dim[] target = [e.Batch, e.QueryHeads, e.Queries, e.Keys];
        for (var i = 0; i < mask.Rank; i++)
        {
            var (have, want) = (mask[i], target[4 - mask.Rank + i]);
            var fits = i == mask.Rank - 1 ? !(have.Constant > want.Constant) : have.Constant is null or 1 || want.Constant is null || have.Constant == want.Constant;
            if (!fits) throw context.Error($"the mask has shape {mask}; expected one that broadcasts to [{string.Join(",", (IEnumerable<Dim>)target)}]");
        }
    }
}
