using AiOptix.Tensors;

namespace AiOptix.Differential.Tests.Recipes;

/// <summary>Products, reductions, normalisations, attention and recurrent layers.</summary>
internal static class Contractions
{
    public static IEnumerable<Recipe> Recipes =>
    [
        new("MatMul", d => { var (a, b) = Factors(d); d.In(a).Weight(b); }),
        new("MatMulInteger", d => { var (a, b) = Factors(d); d.In(a).Weight(b); if (d.Draw.Chance(0.6)) d.Weight([]); if (d.Inputs.Count == 3 && d.Draw.Chance(0.6)) d.Weight(b.Length == 2 ? d.Draw.Of<long[]>([], [b[1]]) : []); }),
        new("Gemm", Gemm), new("Einsum", Einsum),
        new("Det", d => { var n = d.Draw.Between(1, 4); d.Slack = 10; d.In([.. d.Draw.Shape(d.Draw.Below(3), nonEmpty: true), n, n]); }),
        .. Recipe.Each("ReduceMax ReduceMin ReduceSum ReduceMean ReduceProd ReduceL1 ReduceL2 ReduceSumSquare", d => Reduce(d, Fill.Any)),
        .. Recipe.Each("ReduceLogSum ReduceLogSumExp", d => Reduce(d, Fill.Positive)),
        .. Recipe.Each("ArgMax ArgMin", d => { var s = d.Shape(1, nonEmpty: true); d.In(s).Maybe("axis", d.Axis(s.Length)).Maybe("keepdims", (long)d.Draw.Below(2)); if (d.Since >= 12) d.Maybe("select_last_index", (long)d.Draw.Below(2)); }),
        .. Recipe.Each("Softmax LogSoftmax Hardmax", d => { var s = d.Shape(d.Since < 13 ? 2 : 1, nonEmpty: true); d.In(s).Maybe("axis", d.Axis(s.Length)); }),
        new("BatchNormalization", BatchNormalization),
        new("InstanceNormalization", d => { var s = d.Shape(3, 5, nonEmpty: true); d.In(s).Weight([s[1]]).Weight([s[1]]).Maybe("epsilon", 0.01f); }),
        new("GroupNormalization", d => { var g = d.Draw.Between(1, 3); var s = d.Draw.Shape(d.Draw.Between(3, 4), nonEmpty: true); s[1] = g * d.Draw.Between(1, 2); long[] w = [d.Since < 21 ? g : s[1]]; d.In(s).Weight(w).Weight(w).Attr("num_groups", (long)g).Maybe("epsilon", 0.01f); }),
        new("LayerNormalization", d => { var s = d.Shape(1, nonEmpty: true); var a = d.Axis(s.Length); var w = s[(int)(a < 0 ? a + s.Length : a)..]; d.In(s).Weight(w); if (d.Draw.Chance(0.6)) d.Weight(w); d.Maybe("axis", a).Maybe("epsilon", 0.01f); if (!d.Attributes.ContainsKey("axis") && a != -1 && a != s.Length - 1) d.Attr("axis", a); if (d["U"] == DType.BFloat16) d.Attr("stash_type", (long)DType.BFloat16); if (d.Draw.Chance(0.3)) d.Out(3); }),
        new("RMSNormalization", d => { var s = d.Shape(1, nonEmpty: true); var a = d.Axis(s.Length); d.In(s).Weight(s[(int)(a < 0 ? a + s.Length : a)..]).Attr("axis", a).Maybe("epsilon", 0.01f); }),
        new("LpNormalization", d => { var s = d.Shape(1, nonEmpty: true); d.In(s, Fill.NonZero).Maybe("axis", d.Axis(s.Length)).Maybe("p", (long)d.Draw.Between(1, 2)); }),
        new("MeanVarianceNormalization", d => { d.In([d.Draw.Between(1, 2), d.Draw.Between(1, 3), d.Draw.Between(2, 4), d.Draw.Between(2, 4)]); if (d.Draw.Chance(0.4)) d.Attr("axes", d.Draw.Some(4, 1).Select(a => (long)a).ToArray()); }),
        new("Attention", Attention), new("RotaryEmbedding", Rotary), new("LinearAttention", LinearAttention),
        new("LSTM", d => Recurrent(d, 4, 3)), new("GRU", d => Recurrent(d, 3, 2)), new("RNN", d => Recurrent(d, 1, 2)),
    ];

    private static (long[] A, long[] B) Factors(NodeDraft d)
    {
        var (m, k, n) = ((long)d.Draw.Between(1, 9), (long)d.Draw.Between(d.Draw.Chance(0.05) ? 0 : 1, 9), (long)d.Draw.Between(1, 9));
        var batch = d.Draw.Shape(d.Draw.Of(0, 0, 1, 2), nonEmpty: true);
        var other = batch.Skip(d.Draw.Below(batch.Length + 1)).Select(e => d.Draw.Chance(0.3) ? 1 : e);
        if (d.Draw.Chance(0.1)) return ([k], d.Draw.Chance(0.5) ? [k] : [.. batch, k, n]);
        if (d.Draw.Chance(0.1)) return ([.. batch, m, k], [k]);
        return ([.. batch, m, k], [.. other, k, n]);
    }

    private static void Gemm(NodeDraft d)
    {
        var (m, k, n) = ((long)d.Draw.Between(1, 9), (long)d.Draw.Between(1, 9), (long)d.Draw.Between(1, 9));
        var (ta, tb) = (d.Draw.Below(2), d.Draw.Below(2));
        d.In(ta == 1 ? [k, m] : [m, k]).Weight(tb == 1 ? [n, k] : [k, n]);
        if (ta == 1) d.Attr("transA", 1L);
        if (tb == 1) d.Attr("transB", 1L);
        if (d.Since < 7) d.Weight(d.Draw.Of<long[]>([m, n], [n])).Attr("broadcast", 1L);
        else if (d.Since < 11 || d.Draw.Chance(0.7)) d.Weight(d.Draw.Of<long[]>([m, n], [n], [1, n], [m, 1], [1], []));
        if (d.TypeOf(0).IsFloat()) d.Maybe("alpha", 0.5f).Maybe("beta", 1.5f);
        else d.Maybe("alpha", 2f).Maybe("beta", 3f);
    }

    private static void Einsum(NodeDraft d)
    {
        var (i, j, k, b) = ((long)d.Draw.Between(1, 4), (long)d.Draw.Between(1, 4), (long)d.Draw.Between(1, 4), (long)d.Draw.Between(1, 3));
        var (equation, shapes) = d.Draw.Of<(string, long[][])>(
            ("ij,jk->ik", [[i, j], [j, k]]), ("bij,bjk->bik", [[b, i, j], [b, j, k]]), ("bij,bkj->bik", [[b, i, j], [b, k, j]]), ("ij->ji", [[i, j]]), ("ij->", [[i, j]]),
            ("ij->i", [[i, j]]), ("ii->i", [[i, i]]), ("ii", [[i, i]]), ("i,j->ij", [[i], [j]]), ("...ij,...jk->...ik", [[b, i, j], [j, k]]), ("ij,jk", [[i, j], [j, k]]),
            ("bhid,bhjd->bhij", [[b, 2, i, k], [b, 2, j, k]]), ("bqhd,bkhd->bhqk", [[b, i, 2, k], [b, j, 2, k]]), ("i,i->", [[i], [i]]), ("ij,jk,kl->il", [[i, j], [j, k], [k, b]]));
        foreach (var s in shapes) d.In(s);
        d.Attr("equation", equation);
    }

    private static void Reduce(NodeDraft d, Fill fill)
    {
        var s = d.Shape(0, nonEmpty: d.OpType is "ReduceMax" or "ReduceMin" or "ReduceMean" || !d.TypeOf(0).IsFloat() || d.Since < 20);
        d.In(s, fill);
        var axes = s.Length > 0 && d.Draw.Chance(0.75) ? d.Draw.Some(s.Length, 1).Select(a => d.Opset >= 11 && d.Draw.Chance(0.3) ? (long)a - s.Length : a).ToArray() : null;
        d.Maybe("keepdims", (long)d.Draw.Below(2));
        var asInput = d.Since >= 18 || (d.OpType == "ReduceSum" && d.Since >= 13);
        if (axes is not null && asInput) d.Ints(axes);
        else if (axes is not null) d.Attr("axes", axes);
        else if (asInput) d.Maybe("noop_with_empty_axes", (long)d.Draw.Below(2));
    }

    private static void BatchNormalization(NodeDraft d)
    {
        var s = d.Shape(2, 5, nonEmpty: true);
        long[] c = [s[1]];
        d.In(s).Weight(c).Weight(c).Weight(c).Weight(c, Fill.Positive).Maybe("epsilon", 0.01f);
        if (d.Since < 7) d.Attr("is_test", 1L);
        if (d.Since == 1) d.Attr("consumed_inputs", new long[] { 0, 0, 0, 1, 1 });
        if (d.Since >= 14 && d.Draw.Chance(0.3) && s[0] * s.Skip(2).Aggregate(1L, (p, e) => p * e) > 1) d.Attr("training_mode", 1L).Maybe("momentum", 0.7f).Out(3);
    }

    private static void Attention(NodeDraft d)
    {
        var (b, h, kh, q, k, size, value) = (d.Draw.Between(1, 2), 0, d.Draw.Between(1, 2), d.Draw.Between(1, 5), d.Draw.Between(1, 6), 2 * d.Draw.Between(1, 4), d.Draw.Between(1, 5));
        h = kh * d.Draw.Between(1, 2);
        var flat = d.Draw.Chance(0.4);
        var past = d.Draw.Chance(0.3) ? d.Draw.Between(1, 4) : 0;
        d.In(flat ? [b, q, h * size] : [b, h, q, size]).In(flat ? [b, k, kh * size] : [b, kh, k, size]).In(flat ? [b, k, kh * value] : [b, kh, k, value]);
        if (flat) d.Attr("q_num_heads", (long)h).Attr("kv_num_heads", (long)kh);
        if (d.Draw.Chance(0.5)) d.In(d.Draw.Of<long[]>([q, past + k], [1, past + k], [b, 1, q, past + k], [b, h, q, past + k], [1, h, q, past + k]));
        else d.Skip();
        if (past > 0) d.In([b, kh, past, size]).In([b, kh, past, value]);
        if (d.Draw.Chance(0.3)) d.Attr("is_causal", 1L);
        d.Maybe("scale", 0.7f);
        if (d.Draw.Chance(0.3)) d.Attr("softcap", 2f);
        var outputs = past > 0 || d.Draw.Chance(0.3) ? 3 : 1;
        if (outputs == 3 && d.Draw.Chance(0.4)) outputs = 4;
        d.Out(outputs);
        if (outputs == 4) d.Attr("qk_matmul_output_mode", (long)d.Draw.Below(4));
    }

    private static void Rotary(NodeDraft d)
    {
        var (b, h, n, half) = (d.Draw.Between(1, 2), d.Draw.Between(1, 3), d.Draw.Between(1, 4), d.Draw.Between(1, 3));
        var size = 2 * half + (d.Draw.Chance(0.3) ? 2 : 0);
        var flat = d.Draw.Chance(0.5);
        var positions = d.Draw.Chance(0.6);
        long[] cache = positions ? [6, half] : [b, n, half];
        d.In(flat ? [b, n, h * size] : [b, h, n, size]).Weight(cache, Fill.Unit).Weight(cache, Fill.Unit);
        if (positions) d.Value(Tensor.From<long>(Enumerable.Range(0, b * n).Select(_ => (long)d.Draw.Below(6)).ToArray(), new Shape(b, n)));
        if (flat || d.Draw.Chance(0.3)) d.Attr("num_heads", (long)h);
        if (size != 2 * half) d.Attr("rotary_embedding_dim", 2L * half);
        d.Maybe("interleaved", (long)d.Draw.Below(2));
    }

    private static void LinearAttention(NodeDraft d)
    {
        var (b, heads, t, key, value) = (d.Draw.Between(1, 2), d.Draw.Between(1, 2), d.Draw.Between(1, 5), d.Draw.Between(1, 3), d.Draw.Between(1, 3));
        var rule = d.Draw.Of("linear", "gated", "delta", "gated_delta");
        d.In([b, t, heads * key], Fill.Unit).In([b, t, heads * key], Fill.Unit).In([b, t, heads * value], Fill.Unit);
        if (d.Draw.Chance(0.5)) d.In([b, heads, key, value], Fill.Unit); else d.Skip();
        if (rule.StartsWith("gated", StringComparison.Ordinal)) d.In([b, t, heads], Fill.Unit); else d.Skip();
        if (rule.EndsWith("delta", StringComparison.Ordinal)) d.In([b, t, heads], Fill.Unit);
        d.Attr("update_rule", rule).Attr("q_num_heads", (long)heads).Attr("kv_num_heads", (long)heads).Maybe("scale", 0.5f).Out(2);
    }

    private static void Recurrent(NodeDraft d, int gates, int outputs)
    {
        var (n, b, x, h) = (d.Draw.Between(1, 4), d.Draw.Between(1, 3), d.Draw.Between(1, 4), d.Draw.Between(1, 4));
        var direction = d.Draw.Of("forward", "reverse", "bidirectional");
        long dirs = direction == "bidirectional" ? 2 : 1;
        var batchFirst = d.Since >= 14 && d.Draw.Chance(0.2);
        long[] Batched(params long[] s) => batchFirst ? [s[1], s[0], .. s[2..]] : s;
        d.In(Batched(n, b, x)).Weight([dirs, gates * h, x], Fill.Unit).Weight([dirs, gates * h, h], Fill.Unit);
        if (d.Draw.Chance(0.6)) d.Weight([dirs, 2 * gates * h]); else d.Skip();
        if (d.Draw.Chance(0.4)) d.Ints(Enumerable.Range(0, b).Select(_ => (long)d.Draw.Between(1, n))); else d.Skip();
        if (d.Draw.Chance(0.4)) d.In(Batched(dirs, b, h)); else d.Skip();
        if (gates == 4)
        {
            if (d.Draw.Chance(0.4)) d.In(Batched(dirs, b, h)); else d.Skip();
            if (d.Draw.Chance(0.3)) d.Weight([dirs, 3 * h]);
            if (d.Since >= 7) d.Maybe("input_forget", 0L);
        }
        if (batchFirst) d.Attr("layout", 1L);
        d.Attr("hidden_size", (long)h).Attr("direction", direction).Out(outputs);
        if (gates == 3 && d.Since >= 3) d.Maybe("linear_before_reset", (long)d.Draw.Below(2));
        if (d.Draw.Chance(0.3)) d.Attr("clip", 0.8f);
        if (d.Draw.Chance(0.25)) d.Attr("activations", Enumerable.Range(0, (int)dirs * (gates == 4 ? 3 : gates == 3 ? 2 : 1)).Select(_ => d.Draw.Of("Tanh", "Sigmoid", "Relu", "Softsign")).ToArray());
        if (d.Since < 7) d.Attr("output_sequence", 1L);
    }
}
