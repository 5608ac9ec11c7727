using AiOptix.Graphs;
using AiOptix.Graphs.Ops;
using AiOptix.Tensors;

namespace AiOptix.Differential.Tests;

/// <summary>Scan of operator set 8, which has a batch axis and may be told how long each sequence is, against its definition and ONNX Runtime.</summary>
public class BatchedScanTests
{
    private const int Batch = 3, Most = 4, Size = 2;

    [Theory]
    [InlineData(false, false)]
    [InlineData(false, true)]
    [InlineData(true, false)]
    [InlineData(true, true)]
    public void SequencesAreScannedByEntryOfTheBatch(bool hasLengths, bool reversed)
    {
        var lengths = hasLengths ? new long[] { 2, 4, 1 } : [4, 4, 4];
        var (initial, x) = (Numbers(1, Batch, Size), Numbers(2, Batch, Most, Size));
        var draft = new NodeDraft(new Draw(1), "", null, "Scan", 8, new Dictionary<string, DType>());
        if (hasLengths) draft.Value(Tensor.From<long>(lengths, new Shape(Batch)));
        else draft.Skip();
        draft.Value(initial).Value(x).Attr("body", Sums()).Attr("num_scan_inputs", 1L).Out(2);
        if (reversed) draft.Attr("directions", new long[] { 1 });
        var g = Generated.Of("Scan", draft);
        var results = Levels.Reference(g);
        Assert.Null(Levels.Difference(results, Levels.Plan(g), g, exact: true));
        Assert.Null(Levels.Difference(results, Levels.Passes(g), g, exact: true));
        var (final, sums) = ((Tensor)results[0], (Tensor)results[1]);
        Assert.Equal(new Shape(Batch, Most, Size), sums.Shape);
        for (var b = 0; b < Batch; b++)
            for (var i = 0; i < Size; i++)
            {
                var sum = initial.Span<float>()[b * Size + i];
                for (var t = 0; t < lengths[b]; t++)
                {
                    var place = reversed ? lengths[b] - 1 - t : t;
                    sum += x.Span<float>()[(int)((b * Most + place) * Size + i)];
                    Assert.Equal(sum, sums.Span<float>()[(b * Most + t) * Size + i], 1e-5f);
                }
                Assert.Equal(sum, final.Span<float>()[b * Size + i], 1e-5f);
            }
        if (!OrtPeer.IsInstalled) return;
        var theirs = OrtPeer.Run(g, out var refusal);
        Assert.True(theirs is not null, refusal);
        Assert.Null(Levels.Difference([theirs[0]!], [final], g));
        if (!hasLengths) Assert.Null(Levels.Difference([theirs[1]!], [sums], g));
    }

    /// <summary>Hands out the sums so far, as the state and as what is stacked.</summary>
    private static Graph Sums()
    {
        var body = new Graph("body");
        var type = new TensorType(DType.Float32, new(Size));
        var sum = body.Add(new Add(), body.AddInput("before", type), body.AddInput("x", type));
        body.AddOutput(sum);
        body.AddOutput(body.Add(new Identity(), sum));
        return body;
    }

    private static Tensor Numbers(int seed, params long[] shape)
    {
        var random = new Random(seed);
        var s = new Shape(shape);
        return Tensor.From<float>([.. Enumerable.Range(0, (int)s.Count).Select(_ => random.NextSingle())], s);
    }
}
