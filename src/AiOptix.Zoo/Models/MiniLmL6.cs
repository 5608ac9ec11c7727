using AiOptix.Graphs;
using AiOptix.Graphs.Ops;
using AiOptix.Tensors;

namespace AiOptix.Zoo;

/// <summary>
/// MiniLM-L6 (Wang et al., "MiniLM", 2020) in the shape of all-MiniLM-L6-v2, the sentence encoder: a BERT with 6 layers, exported by PyTorch for operator set 14
/// without its pooling layer.
/// </summary>
internal static class MiniLmL6
{
    private const int Layers = 6;
    private const int Width = 384;
    private const int Heads = 12;
    private const int Inner = 1536;
    private const int Words = 30522;
    private const int Positions = 512;
    private const float Epsilon = 1e-12f;

    /// <summary>Queries and keys this large make every token look at a few others.</summary>
    private const double ScoreGain = 1.4;

    /// <summary>What attention adds is kept smaller than the token itself, or all tokens would grow alike from layer to layer.</summary>
    private const double MixGain = 0.4;

    private static readonly SymbolicShape tokens = new(Dim.Symbol("batch"), Dim.Symbol("sequence"));

    public static ZooEntry Entry { get; } = new("minilm-l6", "MiniLM-L6 sentence encoder, 22.6 M parameters, 6 layers, width 384", ZooKind.Transformer, opset: 14,
        _ =>
        [
            new("input_ids", DType.Int64, tokens, ZooContent.Ids, Words),
            new("attention_mask", DType.Int64, tokens, ZooContent.Ones),
            new("token_type_ids", DType.Int64, tokens, ZooContent.Zeros),
        ],
        Build);

    private static void Build(Builder builder)
    {
        var mask = Mask(builder.Root, builder.Input("attention_mask"));
        var x = Embed(builder.Root["embeddings"], builder.Input("input_ids"), builder.Input("token_type_ids"));
        for (var i = 0; i < Layers; i++) x = Layer(builder.Root["encoder"].ListItem("layer", i), x, mask, i == Layers - 1 ? "last_hidden_state" : null);
    }

    /// <summary>0 where the mask is 1 and the lowest number where it is 0, with axes for heads and queries.</summary>
    private static Value Mask(Module net, Value mask)
    {
        var rows = net.Add(new Unsqueeze(), net.Add(new Unsqueeze(), mask, net.Integers(1)), net.Integers(2));
        var hidden = net.Add(new Sub(), net.Number(1), net.Add(new Cast(DType.Float32), rows));
        return net.Add(new Mul(), hidden, net.Number(float.MinValue));
    }

    private static Value Embed(Module module, Value words, Value types)
    {
        var all = module.Weight("position_ids", Tensor.From<long>([.. Enumerable.Range(0, Positions)], new Shape(1, Positions)));
        var positions = module.Add(new Slice(), all, module.Integers(0), module.Extent(words, 1), module.Integers(1));
        var x = module.Add(new Add(), Row(module["word_embeddings"], words, Words), Row(module["token_type_embeddings"], types, 2));
        x = module.Add(new Add(), x, Row(module["position_embeddings"], positions, Positions));
        return module["LayerNorm"].LayerNorm(x, Width, Epsilon);
    }

    private static Value Row(Module table, Value ids, int rows) => table.Add(new Gather(0), table.Weight("weight", new Shape(rows, Width), 0.05), ids);

    private static Value Layer(Module layer, Value x, Value mask, string? output)
    {
        var attention = layer["attention"];
        var self = attention["self"];
        var query = self["query"].Linear(x, Width, Width, ScoreGain);
        var key = self["key"].Linear(x, Width, Width, ScoreGain);
        var value = self["value"].Linear(x, Width, Width);
        var mixed = attention["output"]["dense"].Linear(self.Attention(query, key, value, mask, Heads, Width), Width, Width, MixGain);
        x = attention["output"]["LayerNorm"].LayerNorm(attention["output"].Add(new Add(), mixed, x), Width, Epsilon);
        var inner = layer["intermediate"]["dense"].Linear(x, Width, Inner);
        inner = layer["intermediate"]["intermediate_act_fn"].Gelu(inner);
        var outer = layer["output"]["dense"].Linear(inner, Inner, Width, gain: 1.0);
        return layer["output"]["LayerNorm"].LayerNorm(layer["output"].Add(new Add(), outer, x), Width, Epsilon, output);
    }
}
