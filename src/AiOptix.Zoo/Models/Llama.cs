using AiOptix.Graphs;
using AiOptix.Graphs.Ops;
using AiOptix.Tensors;

namespace AiOptix.Zoo;

/// <summary>
/// A decoder in the manner of LLaMA 2 and 3 (Touvron et al., 2023; Grattafiori et al., 2024): grouped-query attention, rotary positions, RMS normalisation, a gated
/// inner layer. Without options it has the extents of SmolLM-135M; with <see cref="ZooOptions.Width"/> (a multiple of 192: three heads share their keys and values)
/// and <see cref="ZooOptions.Layers"/> it grows or shrinks. Exported for operator set 14 with its cache going in and out.
/// </summary>
internal static class Llama
{
    private const int Words = 49152;
    private const int Each = 64;
    private const int Sharing = 3;
    private const float Epsilon = 1e-5f;
    private const double Base = 10000;

    public static ZooEntry Entry { get; } = new("llama", "LLaMA-style decoder with KV cache, 134.5 M parameters by default, 30 layers, width 576, GQA, RoPE, SwiGLU", ZooKind.Transformer, opset: 14,
        o => DecoderBlocks.Inputs(Words, Layers(o), Width(o) / Each / Sharing, Each, positions: true), Build)
    {
        SampleExtents = ZooEntry.DecodingExtents,
    };

    private static int Layers(ZooOptions options) => options.Layers ?? 30;

    private static int Width(ZooOptions options)
    {
        var width = options.Width ?? 576;
        return width > 0 && width % (Each * Sharing) == 0 ? width : throw new InvalidInputException($"llama has width {width}; expected a multiple of {Each * Sharing}");
    }

    private static void Build(Builder builder)
    {
        var width = Width(builder.Options);
        var net = builder.Root["model"];
        var ids = builder.Input("input_ids");
        var table = net["embed_tokens"].Weight("weight", new Shape(Words, width), 0.14);
        var x = net["embed_tokens"].Add(new Gather(0), table, ids);
        var mask = Mask(net, ids, builder.Input("attention_mask"));
        var angles = Angles(net["rotary_emb"], builder.Input("position_ids"), builder);
        for (var i = 0; i < Layers(builder.Options); i++) x = Layer(builder, net.ListItem("layers", i), x, mask, angles, i, width);
        builder.Root["lm_head"].Score(RmsNorm(net["norm"], x, width), table, "logits");
    }

    /// <summary>Hides later tokens and those that the mask leaves out: [batch, 1, queries, keys], 0 or the lowest number.</summary>
    private static Value Mask(Module net, Value ids, Value mask)
    {
        var (queries, keys) = (net.Length(ids, 1), net.Length(mask, 1));
        var first = net.Add(new Sub(), keys, queries);
        var row = net.Add(new Unsqueeze(), net.Add(new NumericRange(), first, keys, net.Integer(1)), net.Integers(1));
        var column = net.Add(new NumericRange(), net.Integer(0), keys, net.Integer(1));
        var causal = net.Add(new Where(), net.Add(new Greater(), column, row), net.Number(float.MinValue), net.Number(0));
        var padding = net.Hidden(mask);
        return net.Add(new Max(), net.Add(new Add(), net.Add(new Unsqueeze(), causal, net.Integers(0, 1)), padding), net.Number(float.MinValue));
    }

    /// <summary>Cosine and sine of every position's angles, the two halves alike: [batch, 1, sequence, head].</summary>
    private static (Value Cos, Value Sin) Angles(Module rotary, Value positions, Builder builder)
    {
        var frequencies = builder.Constant("/model/rotary_emb/inv_freq", () => Tensor.From<float>([.. Enumerable.Range(0, Each / 2).Select(i => (float)Math.Pow(Base, -2.0 * i / Each))], new Shape(1, Each / 2, 1)));
        var places = rotary.Add(new Cast(DType.Float32), rotary.Add(new Unsqueeze(), positions, rotary.Integers(1)));
        var angles = rotary.Add(new Transpose([0, 2, 1]), rotary.Add(new MatMul(), frequencies, places));
        var both = rotary.Add(new Concat(-1), angles, angles);
        return (rotary.Add(new Unsqueeze(), rotary.Add(new Cos(), both), rotary.Integers(1)), rotary.Add(new Unsqueeze(), rotary.Add(new Sin(), both), rotary.Integers(1)));
    }

    private static Value Layer(Builder builder, Module layer, Value x, Value mask, (Value Cos, Value Sin) angles, int index, int width)
    {
        x = layer.Add(new Add(), x, Attention(builder, layer["self_attn"], RmsNorm(layer["input_layernorm"], x, width), mask, angles, index, width));
        var (mlp, inner) = (layer["mlp"], width * 8 / 3);
        var y = RmsNorm(layer["post_attention_layernorm"], x, width);
        var gate = mlp["gate_proj"].Product(y, width, inner, 1.4);
        gate = mlp["act_fn"].Add(new Mul(), gate, mlp["act_fn"].Add(new Sigmoid(), gate));
        y = mlp.Add(new Mul(), gate, mlp["up_proj"].Product(y, width, inner));
        return layer.Add(new Add(), x, mlp["down_proj"].Product(y, inner, width, 0.6));
    }

    private static Value Attention(Builder builder, Module attention, Value x, Value mask, (Value Cos, Value Sin) angles, int index, int width)
    {
        var (heads, shared) = (width / Each, width / Each / Sharing);
        var q = Rotate(attention, Heads("q_proj", heads, 1.3), angles);
        var k = attention.Extend(Rotate(attention, Heads("k_proj", shared, 1.3), angles), builder, index, "key");
        var v = attention.Extend(Heads("v_proj", shared, 1), builder, index, "value");
        var scores = attention.Add(new MatMul(), q, attention.Add(new Transpose([0, 1, 3, 2]), Repeat(attention, k, shared)));
        scores = attention.Add(new Add(), attention.Add(new Div(), scores, attention.Number(MathF.Sqrt(Each))), mask);
        var mixed = attention.Add(new MatMul(), attention.Add(new Softmax(-1), scores), Repeat(attention, v, shared));
        return attention["o_proj"].Product(attention.View(attention.Add(new Transpose([0, 2, 1, 3]), mixed), width), width, width, 0.6);

        Value Heads(string name, int count, double gain) =>
            attention.Add(new Transpose([0, 2, 1, 3]), attention.View(attention[name].Product(x, width, count * Each, gain), count, Each));
    }

    /// <summary>x · cos + rotated x · sin, where the second half of a head, negated, comes before the first.</summary>
    private static Value Rotate(Module attention, Value x, (Value Cos, Value Sin) angles)
    {
        var first = attention.Add(new Slice(), x, attention.Integers(0), attention.Integers(Each / 2), attention.Integers(3), attention.Integers(1));
        var second = attention.Add(new Slice(), x, attention.Integers(Each / 2), attention.Integers(long.MaxValue), attention.Integers(3), attention.Integers(1));
        var rotated = attention.Add(new Concat(-1), attention.Add(new Neg(), second), first);
        return attention.Add(new Add(), attention.Add(new Mul(), x, angles.Cos), attention.Add(new Mul(), rotated, angles.Sin));
    }

    /// <summary>Keys or values for all heads: every shared one as often as heads share it.</summary>
    private static Value Repeat(Module attention, Value x, int shared)
    {
        var (batch, keys) = (attention.Extent(x, 0), attention.Extent(x, 2));
        var (heads, each) = (attention.Integers(shared), attention.Integers(Each));
        var copies = attention.Add(new Expand(), attention.Add(new Unsqueeze(), x, attention.Integers(2)), attention.Add(new Concat(0), batch, heads, attention.Integers(Sharing), keys, each));
        return attention.Add(new Reshape(), copies, attention.Add(new Concat(0), batch, attention.Integers(shared * Sharing), keys, each));
    }

    /// <summary>x divided by the root of its mean square, scaled.</summary>
    private static Value RmsNorm(Module norm, Value x, int width)
    {
        var mean = norm.Add(new ReduceMean(true), norm.Add(new Pow(), x, norm.Number(2)), norm.Integers(-1));
        var root = norm.Add(new Sqrt(), norm.Add(new Add(), mean, norm.Number(Epsilon)));
        return norm.Add(new Mul(), norm.Weight("weight", new Shape(width), 0.1, mean: 1), norm.Add(new Mul(), x, norm.Add(new Div(), norm.Number(1), root)));
    }
}
