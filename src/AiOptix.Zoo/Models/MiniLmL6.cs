namespace AiOptix.Zoo;

/// <summary>
/// MiniLM-L6 (Wang et al., "MiniLM", 2020) in the shape of all-MiniLM-L6-v2, the sentence encoder: a BERT with 6 layers, exported by PyTorch for operator set 14
/// without its pooling layer.
/// </summary>
internal static class MiniLmL6
{
    private static readonly BertShape shape = new(Layers: 6, Width: 384, Heads: 12, Inner: 1536);

    public static ZooEntry Entry { get; } = new("minilm-l6", "MiniLM-L6 sentence encoder, 22.6 M parameters, 6 layers, width 384", ZooKind.Transformer, opset: 14,
        _ => Bert.Inputs(shape), builder => Bert.Encode(builder, shape));
}
