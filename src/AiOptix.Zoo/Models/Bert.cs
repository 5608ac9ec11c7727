using AiOptix.Graphs;
using AiOptix.Graphs.Ops;
using AiOptix.Tensors;

namespace AiOptix.Zoo;

/// <summary>A BERT encoder's extents.</summary>
internal sealed record BertShape(int Layers, int Width, int Heads, int Inner, int Words = 30522, int Positions = 512);

/// <summary>
/// BERT (Devlin et al., "BERT: Pre-training of Deep Bidirectional Transformers for Language Understanding", 2018), decomposed as PyTorch exports it for operator
/// set 14.
/// </summary>
internal static class Bert
{
    private const float Epsilon = 1e-12f;

    /// <summary>Queries and keys this large make every token look at a few others.</summary>
    private const double ScoreGain = 1.4;

    /// <summary>What attention adds is kept smaller than the token itself, or all tokens would grow alike from layer to layer.</summary>
    private const double MixGain = 0.4;

    private static readonly SymbolicShape tokens = new(Dim.Symbol("batch"), Dim.Symbol("sequence"));

    /// <summary>BERT-base with its pooler, for sentence classification and the like.</summary>
    public static ZooEntry Entry { get; } = new("bert-base", "BERT-base text encoder with pooler, 109.5 M parameters, 12 layers, width 768", ZooKind.Transformer, opset: 14,
        _ => Inputs(Shape(new ZooOptions())), builder =>
        {
            var shape = Shape(builder.Options);
            Pool(builder.Root["pooler"], Encode(builder, shape), shape.Width);
        });

    /// <summary>The three inputs of the export.</summary>
    public static IReadOnlyList<ZooInput> Inputs(BertShape shape) =>
    [
        new("input_ids", DType.Int64, tokens, ZooContent.Ids, shape.Words),
        new("attention_mask", DType.Int64, tokens, ZooContent.Ones),
        new("token_type_ids", DType.Int64, tokens, ZooContent.Zeros),
    ];

    /// <summary>Embedding and layers; the result is the output <c>last_hidden_state</c>.</summary>
    public static Value Encode(Builder builder, BertShape shape)
    {
        var mask = Mask(builder.Root, builder.Input("attention_mask"));
        var x = Embed(builder.Root["embeddings"], builder.Input("input_ids"), builder.Input("token_type_ids"), shape);
        for (var i = 0; i < shape.Layers; i++)
            x = Layer(builder.Root["encoder"].ListItem("layer", i), x, mask, shape, i == shape.Layers - 1 ? "last_hidden_state" : null);
        return x;
    }

    private static BertShape Shape(ZooOptions options)
    {
        var width = options.Width ?? 768;
        return new(options.Layers ?? 12, width, width / 64, 4 * width);
    }

    private static void Pool(Module pooler, Value x, int width)
    {
        var first = pooler.Add(new Gather(1), x, pooler.Integer(0));
        var dense = pooler["dense"];
        var y = dense.Add(new Gemm(TransB: true), first, dense.Weight("weight", new Shape(width, width), 1 / Math.Sqrt(width)), dense.Weight("bias", new Shape(width), 0.05));
        pooler["activation"].Output("pooler_output", new Tanh(), y);
    }

    /// <summary>0 where the mask is 1 and the lowest number where it is 0, with axes for heads and queries.</summary>
    private static Value Mask(Module net, Value mask)
    {
        var rows = net.Add(new Unsqueeze(), net.Add(new Unsqueeze(), mask, net.Integers(1)), net.Integers(2));
        var hidden = net.Add(new Sub(), net.Number(1), net.Add(new Cast(DType.Float32), rows));
        return net.Add(new Mul(), hidden, net.Number(float.MinValue));
    }

    private static Value Embed(Module module, Value words, Value types, BertShape shape)
    {
        var all = module.Weight("position_ids", Tensor.From<long>([.. Enumerable.Range(0, shape.Positions)], new Shape(1, shape.Positions)));
        var positions = module.Add(new Slice(), all, module.Integers(0), module.Extent(words, 1), module.Integers(1));
        var x = module.Add(new Add(), Row(module["word_embeddings"], words, shape.Words), Row(module["token_type_embeddings"], types, 2));
        x = module.Add(new Add(), x, Row(module["position_embeddings"], positions, shape.Positions));
        return module["LayerNorm"].LayerNorm(x, shape.Width, Epsilon);

        Value Row(Module table, Value ids, int rows) => table.Add(new Gather(0), table.Weight("weight", new Shape(rows, shape.Width), 0.05), ids);
    }

    private static Value Layer(Module layer, Value x, Value mask, BertShape shape, string? output)
    {
        var width = shape.Width;
        var attention = layer["attention"];
        var self = attention["self"];
        var query = self["query"].Linear(x, width, width, ScoreGain);
        var key = self["key"].Linear(x, width, width, ScoreGain);
        var value = self["value"].Linear(x, width, width);
        var mixed = attention["output"]["dense"].Linear(self.Attention(query, key, value, mask, shape.Heads, width), width, width, MixGain);
        x = attention["output"]["LayerNorm"].LayerNorm(attention["output"].Add(new Add(), mixed, x), width, Epsilon);
        var inner = layer["intermediate"]["dense"].Linear(x, width, shape.Inner);
        inner = layer["intermediate"]["intermediate_act_fn"].Gelu(inner);
        var outer = layer["output"]["dense"].Linear(inner, shape.Inner, width, gain: 1.0);
        return layer["output"]["LayerNorm"].LayerNorm(layer["output"].Add(new Add(), outer, x), width, Epsilon, output);
    }
}
