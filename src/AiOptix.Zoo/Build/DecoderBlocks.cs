using AiOptix.Graphs;
using AiOptix.Graphs.Ops;
using AiOptix.Tensors;

namespace AiOptix.Zoo;

/// <summary>What decoders with a cache share, in the form in which PyTorch exports them.</summary>
internal static class DecoderBlocks
{
    /// <summary>Inputs of a decoder: ids, the mask over past and new tokens, and keys and values of the past for each layer [batch, heads, past, each].</summary>
    public static IReadOnlyList<ZooInput> Inputs(int words, int layers, long heads, long each, bool positions)
    {
        var (batch, sequence) = (Dim.Symbol("batch"), Dim.Symbol("sequence"));
        var cache = new SymbolicShape(batch, heads, Dim.Symbol("past"), each);
        List<ZooInput> inputs =
        [
            new("input_ids", DType.Int64, new(batch, sequence), ZooContent.Ids, words),
            new("attention_mask", DType.Int64, new(batch, Dim.Symbol("past + sequence")), ZooContent.Ones),
        ];
        if (positions) inputs.Add(new("position_ids", DType.Int64, new(batch, sequence), ZooContent.Positions));
        foreach (var i in Enumerable.Range(0, layers))
            foreach (var part in new[] { "key", "value" })
                inputs.Add(new(FormattableString.Invariant($"past_key_values.{i}.{part}"), DType.Float32, cache, ZooContent.Normal));
        return inputs;
    }

    /// <summary>A layer's cache with the new keys or values behind the past ones: an output of the model.</summary>
    public static Value Extend(this Module module, Value added, Builder builder, int layer, string part) =>
        module.LastOutput(FormattableString.Invariant($"present.{layer}.{part}"), new Concat(2), builder.Input(FormattableString.Invariant($"past_key_values.{layer}.{part}")), added);

    /// <summary>One extent of a value, as a scalar: Shape, Gather.</summary>
    public static Value Length(this Module module, Value x, int axis) => module.Add(new Gather(0), module.Add(new ShapeOf(), x), module.Integer(axis));

    /// <summary>0 where the mask [batch, keys] is 1 and the lowest number where it is 0, as [batch, 1, 1, keys].</summary>
    public static Value Hidden(this Module module, Value mask)
    {
        var rows = module.Add(new Unsqueeze(), module.Add(new Unsqueeze(), mask, module.Integers(1)), module.Integers(2));
        var hidden = module.Add(new Sub(), module.Number(1), module.Add(new Cast(DType.Float32), rows));
        return module.Add(new Mul(), hidden, module.Number(float.MinValue));
    }

    /// <summary>Scores of words: a product with the embedding, transposed by a node because both share the weight.</summary>
    public static void Score(this Module head, Value x, Value table, string output) =>
        head.Output(output, new MatMul(), x, head.Add(new Transpose([1, 0]), table));
}
