using AiOptix.Tensors;

namespace AiOptix.Differential.Tests.Recipes;

/// <summary>Operators of <c>com.microsoft</c> on real numbers.</summary>
internal static class MicrosoftFloat
{
    private const string Domain = "com.microsoft";

    public static IEnumerable<Recipe> Recipes =>
    [
        Row("Gelu", d => In(d, d.Shape())), Row("QuickGelu", d => In(d, d.Shape()).Maybe("alpha", 1.3f)),
        Row("BiasGelu", d => { var s = d.Shape(1); In(d, s); Weight(d, s[^1]); }),
        Row("FastGelu", d => { var s = d.Shape(1); In(d, s); if (d.Draw.Chance(0.5)) Weight(d, s[^1]); }),
        Row("ExpandDims", d => { var s = d.Shape(); In(d, s).Value(Tensor.Scalar(d.Draw.Between(-s.Length - 1, s.Length)), true); }),
        Row("GridSample", d => { var n = d.Draw.Between(1, 2); In(d, [n, d.Draw.Between(1, 3), d.Draw.Between(2, 5), d.Draw.Between(2, 5)]); d.In([n, 3, 2, 2], Fill.Unit, DType.Float32).Maybe("mode", d.Draw.Of("bilinear", "nearest", "bicubic")).Maybe("align_corners", 1L); }),
        Row("LinearAttention", LinearAttention), Row("CausalConvWithState", CausalConv),
        Row("BiasAdd", d => { var s = d.Draw.Shape(3); In(d, s); Weight(d, s[2]); In(d, s); }),
        Row("BiasSplitGelu", d => { var s = d.Draw.Shape(3); s[2] *= 2; In(d, s); Weight(d, s[2]); }),
        Row("SimplifiedLayerNormalization", d => { var s = d.Shape(1, nonEmpty: true); In(d, s); Weight(d, s[^1]); d.Attr("axis", -1L).Maybe("epsilon", 0.01f); }),
        new("SimplifiedLayerNormalization", d => { var s = d.Shape(1, nonEmpty: true); In(d, s); Weight(d, s[^1]); d.Attr("axis", -1L).Maybe("epsilon", 0.01f); }, Since: 17),
        Row("SkipLayerNormalization", d => Skip(d, beta: true)), Row("SkipSimplifiedLayerNormalization", d => Skip(d, beta: false)),
        Row("EmbedLayerNormalization", Embed),
        Row("GroupNorm", d => Groups(d, skip: false)), Row("SkipGroupNorm", d => Groups(d, skip: true)),
        Row("FusedMatMul", MatMul), Row("TransposeMatMul", MatMul),
        Row("FusedMatMulActivation", d => { MatMul(d); d.Attr("activation", d.Draw.Of("Relu", "Sigmoid", "Tanh", "LeakyRelu", "Softmax")); }),
        Row("FusedGemm", d =>
        {
            var (m, k, n, ta, tb) = ((long)d.Draw.Between(1, 9), (long)d.Draw.Between(1, 9), (long)d.Draw.Between(1, 9), d.Draw.Below(2), d.Draw.Below(2));
            In(d, ta == 1 ? [k, m] : [m, k]);
            Weight(d, tb == 1 ? [n, k] : [k, n]);
            if (d.Draw.Chance(0.7)) Weight(d, d.Draw.Of<long[]>([n], [m, n], [1]));
            d.Attr("transA", (long)ta).Attr("transB", (long)tb).Maybe("alpha", 0.5f).Maybe("beta", 2f).Attr("activation", d.Draw.Of("Relu", "Sigmoid", "Tanh", "LeakyRelu"));
            if ((string)d.Attributes["activation"] == "LeakyRelu") d.Attr("activation_alpha", 0.2f);
        }),
        Row("MatMulInteger16", d => { d.In([3, 4], Fill.Full, DType.Int16).In([4, 2], Fill.Any, DType.Int16); }),
        Row("CDist", d => { var n = d.Draw.Between(1, 5); In(d, d.Draw.Between(1, 4), n); In(d, d.Draw.Between(1, 4), n); d.Attr("metric", d.Draw.Of("euclidean", "sqeuclidean")); }),
        Row("Inverse", d => { var n = d.Draw.Between(1, 5); d.Value(Invertible(d, n, d.Draw.Shape(d.Draw.Below(3), nonEmpty: true))); d.Slack = 20; }),
        Row("FusedConv", d => Conv(d, nhwc: false, fused: true)), Row("NhwcConv", d => Conv(d, nhwc: true, fused: false)),
        Row("NhwcMaxPool", d => d.In([d.Draw.Between(1, 2), d.Draw.Between(3, 6), d.Draw.Between(3, 6), d.Draw.Between(1, 3)], Fill.Full, d.Draw.Of(DType.Int8, DType.UInt8)).Attr("kernel_shape", new long[] { 2, 3 }).Maybe("strides", new long[] { 2, 1 }).Maybe("pads", new long[] { 1, 0, 0, 1 })),
        Row("ConvTransposeWithDynamicPads", d =>
        {
            var (c, m) = (d.Draw.Between(1, 3), d.Draw.Between(1, 3));
            In(d, 1, c, d.Draw.Between(2, 5), d.Draw.Between(2, 5));
            Weight(d, c, m, 3, 2);
            d.Ints([d.Draw.Below(2), d.Draw.Below(2), d.Draw.Below(2), 0], DType.Int64);
            if (d.Draw.Chance(0.5)) Weight(d, m);
            d.Maybe("strides", new long[] { 2, 1 });
        }),
        Row("Pad", d =>
        {
            var s = d.Shape(1, nonEmpty: true);
            var mode = d.Draw.Of("constant", "edge", "reflect");
            var pads = s.Concat(s).Select(e => (long)d.Draw.Between(0, mode == "constant" ? 2 : (int)Math.Min(1, e - 1))).ToArray();
            In(d, s);
            d.Value(Tensor.From<long>(pads, d.Draw.Chance(0.5) ? new Shape(pads.Length) : new Shape(1, pads.Length)), d.Draw.Chance(0.5));
            if (mode == "constant" && d.Draw.Chance(0.5)) Weight(d, 1);
            d.Attr("mode", mode);
        }),
        Row("Range", d => { var t = d.Draw.Of(DType.Float32, DType.Int32, DType.Int64, DType.Float64, DType.Int16); d.Ints([d.Draw.Between(-4, 4)], t, scalar: true).Ints([d.Draw.Between(4, 9)], t, scalar: true); if (d.Draw.Chance(0.6)) d.Ints([2], t, scalar: true); }),
        Row("Trilu", d => { d.In(d.Shape(2), type: d.Draw.Of(DType.Float32, DType.Int64, DType.Bool)); if (d.Draw.Chance(0.6)) d.Ints([d.Draw.Between(-3, 3)], DType.Int64, scalar: true); d.Maybe("upper", (long)d.Draw.Below(2)); }),
        Row("Unique", d => d.In([d.Draw.Between(1, 9)], Fill.Few, DType.Float32).Out(3)),
        Row("GatherND", d => d.In([3, 4, 2], type: DType.Float32).Value(Tensor.From<long>([0, 1, 2, 3], new Shape(2, 2)))),
        Row("NGramRepeatBlock", d => { var (b, l) = (d.Draw.Between(1, 3), d.Draw.Between(2, 9)); d.In([b, l], Fill.Few, DType.Int64).In([b, 4], type: DType.Float32).Attr("ngram_size", (long)d.Draw.Between(1, Math.Min(3, l))); }),
        Row("Tokenizer", Tokenizer),
    ];

    public static Recipe Row(string name, Action<NodeDraft> write) => new(name, write, Domain);

    private static NodeDraft In(NodeDraft d, params long[] shape) => d.In(shape, type: DType.Float32);

    private static NodeDraft Weight(NodeDraft d, params long[] shape) => d.Weight(shape, type: DType.Float32);

    private static void Skip(NodeDraft d, bool beta)
    {
        var s = d.Draw.Shape(beta || d.Draw.Chance(0.7) ? 3 : 2, nonEmpty: true);
        In(d, s);
        In(d, s.Length == 3 && d.Draw.Chance(0.2) ? [1, s[1], s[2]] : s);
        Weight(d, s[^1]);
        if (beta)
        {
            if (d.Draw.Chance(0.7)) Weight(d, s[^1]);
            else d.Skip();
        }
        if (d.Draw.Chance(0.5)) Weight(d, s[^1]);
        d.Maybe("epsilon", 0.01f);
        if (d.Draw.Chance(0.4)) d.Out(4);
        if (!beta) d.Uncompared = 1;
        if (d.Attributes.Count > 0 && d.Inputs.Count == 3) d.Attr("epsilon", 0.02f);
    }

    private static void Embed(NodeDraft d)
    {
        var (b, n, h) = (d.Draw.Between(1, 3), d.Draw.Between(1, 5), d.Draw.Between(1, 6));
        var segments = d.Draw.Chance(0.6);
        d.In([b, n], Fill.Few, DType.Int32);
        if (segments) d.In([b, n], Fill.Few, DType.Int32); else d.Skip();
        Weight(d, 5, h);
        Weight(d, 7, h);
        if (segments) Weight(d, 4, h); else d.Skip();
        Weight(d, h);
        Weight(d, h);
        if (d.Draw.Chance(0.5)) d.Value(Graphs.Evaluate.ElementTypes.From([.. Enumerable.Range(0, b).SelectMany(_ => { var k = d.Draw.Between(1, n); return Enumerable.Range(0, n).Select(i => i < k ? 1.0 : 0); })], DType.Int32, new Shape(b, n)));
        else d.Skip();
        if (d.Draw.Chance(0.4)) d.In([b, n], Fill.Few, DType.Int32);
        d.Attr("epsilon", 1e-5f).Out(d.Draw.Between(1, 3));
    }

    private static void Groups(NodeDraft d, bool skip)
    {
        var g = d.Draw.Between(1, 3);
        var (b, h, w, c, last) = (d.Draw.Between(1, 2), d.Draw.Between(1, 3), d.Draw.Between(1, 3), g * d.Draw.Between(1, 2), skip || d.Draw.Chance(0.5));
        long[] s = last ? [b, h, w, c] : [b, c, h, w];
        In(d, s);
        Weight(d, c);
        Weight(d, c);
        if (skip)
        {
            In(d, d.Draw.Of<long[]>(s, [b, 1, 1, c], [b, c]));
            if (d.Draw.Chance(0.5)) Weight(d, c);
            d.Out(d.Draw.Between(1, 2));
        }
        d.Attr("groups", (long)g).Attr("channels_last", last ? 1L : 0).Attr("activation", (long)d.Draw.Below(2)).Attr("epsilon", 0.01f);
    }

    private static void MatMul(NodeDraft d)
    {
        var (m, k, n, ta, tb) = ((long)d.Draw.Between(1, 9), (long)d.Draw.Between(1, 9), (long)d.Draw.Between(1, 9), d.Draw.Below(2), d.Draw.Below(2));
        var batch = d.Draw.Shape(d.Draw.Below(3), nonEmpty: true);
        var (ba, bb) = batch.Length > 0 && d.OpType != "TransposeMatMul" ? (d.Draw.Below(2), d.Draw.Below(2)) : (0, 0);
        // With a batch transposition the first matrix axis comes before the batch.
        long[] Operand(long rows, long columns, int transposed, int moved)
        {
            var (r, c) = transposed == 1 ? (columns, rows) : (rows, columns);
            return moved == 1 ? [r, .. batch, c] : [.. batch, r, c];
        }
        In(d, Operand(m, k, ta, ba));
        Weight(d, Operand(k, n, tb, bb));
        d.Attr("transA", (long)ta).Attr("transB", (long)tb).Maybe("alpha", 0.5f);
        if (ba == 1) d.Attr("transBatchA", 1L);
        if (bb == 1) d.Attr("transBatchB", 1L);
    }

    private static Tensor Invertible(NodeDraft d, int n, long[] batch)
    {
        var count = batch.Aggregate(1L, (p, e) => p * e);
        var values = new float[count * n * n];
        for (var i = 0; i < values.Length; i++) values[i] = d.Draw.Between(-9, 9) / 10f + (i / n % n == i % n ? 3 : 0);
        return Tensor.From<float>(values, new Shape([.. batch, n, n]));
    }

    private static void Conv(NodeDraft d, bool nhwc, bool fused)
    {
        var group = d.Draw.Of(1, 1, 2);
        var (c, m, h, w) = (group * d.Draw.Between(1, 3), group * d.Draw.Between(1, 3), d.Draw.Between(3, 6), d.Draw.Between(3, 6));
        In(d, nhwc ? [1, h, w, c] : [1, c, h, w]);
        d.In([m, c / group, 3, 2], type: DType.Float32, constant: 1);
        if (d.Draw.Chance(0.5)) Weight(d, m);
        else if (fused) d.Skip();
        if (fused && d.Draw.Chance(0.3)) In(d, 1, m, h - 2, w - 1);
        else d.Maybe("strides", new long[] { 2, 1 }).Maybe("pads", new long[] { 1, 0, 1, 1 });
        d.Attr("kernel_shape", new long[] { 3, 2 });
        if (group > 1) d.Attr("group", (long)group);
        if (!fused) return;
        switch (d.Draw.Below(5))
        {
            case 0: d.Attr("activation", "Relu"); break;
            case 1: d.Attr("activation", "LeakyRelu").Attr("activation_params", new[] { 0.3f }); break;
            case 2: d.Attr("activation", "Clip").Attr("activation_params", new[] { -1f, 2f }); break;
            case 3: d.Attr("activation", "HardSigmoid").Attr("activation_params", new[] { 0.3f, 0.4f }); break;
            default: d.Attr("activation", d.Draw.Of("Tanh", "Sigmoid")); break;
        }
    }

    private static void Tokenizer(NodeDraft d)
    {
        string[] texts = ["Hello World", "a,b c", "", "x", "one two  three", "été à la mer"];
        long[] s = d.Draw.Chance(0.5) ? [d.Draw.Between(1, 4)] : [2, d.Draw.Between(1, 3)];
        d.Value(Tensor.FromStrings([.. Enumerable.Range(0, (int)s.Aggregate(1L, (p, e) => p * e)).Select(_ => d.Draw.Of(texts))], new Shape(s)));
        d.Attr("mark", (long)d.Draw.Below(2)).Attr("pad_value", "#").Attr("mincharnum", (long)d.Draw.Between(1, 2));
        switch (d.Draw.Below(3))
        {
            case 0: d.Attr("separators", new[] { " ", "," }); break;
            case 1: d.Attr("separators", new[] { "" }).Attr("mincharnum", 1L); break;
            default: d.Attr("tokenexp", "[a-zA-Z]+"); break;
        }
    }

    private static void LinearAttention(NodeDraft d)
    {
        var (b, n, keyHeads, size, width) = (d.Draw.Between(1, 2), d.Draw.Between(1, 4), d.Draw.Between(1, 2), d.Draw.Between(1, 5), d.Draw.Between(1, 5));
        var (heads, rule) = (keyHeads * d.Draw.Between(1, 2), d.Draw.Of("linear", "gated", "delta", "gated_delta"));
        d.In([b, n, heads * size], Fill.Unit, DType.Float32).In([b, n, keyHeads * size], Fill.Unit, DType.Float32).In([b, n, keyHeads * width], Fill.Unit, DType.Float32);
        if (d.Draw.Chance(0.5)) d.In([b, keyHeads, size, width], Fill.Unit, DType.Float32); else d.Skip();
        if (rule.StartsWith("gated", StringComparison.Ordinal)) d.In([b, n, keyHeads * d.Draw.Of(1, size)], Fill.Unit, DType.Float32); else d.Skip();
        if (rule.EndsWith("delta", StringComparison.Ordinal)) d.In([b, n, d.Draw.Of(1, keyHeads)], Fill.Unit, DType.Float32);
        d.Attr("q_num_heads", (long)heads).Attr("kv_num_heads", (long)keyHeads).Attr("update_rule", rule).Maybe("scale", 0.5f).Out(2);
    }

    private static void CausalConv(NodeDraft d)
    {
        var (b, c, n, kernel, dilation, last) = (d.Draw.Between(1, 2), d.Draw.Between(1, 3), d.Draw.Between(1, 5), d.Draw.Between(2, 4), d.Draw.Of(1, 2), d.Draw.Chance(0.4));
        d.In(last ? [b, n, c] : [b, c, n], type: DType.Float32).Weight([c, 1, kernel], type: DType.Float32);
        if (d.Draw.Chance(0.5)) d.Weight([c], type: DType.Float32); else d.Skip();
        var state = (kernel - 1) * dilation;
        if (d.Draw.Chance(0.5)) d.In(last ? [b, state, c] : [b, c, state], type: DType.Float32);
        d.Maybe("activation", d.Draw.Of("silu", "swish", "none")).Out(2);
        if (dilation > 1) d.Attr("dilation", (long)dilation);
        if (last) d.Attr("channels_last", 1L);
    }
}
