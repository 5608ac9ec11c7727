using AiOptix.Graphs;
using AiOptix.Graphs.Ops;
using AiOptix.Tensors;

namespace AiOptix.Zoo;

/// <summary>
/// The encoder of Whisper-tiny (Radford et al., "Robust Speech Recognition via Large-Scale Weak Supervision", 2022): two convolutions over time, then four transformer
/// layers that normalise first, exported by PyTorch for operator set 17. Keys have no bias; queries are scaled before the product.
/// </summary>
internal static class WhisperTinyEncoder
{
    private const int Bands = 80;
    private const int Each = 64;
    private const float Epsilon = 1e-5f;

    public static ZooEntry Entry { get; } = new("whisper-tiny-encoder", "Whisper-tiny speech encoder, 8.2 M parameters, 30 s of sound as 80x3000, 4 layers, width 384", ZooKind.Transformer, opset: 17,
        o => [new("input_features", DType.Float32, new(Dim.Symbol("batch"), Bands, Frames(o)), ZooContent.Normal)], Build);

    private static int Frames(ZooOptions options)
    {
        var frames = options.Frames ?? 3000;
        return frames > 0 && frames % 2 == 0 ? frames : throw new InvalidInputException($"whisper-tiny-encoder has {frames} frames; expected an even number");
    }

    private static void Build(Builder builder)
    {
        var (layers, width) = (builder.Options.Layers ?? 4, builder.Options.Width ?? 384);
        var net = builder.Root;
        var x = Convolution(net, "conv1", builder.Input("input_features"), Bands, width, 1);
        x = net.Add(new Transpose([0, 2, 1]), Convolution(net, "conv2", x, width, width, 2));
        x = net.Add(new Add(), x, net["embed_positions"].Weight("weight", new Shape(Frames(builder.Options) / 2, width), 0.3));
        for (var i = 0; i < layers; i++) x = Layer(net.ListItem("layers", i), x, width);
        net["layer_norm"].LayerNorm17(x, width, Epsilon, "last_hidden_state");
    }

    private static Value Convolution(Module net, string name, Value x, int from, int to, int stride)
    {
        var layer = net[name];
        var weight = layer.Weight("weight", new Shape(to, from, 3), 1.4 / Math.Sqrt(3 * from));
        return net.Gelu(layer.Add(new Conv([stride], [1, 1], [1], 1), x, weight, layer.Weight("bias", new Shape(to), 0.05)));
    }

    private static Value Layer(Module layer, Value x, int width)
    {
        x = layer.Add(new Add(), x, Attention(layer["self_attn"], layer["self_attn_layer_norm"].LayerNorm17(x, width, Epsilon), width));
        return layer.Add(new Add(), x, layer.Inner(layer["final_layer_norm"].LayerNorm17(x, width, Epsilon), width, "fc1", "fc2", layer["activation_fn"]));
    }

    /// <summary>Attention in the older form of the library: batch and heads are one axis.</summary>
    private static Value Attention(Module attention, Value x, int width)
    {
        var heads = width / Each;
        var query = attention.Add(new Mul(), attention["q_proj"].Linear(x, width, width, 1.5), attention.Number(1 / MathF.Sqrt(Each)));
        var q = Heads(query);
        var k = Heads(attention["k_proj"].Product(x, width, width, 1.5));
        var v = Heads(attention["v_proj"].Linear(x, width, width));
        var weights = attention.Add(new Softmax(-1), attention.Add(new MatMul(), q, attention.Add(new Transpose([0, 2, 1]), k)));
        var mixed = attention.Add(new MatMul(), weights, v);
        var apart = attention.Add(new Reshape(), mixed, attention.Add(new Concat(0), attention.Extent(x, 0), attention.Integers(heads), attention.Extent(x, 1), attention.Integers(Each)));
        return attention["out_proj"].Linear(attention.View(attention.Add(new Transpose([0, 2, 1, 3]), apart), width), width, width, 0.8);

        Value Heads(Value part)
        {
            var parts = attention.Add(new Transpose([0, 2, 1, 3]), attention.View(part, heads, Each));
            var merged = attention.Add(new Concat(0), attention.Add(new Mul(), attention.Extent(x, 0), attention.Integers(heads)), attention.Integers(-1), attention.Integers(Each));
            return attention.Add(new Reshape(), parts, merged);
        }
    }
}
