using AiOptix.Tensors;
using static AiOptix.Differential.Tests.Recipes.MicrosoftFloat;

namespace AiOptix.Differential.Tests.Recipes;

/// <summary>Attentions of <c>com.microsoft</c> and what stands around them.</summary>
internal static class MicrosoftAttention
{
    private const DType F = DType.Float32;

    public static IEnumerable<Recipe> Recipes =>
    [
        Row("Attention", Attention), Row("QAttention", QAttention), Row("MultiHeadAttention", MultiHead), Row("PackedMultiHeadAttention", Packed),
        Row("GroupQueryAttention", GroupQuery), Row("RotaryEmbedding", Rotary),
        Row("RemovePadding", d => { var (b, n) = (d.Draw.Between(1, 3), d.Draw.Between(1, 4)); d.In([b, n, 3], type: F).Value(Lengths(d, b, n, 0)).Out(4); }),
        Row("RestorePadding", d => d.In([3, 2], type: F).Value(Tensor.From<int>([0, 2, 3, 1], new Shape(2, 2)))),
    ];

    private static Tensor Lengths(NodeDraft d, int batch, int most, int less) => Tensor.From<int>([.. Enumerable.Range(0, batch).Select(_ => d.Draw.Between(1, most) - less)], new Shape(batch));

    /// <summary>A mask in one of its forms; every query sees a key.</summary>
    private static void Mask(NodeDraft d, int batch, int queries, int keys, bool ends)
    {
        switch (d.Draw.Below(ends ? 5 : 4))
        {
            case 0: d.Skip(); break;
            case 1: d.Value(Tensor.From<int>([.. Enumerable.Range(0, batch * keys).Select(i => i % keys == 0 || d.Draw.Chance(0.7) ? 1 : 0)], new Shape(batch, keys))); break;
            case 2: d.Value(Tensor.From<int>([.. Enumerable.Range(0, batch * queries * keys).Select(i => i % keys == 0 || d.Draw.Chance(0.7) ? 1 : 0)], new Shape(batch, queries, keys))); break;
            case 3: d.Value(Lengths(d, batch, keys, 0)); break;
            default: d.Value(Tensor.From<int>([.. Enumerable.Repeat(keys, batch), .. Enumerable.Range(0, batch).Select(_ => d.Draw.Below(keys))], new Shape(2 * batch))); break;
        }
    }

    private static void Attention(NodeDraft d)
    {
        var (b, n, heads, size, x) = (d.Draw.Between(1, 2), d.Draw.Between(1, 5), d.Draw.Between(1, 3), d.Draw.Between(1, 4), d.Draw.Between(1, 6));
        var past = d.Draw.Chance(0.4) ? d.Draw.Between(1, 4) : 0;
        var width = heads * size;
        var value = past == 0 && d.Draw.Chance(0.3) ? heads * d.Draw.Between(1, 3) : width;
        d.In([b, n, x], type: F).Weight([x, 2 * width + value], type: F).Weight([2 * width + value], type: F);
        Mask(d, b, n, past + n, ends: true);
        if (past > 0) d.In([2, b, heads, past, size], type: F).Out(2);
        else
        {
            d.Skip();
            if (d.Draw.Chance(0.3) && value == width) d.Out(2);
        }
        if (d.Draw.Chance(0.3)) d.In([d.Draw.Of(1, b), d.Draw.Of(1, heads), n, past + n], type: F);
        d.Attr("num_heads", (long)heads);
        if (value != width) d.Attr("qkv_hidden_sizes", new long[] { width, width, value });
        if (d.Draw.Chance(0.4)) d.Attr("unidirectional", 1L);
        d.Maybe("scale", 0.6f);
        // A query whose keys are all masked keeps 11 bits of its scores in float32, which are then near the filter's value of -10000.
        if (d.Attributes.ContainsKey("unidirectional") && d.Inputs.ElementAtOrDefault(3) is { Value: Tensor { Shape.Rank: 1 } }) d.Slack = 10;
    }

    private static void QAttention(NodeDraft d)
    {
        var (b, n, heads, size, x) = (d.Draw.Between(1, 2), d.Draw.Between(1, 5), d.Draw.Between(1, 3), d.Draw.Between(1, 4), d.Draw.Between(1, 6));
        var width = heads * size;
        d.In([b, n, x], Fill.Full, DType.UInt8).In([x, 3 * width], Fill.Full, DType.Int8, constant: 1).Weight([3 * width], type: F);
        d.Value(Tensor.Scalar(0.01f), true).Value(Tensor.Scalar(0.01f), true);
        var past = d.Draw.Chance(0.3) ? d.Draw.Between(1, 4) : 0;
        if (d.Draw.Chance(0.4)) d.Value(Lengths(d, b, past + n, 0)); else d.Skip();
        d.Weight([], Fill.Few, DType.UInt8).Value(Tensor.Allocate(DType.Int8, Shape.Scalar, zeroed: true), true);
        if (past > 0) d.In([2, b, heads, past, size], type: F).Out(2);
        d.Attr("num_heads", (long)heads);
        if (d.Draw.Chance(0.4)) d.Attr("unidirectional", 1L);
    }

    private static void MultiHead(NodeDraft d)
    {
        var (b, n, heads, size) = (d.Draw.Between(1, 2), d.Draw.Between(1, 5), d.Draw.Between(1, 3), d.Draw.Between(1, 4));
        var (m, width, form) = (d.Draw.Between(1, 5), heads * size, d.Draw.Below(4));
        var value = form == 0 ? heads * d.Draw.Between(1, 4) : width;
        if (form == 1) m = n;
        switch (form)
        {
            case 1: d.In([b, n, heads, 3, size], type: F).Skip().Skip(); break;
            case 2: d.In([b, n, width], type: F).In([b, m, heads, 2, size], type: F).Skip(); break;
            case 3: d.In([b, n, width], type: F).In([b, heads, m, size], type: F).In([b, heads, m, size], type: F); break;
            default: d.In([b, n, width], type: F).In([b, m, width], type: F).In([b, m, value], type: F); break;
        }
        if (form is 0 or 3 && d.Draw.Chance(0.5)) d.Weight([2 * width + value], type: F);
        else d.Skip();
        var past = form == 0 && value == width && d.Draw.Chance(0.4) ? d.Draw.Between(1, 3) : 0;
        Mask(d, b, n, past + m, ends: false);
        if (d.Draw.Chance(0.3)) d.In([d.Draw.Of(1, b), d.Draw.Of(1, heads), n, past + m], type: F);
        else d.Skip();
        if (past > 0) d.In([b, heads, past, size], type: F).In([b, heads, past, size], type: F).Out(3);
        else if (form == 0 && value == width && d.Draw.Chance(0.3)) d.Out(3);
        d.Attr("num_heads", (long)heads).Maybe("scale", 0.6f);
        if (n == m && form != 3 && d.Draw.Chance(0.3)) d.Attr("unidirectional", 1L);
    }

    private static void Packed(NodeDraft d)
    {
        var (heads, size) = (d.Draw.Between(1, 2), d.Draw.Between(1, 3));
        var width = heads * size;
        d.In([3, width], type: F).In([3, width], type: F).In([3, width], type: F);
        if (d.Draw.Chance(0.5)) d.Weight([3 * width], type: F); else d.Skip();
        d.Value(Tensor.From<int>([0, 2, 3, 1], new Shape(2, 2))).Value(Tensor.From<int>([0, 1, 3], new Shape(3))).Attr("num_heads", (long)heads);
    }

    private static void GroupQuery(NodeDraft d)
    {
        var (b, keyHeads, half) = (d.Draw.Between(1, 2), d.Draw.Between(1, 2), d.Draw.Of(8, 16));
        var (heads, size) = (keyHeads * d.Draw.Between(1, 2), 2 * half);
        var prompt = d.Draw.Chance(0.5);
        var n = prompt ? d.Draw.Between(1, 5) : 1;
        var past = prompt ? 0 : d.Draw.Between(1, 5);
        var (total, shared) = (past + n, d.Draw.Chance(0.5));
        var cache = shared ? total + d.Draw.Between(0, 3) : past;
        if (d.Draw.Chance(0.4)) d.In([b, n, (heads + 2 * keyHeads) * size], type: F).Skip().Skip();
        else d.In([b, n, heads * size], type: F).In([b, n, keyHeads * size], type: F).In([b, n, keyHeads * size], type: F);
        if (cache > 0) d.Value(Cache(d, b, keyHeads, cache, past, size)).Value(Cache(d, b, keyHeads, cache, past, size)); else d.Skip().Skip();
        d.Value(Tensor.From<int>([.. Enumerable.Repeat(total - 1, b)], new Shape(b))).Value(Tensor.Scalar(total));
        var rotary = d.Draw.Chance(0.5);
        if (rotary) d.Weight([16, half], Fill.Unit, F).Weight([16, half], Fill.Unit, F).Attr("do_rotary", 1L).Maybe("rotary_interleaved", (long)d.Draw.Below(2));
        if (d.Draw.Chance(0.25))
        {
            while (d.Inputs.Count < 10) d.Skip();
            d.In([d.Draw.Of(1, b), d.Draw.Of(1, heads), n, total], type: F);
        }
        if (d.Draw.Chance(0.25))
        {
            while (d.Inputs.Count < 11) d.Skip();
            d.Weight([heads], type: F);
        }
        d.Attr("num_heads", (long)heads).Attr("kv_num_heads", (long)keyHeads).Maybe("scale", 0.4f).Out(3);
        if (d.Draw.Chance(0.3)) d.Attr("local_window_size", (long)d.Draw.Between(1, 4));
        if (d.Draw.Chance(0.3)) d.Attr("softcap", 2f);
        if (d.Draw.Chance(0.2)) d.Attr("smooth_softmax", 1L);
    }

    /// <summary>A cache whose entries behind the past are 0: nobody says what they become.</summary>
    private static Tensor Cache(NodeDraft d, int batch, int heads, int length, int past, int size)
    {
        var cache = d.Draw.Values(F, [batch, heads, length, size]);
        var values = cache.Span<float>();
        for (var i = 0; i < values.Length; i++)
            if (i / size % length >= past) values[i] = 0;
        return cache;
    }

    private static void Rotary(NodeDraft d)
    {
        var (b, h, n, half) = (d.Draw.Between(1, 2), d.Draw.Between(1, 3), d.Draw.Between(1, 4), d.Draw.Between(1, 3));
        var flat = d.Draw.Chance(0.5);
        d.In(flat ? [b, n, h * 2 * half] : [b, h, n, 2 * half], type: F);
        if (d.Draw.Chance(0.5)) d.Value(Tensor.Vector((long)d.Draw.Below(3)));
        else d.Value(Tensor.From<long>([.. Enumerable.Range(0, b * n).Select(_ => (long)d.Draw.Below(6))], new Shape(b, n)));
        d.Weight([8, half], Fill.Unit, F).Weight([8, half], Fill.Unit, F).Maybe("interleaved", (long)d.Draw.Below(2));
        if (flat && d.Draw.Chance(0.5)) d.Attr("num_heads", (long)h);
    }
}
