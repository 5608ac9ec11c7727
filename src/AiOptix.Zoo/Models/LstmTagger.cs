using AiOptix.Graphs;
using AiOptix.Graphs.Ops;
using AiOptix.Tensors;

namespace AiOptix.Zoo;

/// <summary>
/// A tagger of words (after Huang, Xu, Yu, "Bidirectional LSTM-CRF Models for Sequence Tagging", 2015, without the random field): embedding, two bidirectional LSTM layers
/// over [batch, sequence], a score for every tag. Exported by PyTorch for operator set 14: batch and time are swapped around the layers, zero states are expanded to the batch.
/// </summary>
internal static class LstmTagger
{
    private const int Words = 20000;
    private const int Embedding = 100;
    private const int Hidden = 200;
    private const int Tags = 17;
    private const int Layers = 2;

    public static ZooEntry Entry { get; } = new("lstm-tagger", "Bidirectional LSTM tagger, 3.5 M parameters, 2 layers, hidden width 200", ZooKind.Recurrent, opset: 14,
        _ => [new("input_ids", DType.Int64, new(Dim.Symbol("batch"), Dim.Symbol("sequence")), ZooContent.Ids, Words)], Build);

    private static void Build(Builder builder)
    {
        var net = builder.Root;
        var ids = builder.Input("input_ids");
        var x = net["embedding"].Add(new Gather(0), net["embedding"].Weight("weight", new Shape(Words, Embedding), 1), ids);
        var lstm = net["lstm"];
        x = lstm.Add(new Transpose([1, 0, 2]), x);
        var state = lstm.Add(new Expand(), lstm.Number(0), lstm.Add(new Concat(0), lstm.Integers(2), lstm.Extent(ids, 0), lstm.Integers(Hidden)));
        for (var i = 0; i < Layers; i++) x = Layer(lstm, x, state, i == 0 ? Embedding : 2 * Hidden, i);
        x = lstm.Add(new Transpose([1, 0, 2]), x);
        var scores = net["tags"];
        var product = scores.Add(new MatMul(), x, scores.Weight("weight", new Shape(2 * Hidden, Tags), 4 / Math.Sqrt(2 * Hidden)));
        scores.Output("logits", new Add(), scores.Weight("bias", new Shape(Tags), 0.05), product);
    }

    /// <summary>[time, batch, from] to [time, batch, 2 · hidden]: the directions side by side.</summary>
    private static Value Layer(Module lstm, Value x, Value state, int from, int index)
    {
        string Name(string part) => FormattableString.Invariant($"{part}_l{index}");
        var w = lstm.Weight(Name("weight_ih"), new Shape(2, 4 * Hidden, from), 1.5 / Math.Sqrt(from));
        var r = lstm.Weight(Name("weight_hh"), new Shape(2, 4 * Hidden, Hidden), 1.5 / Math.Sqrt(Hidden));
        var b = lstm.Weight(Name("bias"), new Shape(2, 8 * Hidden), 0.05);
        var y = lstm.AddMany(new LSTM(RecurrentDirection.Bidirectional), 1, x, w, r, b, null, state, state)[0];
        return lstm.Add(new Reshape(), lstm.Add(new Transpose([0, 2, 1, 3]), y), lstm.Integers(0, 0, -1));
    }
}
