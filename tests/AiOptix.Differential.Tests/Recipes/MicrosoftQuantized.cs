using AiOptix.Tensors;
using static AiOptix.Differential.Tests.Recipes.MicrosoftFloat;

namespace AiOptix.Differential.Tests.Recipes;

/// <summary>Operators of <c>com.microsoft</c> on quantised values. Results of 8 bits may lie one step apart, since scales round in different orders.</summary>
internal static class MicrosoftQuantized
{
    public static IEnumerable<Recipe> Recipes =>
    [
        Row("QuantizeLinear", d => { var t = d.Draw.Of(DType.UInt8, DType.Int8, DType.Int16, DType.UInt16); var s = d.Shape(2, nonEmpty: true); var axis = d.Draw.Chance(0.5); long[] q = axis ? [s[1]] : []; d.In(s, type: DType.Float32).Weight(q, Fill.Positive, DType.Float32).Weight(q, Fill.Few, t); if (axis) d.Attr("axis", 1L); }),
        Row("DequantizeLinear", d => { var t = d.Draw.Of(DType.UInt8, DType.Int8, DType.Int16, DType.Int32); var s = d.Shape(2, nonEmpty: true); d.In(s, Fill.Full, t).Weight([], Fill.Positive, DType.Float32); if (t != DType.Int32) d.Weight([], Fill.Few, t); }),
        .. new[] { "QLinearAdd", "QLinearMul" }.Select(n => Row(n, d => { var t = Byte(d); var s = d.Broadcast(2); Quantized(d, t, s[0]); Quantized(d, t, s[1]); Parameters(d, t); })),
        Row("QLinearSigmoid", d => Simple(d, d.Shape())), Row("QLinearLeakyRelu", d => { Simple(d, d.Shape()); d.Attr("alpha", 0.2f); }),
        Row("QLinearSoftmax", d => { var s = d.Shape(2, nonEmpty: true); var t = Byte(d); Quantized(d, t, s); d.Weight([], Fill.Positive, DType.Float32).In([], Fill.Few, t, constant: 1); d.Inputs[3] = new(Tensor.Scalar(1 / 255f), true); d.Inputs[4] = new(Graphs.Evaluate.ElementTypes.From([t == DType.Int8 ? -128 : 0], t, Shape.Scalar), true); d.Attr("opset", d.Draw.Of(11L, 13)).Attr("axis", -1L); }),
        Row("GatherBlockQuantized", GatherBlocks),
        Row("QLinearReduceMean", d => { var s = d.Shape(2, nonEmpty: true); Simple(d, s); d.Attr("axes", new long[] { -1 }).Attr("keepdims", (long)d.Draw.Below(2)); }),
        Row("QLinearGlobalAveragePool", d => { Simple(d, d.Draw.Shape(4, nonEmpty: true)); d.Attr("channels_last", (long)d.Draw.Below(2)); }),
        Row("QLinearAveragePool", d => { Simple(d, [1, 4, 5, 4]); d.Attr("kernel_shape", new long[] { 2, 2 }).Maybe("pads", new long[] { 1, 0, 0, 1 }).Attr("channels_last", (long)d.Draw.Below(2)).Maybe("count_include_pad", 1L); }),
        Row("QLinearConcat", d =>
        {
            var (s, t) = (d.Draw.Shape(3, nonEmpty: true), Byte(d));
            var axis = d.Draw.Below(3);
            Parameters(d, t);
            for (var i = d.Draw.Between(1, 3); i > 0; i--)
            {
                s[axis] = d.Draw.Between(1, 3);
                Quantized(d, t, [.. s]);
            }
            d.Attr("axis", (long)axis);
        }),
        Row("QLinearWhere", d => { var (s, t) = (d.Broadcast(3), Byte(d)); d.In(s[0], type: DType.Bool); Quantized(d, t, s[1]); Quantized(d, t, s[2]); Parameters(d, t); }),
        Row("QLinearConv", d =>
        {
            var (c, m, last) = (d.Draw.Between(1, 3), d.Draw.Between(1, 3), d.Draw.Chance(0.5));
            Quantized(d, DType.UInt8, last ? [1, 5, 4, c] : [1, c, 5, 4]);
            d.In([m, c, 3, 2], Fill.Full, DType.UInt8, constant: 1).Weight([], Fill.Positive, DType.Float32).Weight([], Fill.Few, DType.UInt8);
            d.Value(Tensor.Scalar(40f), true).Weight([], Fill.Few, DType.UInt8);
            d.Attr("channels_last", last ? 1L : 0).Attr("kernel_shape", new long[] { 3, 2 });
        }),
        Row("QGemm", d =>
        {
            var (m, k, n, ta, tb) = ((long)d.Draw.Between(1, 5), (long)d.Draw.Between(1, 5), (long)d.Draw.Between(1, 5), d.Draw.Below(2), d.Draw.Below(2));
            var (t, columns) = (DType.UInt8, d.Draw.Chance(0.5));
            long[] q = columns ? [n] : [];
            d.In(ta == 1 ? [k, m] : [m, k], Fill.Full, t).Weight([], Fill.Positive, DType.Float32).Weight([], Fill.Few, t);
            d.Weight(tb == 1 ? [n, k] : [k, n], Fill.Full, DType.Int8).Weight(q, Fill.Positive, DType.Float32).Value(Tensor.Allocate(DType.Int8, new Shape(q), zeroed: true), true);
            if (d.Draw.Chance(0.5)) d.Weight(d.Draw.Of<long[]>([n], [m, n]), Fill.Any, DType.Int32); else d.Skip();
            if (d.Draw.Chance(0.5)) d.Value(Tensor.Scalar(100f), true).Weight([], Fill.Few, t);
            d.Attr("transA", (long)ta).Attr("transB", (long)tb).Maybe("alpha", 0.5f);
        }),
        Row("DynamicQuantizeMatMul", d =>
        {
            var (m, k, n, t) = ((long)d.Draw.Between(1, 5), (long)d.Draw.Between(1, 5), (long)d.Draw.Between(1, 5), Byte(d));
            d.In([m, k], type: DType.Float32).Weight([k, n], Fill.Full, t).Weight(d.Draw.Chance(0.5) ? [n] : [], Fill.Positive, DType.Float32);
            if (d.Draw.Chance(0.5)) d.Value(Tensor.Allocate(t, ((Tensor)d.Inputs[2]!.Value).Shape, zeroed: true), true); else d.Skip();
            if (d.Draw.Chance(0.5)) d.Weight([n], type: DType.Float32);
        }),
        Row("MatMulIntegerToFloat", d =>
        {
            var (m, k, n, t) = ((long)d.Draw.Between(1, 5), (long)d.Draw.Between(1, 5), (long)d.Draw.Between(1, 5), Byte(d));
            d.In([m, k], Fill.Full, DType.UInt8).Weight([k, n], Fill.Full, t).Weight([], Fill.Positive, DType.Float32).Weight(d.Draw.Chance(0.5) ? [n] : [], Fill.Positive, DType.Float32);
            if (d.Draw.Chance(0.6)) d.Weight([], Fill.Few, DType.UInt8); else d.Skip();
            if (d.Draw.Chance(0.5)) d.Weight(((Tensor)d.Inputs[3]!.Value).Shape.Dims.ToArray(), Fill.Few, t); else d.Skip();
            if (d.Draw.Chance(0.5)) d.Weight([n], type: DType.Float32);
        }),
        Row("MatMulNBits", Bits),
        Row("DynamicQuantizeLSTM", d =>
        {
            var (n, b, x, h) = (d.Draw.Between(1, 4), d.Draw.Between(1, 3), d.Draw.Between(1, 4), d.Draw.Between(1, 4));
            var direction = d.Draw.Of("forward", "reverse", "bidirectional");
            long dirs = direction == "bidirectional" ? 2 : 1;
            d.In([n, b, x], Fill.Unit, DType.Float32).In([dirs, x, 4 * h], Fill.Full, DType.Int8, constant: 1).In([dirs, h, 4 * h], Fill.Full, DType.Int8, constant: 1);
            if (d.Draw.Chance(0.5)) d.Weight([dirs, 8 * h], Fill.Unit, DType.Float32); else d.Skip();
            d.Skip().Skip().Skip().Skip();
            for (var i = 0; i < 2; i++) d.Value(Graphs.Evaluate.ElementTypes.From([.. Enumerable.Repeat(0.01, (int)dirs)], DType.Float32, new Shape(dirs)), true).Value(Tensor.Allocate(DType.Int8, new Shape(dirs), zeroed: true), true);
            d.Attr("hidden_size", (long)h).Attr("direction", direction).Out(3);
            // ONNX Runtime rounds inputs and states to 8 bits as well.
            d.Slack = 3000;
        }),
        Row("QMoE", Experts),
    ];

    private static DType Byte(NodeDraft d) => d.Draw.Of(DType.UInt8, DType.Int8);

    private static void Quantized(NodeDraft d, DType t, long[] shape)
    {
        d.In(shape, Fill.Full, t);
        Parameters(d, t);
    }

    // ONNX Runtime reads scales and zero points when it opens a model, and ends the process where some are no constants.
    private static void Parameters(NodeDraft d, DType t) => d.Value(Tensor.Scalar(0.02f + d.Draw.Below(9) / 100f), true).In([], Fill.Few, t, constant: 1);

    private static void Simple(NodeDraft d, long[] shape)
    {
        var t = Byte(d);
        Quantized(d, t, shape);
        Parameters(d, t);
    }

    private static void Bits(NodeDraft d)
    {
        var bits = d.Draw.Of(4, 4, 8);
        var (block, n, k) = (d.Draw.Of(16, 32), (long)d.Draw.Between(1, 5), (long)d.Draw.Between(1, 5) * 8);
        var blocks = (k + block - 1) / block;
        d.In(d.Draw.Chance(0.5) ? [2, d.Draw.Between(1, 3), k] : [d.Draw.Between(1, 3), k], type: DType.Float32);
        d.In([n, blocks, block * bits / 8], Fill.Full, DType.UInt8, constant: 1).In([n, blocks], Fill.Positive, DType.Float32, constant: 1);
        switch (d.Draw.Below(3))
        {
            case 0: d.In([n, (blocks * bits + 7) / 8], Fill.Full, DType.UInt8, constant: 1); break;
            case 1 when bits == 4: d.In([n, blocks], Fill.Few, DType.Float32, constant: 1); break;
            default: break;
        }
        if (d.Inputs.Count == 3) d.Skip();
        d.Skip();
        if (d.Draw.Chance(0.4)) d.Weight([n], type: DType.Float32);
        d.Attr("N", n).Attr("K", k).Attr("bits", (long)bits).Attr("block_size", (long)block);
        d.Slack = 5;
    }

    private static void Experts(NodeDraft d)
    {
        var bits = d.Draw.Of(4, 8);
        var (tokens, hidden, inner, experts, k) = (d.Draw.Between(1, 4), 32, 32, d.Draw.Between(2, 4), d.Draw.Between(1, 2));
        var gated = d.Draw.Chance(0.4);
        var wide = gated ? 2 * inner : inner;
        d.In([tokens, hidden], Fill.Unit, DType.Float32).In([tokens, experts], type: DType.Float32);
        d.In([experts, wide, hidden * bits / 8], Fill.Full, DType.UInt8, constant: 1).Value(Scales(experts, wide), true);
        if (d.Draw.Chance(0.5)) d.Weight([experts, wide], Fill.Unit, DType.Float32); else d.Skip();
        d.In([experts, hidden, inner * bits / 8], Fill.Full, DType.UInt8, constant: 1).Value(Scales(experts, hidden), true);
        if (d.Draw.Chance(0.5)) d.Weight([experts, hidden], Fill.Unit, DType.Float32);
        d.Attr("k", (long)k).Attr("expert_weight_bits", (long)bits).Attr("normalize_routing_weights", (long)d.Draw.Below(2)).Attr("activation_type", gated ? "swiglu" : d.Draw.Of("relu", "gelu", "silu", "identity"));
        if (gated) d.Attr("swiglu_fusion", 1L).Maybe("activation_alpha", 1.702f).Maybe("activation_beta", 1f).Maybe("swiglu_limit", 7f);
        d.Slack = 300;

        static Tensor Scales(int experts, int rows) => Graphs.Evaluate.ElementTypes.From([.. Enumerable.Range(0, experts * rows).Select(i => 0.01 + i % 5 * 0.002)], DType.Float32, new Shape(experts, rows));
    }

    private static void GatherBlocks(NodeDraft d)
    {
        var (rows, blocks, type, bits) = (d.Draw.Between(1, 5), d.Draw.Between(1, 3), d.Draw.Of(DType.Int4, DType.UInt4, DType.UInt8), d.Draw.Of(2, 4, 8));
        if (type != DType.UInt8) bits = 4;
        var perByte = type == DType.UInt8 ? 8 / bits : 1;
        d.In([rows, 16 * blocks / perByte], Fill.Full, type, constant: 1);
        long[] shape = [.. Enumerable.Range(0, d.Draw.Below(3)).Select(_ => (long)d.Draw.Between(1, 3))];
        d.Value(Tensor.From<long>([.. Enumerable.Range(0, (int)new Shape(shape).Count).Select(_ => (long)d.Draw.Below(rows))], new Shape(shape)));
        d.In([rows, blocks], Fill.Positive, DType.Float32, constant: 1);
        if (d.Draw.Chance(0.5)) d.In([rows, (blocks + perByte - 1) / perByte], Fill.Full, type, constant: 1);
        d.Attr("block_size", 16L).Attr("bits", (long)bits).Maybe("gather_axis", 0L).Maybe("quantize_axis", d.Draw.Of(1L, -1));
    }
}
