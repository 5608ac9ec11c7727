using AiOptix.Graphs;
using AiOptix.Tensors;

namespace AiOptix.Differential.Tests.Recipes;

/// <summary>Quantisation, losses, signals, text, random values, sequences and optionals.</summary>
internal static class Others
{
    public static IEnumerable<Recipe> Recipes =>
    [
        new("QuantizeLinear", Quantize), new("DequantizeLinear", Dequantize),
        new("DynamicQuantizeLinear", d => d.In(d.Shape(1, nonEmpty: true)).Out(3)),
        new("QLinearMatMul", QLinearMatMul),
        new("NegativeLogLikelihoodLoss", d => Loss(d)), new("SoftmaxCrossEntropyLoss", d => { Loss(d); d.Out(d.Draw.Between(1, 2)); }),
        new("NonMaxSuppression", NonMaxSuppression),
        .. Recipe.Each("HannWindow HammingWindow BlackmanWindow", d => { d.Slack = 1; d.Ints([d.Draw.Between(2, 8)], scalar: true).Attr("output_datatype", (long)d["T2"]).Maybe("periodic", (long)d.Draw.Below(2)); }),
        new("MelWeightMatrix", d =>
        {
            NodeDraft.Only(d["T3"].IsFloat() || true);
            d.Ints([d.Draw.Between(2, 6)], scalar: true).Ints([16], scalar: true).Ints([8000], scalar: true);
            d.Value(Graphs.Evaluate.ElementTypes.From([50], d.TypeOf(3), Shape.Scalar), true).Value(Graphs.Evaluate.ElementTypes.From([3500], d.TypeOf(4), Shape.Scalar), true).Attr("output_datatype", (long)d["T3"]);
        }),
        new("DFT", Dft), new("STFT", Stft),
        new("RegexFullMatch", d => d.In(d.Shape()).Attr("pattern", d.Draw.Of("[a-z]+", "", "a|b|ab", "-?[0-9]+(\\.[0-9]+)?", ".*o"))),
        new("StringNormalizer", d => { d.In(d.Draw.Chance(0.5) ? [d.Draw.Between(1, 5)] : [1, d.Draw.Between(1, 5)]).Maybe("case_change_action", d.Draw.Of("LOWER", "UPPER", "NONE")).Maybe("is_case_sensitive", (long)d.Draw.Below(2)); if (d.Draw.Chance(0.5)) d.Attr("stopwords", new[] { "a", "ZOO" }); }),
        new("StringSplit", d => { d.In(d.Shape(0, 2, nonEmpty: true)).Maybe("delimiter", d.Draw.Of(" ", "o", "")).Maybe("maxsplit", (long)d.Draw.Between(1, 2)).Out(2); }),
        new("TfIdfVectorizer", TfIdf),
        .. Recipe.Each("RandomNormal RandomUniform", d => { d.IsRandom = true; d.Attr("shape", d.Draw.Shape(d.Draw.Between(1, 3))).Attr("dtype", (long)d["T"]).Attr("seed", 1f + d.Draw.Below(9)); }),
        .. Recipe.Each("RandomNormalLike RandomUniformLike", d => { d.IsRandom = true; d.In(d.Shape()).Attr("dtype", (long)d["T2"]).Attr("seed", 3f); }),
        new("Bernoulli", d => { d.IsRandom = true; d.In(d.Shape(), Fill.Unit).Attr("dtype", (long)d["T2"]).Attr("seed", 3f); d.Inputs[0] = d.Inputs[0]! with { Value = d.Draw.Values(d["T1"], ((Tensor)d.Inputs[0]!.Value).Shape.Dims.ToArray(), Fill.Positive) is var t ? Halved(t) : null! }; }),
        new("Multinomial", d => { d.IsRandom = true; d.In([d.Draw.Between(1, 3), d.Draw.Between(1, 4)]).Attr("sample_size", (long)d.Draw.Between(1, 5)).Attr("seed", 3f).Attr("dtype", (long)d["T2"]); }),
        new("SequenceConstruct", d => { for (var i = d.Draw.Between(1, 3); i > 0; i--) d.In(d.Shape()); }),
        new("SequenceEmpty", d => d.Attr("dtype", (long)DType.Int64)),
        new("SequenceAt", d => d.Value(Sequence(d, d["T"])).Ints([d.Draw.Between(-2, 1)], d["I"], scalar: true)),
        new("SequenceErase", d => { d.Value(Sequence(d, DType.Float32)); if (d.Draw.Chance(0.7)) d.Ints([d.Draw.Between(-2, 1)], d["I"], scalar: true); }),
        new("SequenceInsert", d => { d.Value(Sequence(d, d["T"])).In(d.Shape(), type: d["T"]); if (d.Draw.Chance(0.7)) d.Ints([d.Draw.Between(-2, 2)], d["I"], scalar: true); }),
        new("SequenceLength", d => d.Value(Sequence(d, d.Draw.Of(DType.Float32, DType.String, DType.Bool)))),
        new("ConcatFromSequence", d => { d.Value(Sequence(d, d["T"], same: true)).Attr("axis", (long)d.Draw.Between(-2, 1)); if (d.Draw.Chance(0.4)) d.Attr("new_axis", 1L); }),
        new("SplitToSequence", d => { var s = d.Shape(1, nonEmpty: true); var a = d.Axis(s.Length); d.In(s).Attr("axis", a); if (d.Draw.Chance(0.5)) d.Ints([d.Draw.Between(1, 3)], scalar: true); else d.Maybe("keepdims", (long)d.Draw.Below(2)); }),
        new("Optional", d => d.In(d.Shape(), type: d["V"])),
        .. Recipe.Each("OptionalGetElement OptionalHasElement", d =>
        {
            var type = d.OpType == "OptionalGetElement" && (d.Since < 18 || d.Draw.Chance(0.5)) ? d["V"] : d.Since >= 18 ? d["O"] : d.Draw.Of(DType.Float32, DType.String, DType.Int64);
            if (d.Since >= 18 && d.Draw.Chance(0.5)) d.In(d.Shape(), type: type);
            else d.Value(new OptionalValue(d.Draw.Values(type, d.Draw.Shape(2))));
        }),
        new("If", d => d.Value(Flag(d.Draw.Below(2))).Attr("then_branch", Branch(new ConstantHolder(d, 1))).Attr("else_branch", Branch(new ConstantHolder(d, 2)))),
    ];

    private sealed record ConstantHolder(NodeDraft Draft, int Rank);

    private static Graph Branch(ConstantHolder holder)
    {
        var g = new Graph("branch");
        var d = holder.Draft;
        g.AddOutput(g.Add(new UnknownOperator("", "Constant", d.Opset, new Dictionary<string, object> { ["value"] = d.Draw.Values(DType.Float32, d.Draw.Shape(holder.Rank)) }, [])));
        return g;
    }

    private static Tensor Flag(int value) => Graphs.Evaluate.ElementTypes.From([value], DType.Bool, Shape.Scalar);

    private static Tensor Halved(Tensor t) => Graphs.Evaluate.ElementTypes.From([.. Graphs.Evaluate.ElementTypes.ToFloat64(t).Select(v => Math.Min(1, v / 4))], t.DType, t.Shape);

    private static SequenceValue Sequence(NodeDraft d, DType type, bool same = false)
    {
        var shape = d.Draw.Shape(2);
        return new([.. Enumerable.Range(0, 2).Select(_ => d.Draw.Values(type, same ? shape : d.Draw.Shape(2)))]);
    }

    /// <summary>A scale for all, for each entry of an axis, or for blocks of it.</summary>
    private static long[] Scales(NodeDraft d, long[] s)
    {
        if (d.Since < 13 || s.Length == 0 || d.Draw.Chance(0.4)) return [];
        var axis = d.Axis(s.Length);
        var at = (int)(axis < 0 ? axis + s.Length : axis);
        d.Attr("axis", axis);
        if (d.Since < 21 || d.Draw.Chance(0.6)) return [s[at]];
        var block = d.Draw.Between(1, 3);
        d.Attr("block_size", (long)block);
        return [.. s.Select((e, i) => i == at ? (e + block - 1) / block : e)];
    }

    private static void Quantize(NodeDraft d)
    {
        var s = d.Shape(0, nonEmpty: true);
        var scales = Scales(d, s);
        var type = d.Since >= 10 ? d[d.Since >= 23 ? "T3" : d.Since >= 10 && HasT3(d) ? "T3" : "T2"] : DType.UInt8;
        d.In(s).Weight(scales, Fill.Positive);
        if (d.Draw.Chance(0.7) || type != DType.UInt8) d.Weight(scales, type.IsInteger() ? Fill.Few : Fill.Any, type);
        if (!type.IsInteger() && d.Inputs.Count == 3) d.Inputs[2] = new(Tensor.Allocate(type, new Shape(scales), zeroed: true), true);
        if (d.Since >= 19 && !type.IsInteger() && !type.IsPacked()) d.Maybe("saturate", (long)d.Draw.Below(2));
    }

    private static bool HasT3(NodeDraft d)
    {
        try
        {
            return d["T3"] != DType.Undefined;
        }
        catch (RejectedException)
        {
            return false;
        }
    }

    private static void Dequantize(NodeDraft d)
    {
        var s = d.Shape(0, nonEmpty: true);
        var scales = Scales(d, s);
        var type = d.TypeOf(0);
        d.In(s).Weight(scales, Fill.Positive);
        if (type == DType.Int32 || !type.IsInteger() || d.Draw.Chance(0.3)) { }
        else d.Weight(scales, Fill.Few, type);
        if (d.Since >= 23 && d.TypeOf(1) is var scale) { NodeDraft.Only(scale == DType.Float8E8M0 || d["T3"] == scale || d.Draw.Chance(0.5)); d.Attr("output_dtype", (long)d["T3"]); }
    }

    private static void QLinearMatMul(NodeDraft d)
    {
        var (m, k, n) = ((long)d.Draw.Between(1, 5), (long)d.Draw.Between(1, 5), (long)d.Draw.Between(1, 5));
        var scale = d.Since >= 21 ? d["TS"] : DType.Float32;
        d.In([m, k]).Weight([], Fill.Positive, scale).Weight([], Fill.Few).Weight([k, n]).Weight([], Fill.Positive, scale).Weight([], Fill.Few).Weight([], Fill.AboveOne, scale).Weight([], Fill.Few);
        foreach (var i in (int[])[2, 5, 7])
            if (!d.TypeOf(i).IsInteger()) d.Inputs[i] = new(Tensor.Allocate(d.TypeOf(i), Shape.Scalar, zeroed: true), true);
    }

    private static void Loss(NodeDraft d)
    {
        var s = d.Draw.Shape(d.Draw.Between(2, 4), nonEmpty: true);
        long[] targets = [s[0], .. s.Skip(2)];
        var values = Enumerable.Range(0, (int)targets.Aggregate(1L, (p, e) => p * e)).Select(_ => (double)d.Draw.Below((int)s[1])).ToArray();
        d.In(s).Value(Graphs.Evaluate.ElementTypes.From(values, d.TypeOf(1), new Shape(targets)));
        if (d.Draw.Chance(0.5)) d.Weight([s[1]], Fill.Positive);
        d.Maybe("reduction", d.Draw.Of("none", "sum", "mean"));
        if (s[1] > 1 && values.Any(v => v != 0) && d.Draw.Chance(0.3)) d.Attr("ignore_index", 0L);
    }

    private static void NonMaxSuppression(NodeDraft d)
    {
        var (b, n, c) = (d.Draw.Between(1, 2), d.Draw.Between(1, 6), d.Draw.Between(1, 2));
        d.Value(Tensor.From<float>(Enumerable.Range(0, b * n).SelectMany(_ => { float y = d.Draw.Below(20) / 10f, x = d.Draw.Below(20) / 10f; return new[] { y, x, y + 0.5f + d.Draw.Below(10) / 10f, x + 0.5f + d.Draw.Below(10) / 10f }; }).ToArray(), new Shape(b, n, 4)));
        d.Value(Tensor.From<float>(d.Draw.Permutation(b * n * c).Select(i => i / (float)(b * n * c)).ToArray(), new Shape(b, c, n)));
        d.Ints([d.Draw.Between(1, 4)]).Value(Tensor.Vector(0.5f), true);
        if (d.Draw.Chance(0.5)) d.Value(Tensor.Vector(0.3f), true);
        d.Maybe("center_point_box", (long)d.Draw.Below(2));
    }

    private static void Dft(NodeDraft d)
    {
        d.Slack = 20;
        var complex = d.Draw.Chance(0.5);
        long[] s = [d.Draw.Between(1, 2), d.Draw.Between(2, 7), .. d.Draw.Chance(0.4) ? [(long)d.Draw.Between(1, 3)] : Array.Empty<long>(), complex ? 2 : 1];
        var inverse = complex && d.Draw.Chance(0.4);
        d.In(s);
        if (inverse) d.Attr("inverse", 1L);
        else if (!complex) d.Maybe("onesided", (long)d.Draw.Below(2));
        if (d.Draw.Chance(0.4)) d.Ints([d.Draw.Between(2, 8)], scalar: true);
        else if (d.Since >= 20) d.Skip();
        if (d.Since >= 20) d.Ints([1], scalar: true, constant: true);
        else d.Attr("axis", 1L);
    }

    private static void Stft(NodeDraft d)
    {
        d.Slack = 20;
        var window = d.Draw.Between(3, 6);
        d.In([d.Draw.Between(1, 2), d.Draw.Between(8, 14), 1]).Ints([d.Draw.Between(1, 4)], scalar: true);
        if (d.Draw.Chance(0.6)) d.In([window], Fill.Positive);
        else d.Skip().Ints([window], scalar: true);
        d.Maybe("onesided", (long)d.Draw.Below(2));
    }

    private static void TfIdf(NodeDraft d)
    {
        var text = d.TypeOf(0) == DType.String;
        d.In(d.Draw.Chance(0.5) ? [6] : [2, 6], Fill.Few);
        d.Attr("mode", d.Draw.Of("TF", "IDF", "TFIDF")).Attr("min_gram_length", 1L).Attr("max_gram_length", 2L).Attr("max_skip_count", (long)d.Draw.Below(3));
        d.Attr("ngram_counts", new long[] { 0, 3 }).Attr("ngram_indexes", new long[] { 0, 1, 2, 3, 4 });
        if (text) d.Attr("pool_strings", new[] { "a", "b", "ab", "a", "b", "b", "a" });
        else d.Attr("pool_int64s", new long[] { 1, 2, 3, 1, 2, 2, 1 });
        d.Maybe("weights", new[] { 0.5f, 1f, 1.5f, 2f, 2.5f });
    }
}
