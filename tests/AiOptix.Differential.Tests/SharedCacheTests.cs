using AiOptix.Graphs.Evaluate;
using AiOptix.Tensors;
using static AiOptix.Differential.Tests.MicrosoftDefinitionTests;

namespace AiOptix.Differential.Tests;

/// <summary>Options of <c>com.microsoft</c> attentions for caches that past and present share, beams within them, rotations and quantised caches, each against a node without the option. <see cref="CacheOptionTests"/> asks ONNX Runtime where its CPU build has them.</summary>
public class SharedCacheTests
{
    private const int Batch = 4, Heads = 2, Size = 3, Width = Heads * Size, Most = 7, Past = 3, New = 2;

    private static readonly Tensor count = Tensor.Vector(Past);

    [Fact]
    public void MultiHeadAttentionWritesBehindThePast()
    {
        var (q, k, v) = (Random(1, Batch, New, Width), Random(2, Batch, New, Width), Random(3, Batch, New, Width));
        var (keys, values) = (Random(4, Batch, Heads, Most, Size), Random(5, Batch, Heads, Most, Size));
        (string, object)[] attributes = [("num_heads", (long)Heads), ("unidirectional", 1L)];
        var shared = RunAll("MultiHeadAttention", attributes, 3, q, k, v, null, null, null, keys, values, count);
        var growing = RunAll("MultiHeadAttention", attributes, 3, q, k, v, null, null, null, Part(keys, 0, Past), Part(values, 0, Past));
        Same(growing[0], shared[0]);
        foreach (var (cache, i) in new[] { (keys, 1), (values, 2) })
        {
            Same(growing[i], Part(shared[i], 0, Past + New));
            Same(Part(cache, Past + New, Most), Part(shared[i], Past + New, Most));
        }
    }

    [Fact]
    public void MultiHeadAttentionReadsTheBeamsOfEachPlace()
    {
        var (q, k, v) = (Random(1, Batch, 1, Width), Random(2, Batch, 1, Width), Random(3, Batch, 1, Width));
        var (keys, values) = (Random(4, Batch, Heads, Most, Size), Random(5, Batch, Heads, Most, Size));
        // Two entries of two beams; place t of beam j came from beam (j + t) % 2.
        var beams = Tensor.From<int>([.. Enumerable.Range(0, 2 * 2 * Most).Select(i => (i / Most + i % Most) % 2)], new Shape(2, 2, Most));
        Tensor Gathered(Tensor cache)
        {
            var (part, row) = (Part(cache, 0, Past), Heads * Past * Size);
            var result = new float[part.Count];
            for (var i = 0; i < result.Length; i++)
            {
                var (entry, place) = (i / row, i / Size % Past);
                result[i] = part.Span<float>()[(entry / 2 * 2 + (entry % 2 + place) % 2) * row + i % row];
            }
            return Tensor.From<float>(result, part.Shape);
        }
        var shared = RunAll("MultiHeadAttention", [("num_heads", (long)Heads)], 3, q, k, v, null, null, null, keys, values, count, beams);
        Same(RunAll("MultiHeadAttention", [("num_heads", (long)Heads)], 3, q, k, v, null, null, null, Gathered(keys), Gathered(values))[0], shared[0]);
        Same(Part(keys, 0, Past), Part(shared[1], 0, Past));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    public void AttentionWritesBehindThePast(long rotates)
    {
        var (x, w, b) = (Random(1, Batch, New, 5), Random(2, 5, 3 * Width), Random(3, 3 * Width));
        var cache = Random(4, 2 * Batch, Heads, Most, Size);
        (string, object)[] attributes = [("num_heads", (long)Heads), ("unidirectional", 1L), ("do_rotary", rotates), ("rotary_embedding_dim", 2L)];
        Tensor Stacked(Tensor t) => t.Reshape(new Shape([2, Batch, .. t.Shape.Skip(1)]));
        var shared = RunAll("Attention", [.. attributes, ("past_present_share_buffer", 1L)], 2, x, w, b, null, Stacked(cache), null, count);
        var growing = RunAll("Attention", attributes, 2, x, w, b, null, Stacked(Part(cache, 0, Past)));
        Same(growing[0], shared[0]);
        Tensor Flat(Tensor t) => t.Reshape(new Shape([2 * Batch, .. t.Shape.Skip(2)]));
        Same(Flat(growing[1]), Part(Flat(shared[1]), 0, Past + New));
        Same(Part(cache, Past + New, Most), Part(Flat(shared[1]), Past + New, Most));
    }

    [Fact]
    public void AttentionRotatesQueriesAndKeys()
    {
        var x = Random(1, 1, 4, 6);
        var (w, size) = (new float[6 * 18], 6);
        for (var i = 0; i < 18; i++) w[i % 6 * 18 + i] = 1;
        var y = Run("Attention", [("num_heads", 1L), ("do_rotary", 1L)], x, Tensor.From<float>(w, new Shape(6, 18)), Tensor.Allocate(DType.Float32, new Shape(18), zeroed: true));
        Tensor Angles(Func<double, double> of) =>
            Tensor.From<float>([.. Enumerable.Range(0, 4 * size / 2).Select(i => (float)of(i / (size / 2) * Math.Pow(10000, -2.0 * (i % (size / 2)) / size)))], new Shape(4, size / 2));
        var turned = RunAll("RotaryEmbedding", [("num_heads", 1L)], 1, x, Tensor.From<long>([0, 1, 2, 3], new Shape(1, 4)), Angles(Math.Cos), Angles(Math.Sin))[0];
        var expected = Run("MultiHeadAttention", [("num_heads", 1L)], turned, turned, x);
        for (var i = 0; i < expected.Length; i++) Assert.Equal(expected[i], y[i], 1e-5f);
    }

    /// <summary>Quantised caches give what real ones do that hold the quotients, rounded, times the scale.</summary>
    [Theory]
    [InlineData(DType.Int8)]
    [InlineData(DType.UInt8)]
    [InlineData(DType.Float8E4M3FN)]
    public void GroupQueryAttentionReadsAndWritesQuantisedCaches(DType type)
    {
        var (q, k, v, scale) = (Random(1, 2, 1, 16), Random(2, 2, 1, 16), Random(3, 2, 1, 16), 0.01f);
        Tensor Stored(Tensor t) => ElementTypes.Convert(Tensor.From<float>([.. t.Span<float>().ToArray().Select(x => x / scale).Select(x => type == DType.Float8E4M3FN ? x : Math.Clamp(MathF.Round(x), type == DType.UInt8 ? 0 : -128, type == DType.UInt8 ? 255 : 127))], t.Shape), type);
        Tensor Real(Tensor t) => Tensor.From<float>([.. ElementTypes.ToFloat64(t).Select(x => (float)x * scale)], t.Shape);
        var (keys, values) = (Stored(Random(4, 2, 2, 5, 8)), Stored(Random(5, 2, 2, 5, 8)));
        (string, object)[] attributes = [("num_heads", 2L), ("kv_num_heads", 2L)];
        Tensor[] counts = [Tensor.From<int>([5, 5], new Shape(2)), Tensor.Scalar(6)];
        var found = RunAll("GroupQueryAttention", [.. attributes, ("k_quant_type", "PER_TENSOR"), ("v_quant_type", "PER_TENSOR"), ("kv_cache_bit_width", 8L)], 3,
            q, k, v, keys, values, counts[0], counts[1], null, null, null, null, null, Tensor.Vector(scale), Tensor.Vector(scale));
        var expected = RunAll("GroupQueryAttention", attributes, 3, q, Real(Stored(k)), Real(Stored(v)), Real(keys), Real(values), counts[0], counts[1]);
        Same(expected[0], found[0]);
        for (var i = 1; i < 3; i++) Same(expected[i], Real(found[i]));
    }

    [Theory]
    [InlineData("past_key and past_value", new[] { 4 })]
    [InlineData("needs a scale", new[] { 12 })]
    [InlineData("needs a cache", new[] { 3, 4 })]
    public void GroupQueryAttentionSaysWhatAQuantisedCacheNeeds(string message, int[] missing)
    {
        var x = Random(1, 1, 1, 8);
        var cache = Tensor.Allocate(DType.Int8, new Shape(1, 1, 3, 8), zeroed: true);
        Tensor?[] inputs = [x, x, x, cache, cache, Tensor.From<int>([3], new Shape(1)), Tensor.Scalar(4), null, null, null, null, null, Tensor.Vector(1f), Tensor.Vector(1f)];
        foreach (var i in missing) inputs[i] = null;
        var e = Assert.Throws<ModelFormatException>(() => RunAll("GroupQueryAttention", [("num_heads", 1L), ("kv_num_heads", 1L), ("k_quant_type", "PER_TENSOR"), ("v_quant_type", "PER_TENSOR")], 3, inputs));
        Assert.Contains(message, e.Message, StringComparison.Ordinal);
    }

    private static Tensor Random(int seed, params long[] shape)
    {
        var random = new Random(seed);
        var s = new Shape(shape);
        return Tensor.From<float>([.. Enumerable.Range(0, (int)s.Count).Select(_ => random.NextSingle() * 2 - 1)], s);
    }

    /// <summary>Places of the third axis.</summary>
    private static Tensor Part(Tensor t, int from, int end)
    {
        var (most, values) = ((int)t.Shape[2], t.Span<float>().ToArray());
        return Tensor.From<float>([.. values.Where((_, i) => i / Size % most is var place && place >= from && place < end)], new Shape(t.Shape[0], t.Shape[1], end - from, t.Shape[3]));
    }

    private static void Same(Tensor expected, Tensor found)
    {
        Assert.Equal(expected.Shape, found.Shape);
        foreach (var (a, b) in expected.Span<float>().ToArray().Zip(found.Span<float>().ToArray())) Assert.Equal(a, b, 1e-5f);
    }
}
