using AiOptix.Graphs;
using AiOptix.Graphs.Ops;
using AiOptix.Tensors;

namespace AiOptix.Zoo;

/// <summary>
/// GPT-2 small (Radford et al., "Language Models are Unsupervised Multitask Learners", 2019) as a decoder with its cache going in and out, exported by PyTorch for
/// operator set 14: fused projections as Gemm between Reshape nodes, positions from the extent of the past, a triangular table of Booleans as causal mask.
/// </summary>
internal static class Gpt2
{
    private const int Words = 50257;
    private const int Positions = 1024;
    private const int Each = 64;
    private const float Epsilon = 1e-5f;

    public static ZooEntry Entry { get; } = new("gpt2-small", "GPT-2 small, decoder with KV cache, 124.4 M parameters, 12 layers, width 768", ZooKind.Transformer, opset: 14,
        o => DecoderBlocks.Inputs(Words, o.Layers ?? 12, (o.Width ?? 768) / Each, Each, positions: false), Build)
    {
        SampleExtents = ZooEntry.DecodingExtents,
    };

    private static void Build(Builder builder)
    {
        var (layers, width) = (builder.Options.Layers ?? 12, builder.Options.Width ?? 768);
        var net = builder.Root["transformer"];
        var ids = builder.Input("input_ids");
        var mask = net.Hidden(builder.Input("attention_mask"));
        var table = net["wte"].Weight("weight", new Shape(Words, width), 0.14);
        var x = net["wte"].Add(new Gather(0), table, ids);
        x = net.Add(new Add(), x, net["wpe"].Add(new Gather(0), net["wpe"].Weight("weight", new Shape(Positions, width), 0.03), Places(net, ids, builder)));
        for (var i = 0; i < layers; i++) x = Layer(builder, net.ListItem("h", i), x, mask, i, width);
        x = net["ln_f"].LayerNorm(x, width, Epsilon);
        builder.Root["lm_head"].Score(x, table, "logits");
    }

    /// <summary>The positions past … past + sequence - 1, as [1, sequence].</summary>
    private static Value Places(Module net, Value ids, Builder builder)
    {
        var past = net.Length(builder.Input("past_key_values.0.key"), 2);
        var end = net.Add(new Add(), net.Length(ids, 1), past);
        var range = net.Add(new Unsqueeze(), net.Add(new NumericRange(), past, end, net.Integer(1)), net.Integers(0));
        return net.Add(new Reshape(), range, net.Add(new Concat(0), net.Integers(-1), net.Extent(ids, 1)));
    }

    private static Value Layer(Builder builder, Module layer, Value x, Value mask, int index, int width)
    {
        var mixed = Attention(builder, layer["attn"], layer["ln_1"].LayerNorm(x, width, Epsilon), mask, index, width);
        x = layer.Add(new Add(), mixed, x);
        var mlp = layer["mlp"];
        var inner = Projection(mlp["c_fc"], layer["ln_2"].LayerNorm(x, width, Epsilon), width, 4 * width, 1);
        return layer.Add(new Add(), x, Projection(mlp["c_proj"], NewGelu(mlp["act"], inner), 4 * width, width, 0.6));
    }

    private static Value Attention(Builder builder, Module attention, Value x, Value mask, int index, int width)
    {
        var all = Projection(attention["c_attn"], x, width, 3 * width, 1.2);
        var parts = attention.Split(all, 2, width, width, width);
        var q = Heads(parts[0]);
        var k = attention.Extend(Heads(parts[1]), builder, index, "key");
        var v = attention.Extend(Heads(parts[2]), builder, index, "value");
        var scores = attention.Add(new MatMul(), q, attention.Add(new Transpose([0, 1, 3, 2]), k));
        scores = attention.Add(new Div(), scores, attention.Number(MathF.Sqrt(Each)));
        scores = attention.Add(new Where(), Causal(attention, q, k, builder), scores, attention.Number(float.MinValue));
        var weights = attention.Add(new Softmax(-1), attention.Add(new Add(), scores, mask));
        var mixed = attention.Add(new Transpose([0, 2, 1, 3]), attention.Add(new MatMul(), weights, v));
        return Projection(attention["c_proj"], attention.View(mixed, width), width, width, 0.6);

        Value Heads(Value part) => attention.Add(new Transpose([0, 2, 1, 3]), attention.View(part, width / Each, Each));
    }

    /// <summary>The rows of the new tokens and the columns of all tokens, cut from a triangular table.</summary>
    private static Value Causal(Module attention, Value query, Value key, Builder builder)
    {
        var table = builder.Constant("/transformer/h.0/attn/bias", () =>
        {
            var tensor = Tensor.Allocate(DType.Bool, new Shape(1, 1, Positions, Positions), zeroed: true);
            var cells = tensor.Span<bool>();
            for (var row = 0; row < Positions; row++) cells.Slice(row * Positions, row + 1).Fill(true);
            return tensor;
        });
        var (queries, keys) = (attention.Length(query, 2), attention.Length(key, 2));
        var from = attention.Add(new Unsqueeze(), attention.Add(new Sub(), keys, queries), attention.Integers(0));
        var to = attention.Add(new Unsqueeze(), keys, attention.Integers(0));
        var rows = attention.Add(new Slice(), table, from, to, attention.Integers(2), attention.Integers(1));
        return attention.Add(new Slice(), rows, attention.Integers(0), to, attention.Integers(3), attention.Integers(1));
    }

    /// <summary>A linear layer over the last axis, as Gemm on flattened rows.</summary>
    private static Value Projection(Module module, Value x, int from, int to, double gain)
    {
        var shape = module.Add(new Concat(0), module.Extent(x, 0), module.Extent(x, 1), module.Integers(to));
        var rows = module.Add(new Reshape(), x, module.Integers(-1, from));
        var y = module.Add(new Gemm(), rows, module.Weight("weight", new Shape(from, to), gain / Math.Sqrt(from)), module.Weight("bias", new Shape(to), 0.05));
        return module.Add(new Reshape(), y, shape);
    }

    /// <summary>0.5 · x · (1 + tanh(√(2/π) · (x + 0.044715 · x³))).</summary>
    private static Value NewGelu(Module act, Value x)
    {
        var cubed = act.Add(new Mul(), act.Add(new Pow(), x, act.Number(3)), act.Number(0.044715f));
        var inner = act.Add(new Mul(), act.Add(new Add(), x, cubed), act.Number(MathF.Sqrt(2 / MathF.PI)));
        var outer = act.Add(new Add(), act.Add(new Tanh(), inner), act.Number(1));
        return act.Add(new Mul(), act.Add(new Mul(), x, act.Number(0.5f)), outer);
    }
}
