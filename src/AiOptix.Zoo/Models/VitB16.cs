using AiOptix.Graphs;
using AiOptix.Graphs.Ops;
using AiOptix.Tensors;

namespace AiOptix.Zoo;

/// <summary>
/// ViT-B/16 (Dosovitskiy et al., "An Image is Worth 16x16 Words", 2020) as timm has it, exported by PyTorch for operator set 17: queries, keys and values in one product,
/// reshaped to five axes, transposed and taken apart by Gather.
/// </summary>
internal static class VitB16
{
    private const int Patch = 16;
    private const int Each = 64;
    private const float Epsilon = 1e-6f;

    public static ZooEntry Entry { get; } = new("vit-b-16", "ViT-B/16 image classifier, 86.6 M parameters, 224x224, 12 layers, width 768", ZooKind.Transformer, opset: 17,
        o => [new("input", DType.Float32, new(Dim.Symbol("batch"), 3, o.ImageSize ?? 224, o.ImageSize ?? 224), ZooContent.Normal)], Build);

    private static void Build(Builder builder)
    {
        var (layers, width) = (builder.Options.Layers ?? 12, builder.Options.Width ?? 768);
        var net = builder.Root;
        var x = Embed(net, builder.Input("input"), width, (builder.Options.ImageSize ?? 224) / Patch);
        for (var i = 0; i < layers; i++) x = Layer(net["blocks"][i], x, width);
        x = net["norm"].LayerNorm17(x, width, Epsilon);
        var first = net.Add(new Gather(1), x, net.Integer(0));
        var common = builder.Graph.Values["norm.bias"].Constant!.Span<float>().ToArray();
        net["head"].Classify(first, [.. common.Select(v => (double)v)], 1000);
    }

    /// <summary>Patches as tokens behind a class token, with learned positions.</summary>
    private static Value Embed(Module net, Value image, int width, int side)
    {
        var projection = net["patch_embed"]["proj"];
        var fanIn = 3 * Patch * Patch;
        var patches = projection.Add(new Conv([Patch, Patch], [0, 0, 0, 0], [1, 1], 1), image,
            projection.Weight("weight", new Shape(width, 3, Patch, Patch), 1 / Math.Sqrt(fanIn)), projection.Weight("bias", new Shape(width), 0.05));
        var embed = net["patch_embed"];
        var rows = embed.Add(new Reshape(), patches, embed.Add(new Concat(0), embed.Extent(patches, 0), embed.Extent(patches, 1), embed.Integers(-1)));
        var tokens = embed.Add(new Transpose([0, 2, 1]), rows);
        var shape = net.Add(new Concat(0), net.Extent(tokens, 0), net.Integers(-1), net.Integers(-1));
        var ones = net.Add(new ConstantOfShape(Tensor.Vector(1L)), net.Integers(3));
        shape = net.Add(new Where(), net.Add(new Equal(), shape, net.Add(new Mul(), ones, net.Integers(-1))), ones, shape);
        var start = net.Add(new Expand(), net.Weight("cls_token", new Shape(1, 1, width), 1), shape);
        return net.Add(new Add(), net.Add(new Concat(1), start, tokens), net.Weight("pos_embed", new Shape(1, side * side + 1, width), 0.3));
    }

    private static Value Layer(Module block, Value x, int width)
    {
        x = block.Add(new Add(), x, Attention(block["attn"], block["norm1"].LayerNorm17(x, width, Epsilon), width));
        return block.Add(new Add(), x, block["mlp"].Inner(block["norm2"].LayerNorm17(x, width, Epsilon), width, "fc1", "fc2", block["mlp"]["act"]));
    }

    private static Value Attention(Module attention, Value x, int width)
    {
        var all = attention.View(attention["qkv"].Linear(x, width, 3 * width, 1.2), 3, width / Each, Each);
        all = attention.Add(new Transpose([2, 0, 3, 1, 4]), all);
        var (q, k, v) = (Part(0), Part(1), Part(2));
        var scores = attention.Add(new MatMul(), q, attention.Add(new Transpose([0, 1, 3, 2]), k));
        var weights = attention.Add(new Softmax(-1), attention.Add(new Mul(), scores, attention.Number(1 / MathF.Sqrt(Each))));
        var mixed = attention.Add(new Transpose([0, 2, 1, 3]), attention.Add(new MatMul(), weights, v));
        return attention["proj"].Linear(attention.View(mixed, width), width, width, 0.8);

        Value Part(int index) => attention.Add(new Gather(0), all, attention.Integer(index));
    }
}
