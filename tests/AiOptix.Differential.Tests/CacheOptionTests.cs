using AiOptix.Tensors;
using Xunit.Abstractions;

namespace AiOptix.Differential.Tests;

/// <summary>Options of <c>com.microsoft</c> attentions for their caches and rotations, on random inputs against ONNX Runtime. Those that its CPU build refuses are held to definitions in <see cref="SharedCacheTests"/>.</summary>
public class CacheOptionTests(ITestOutputHelper output)
{
    private const DType F = DType.Float32;
    private const int Draws = 12;

    private static readonly Dictionary<string, Action<NodeDraft>> groupQueries = new(StringComparer.Ordinal)
    {
        ["whole"] = d => GroupQuery(d, null),
        ["int8 by tensor"] = d => GroupQuery(d, new(DType.Int8, false)),
        ["int8 by channel"] = d => GroupQuery(d, new(DType.Int8, true)),
        ["int4 by tensor"] = d => GroupQuery(d, new(DType.UInt4, false)),
        ["int4 by channel"] = d => GroupQuery(d, new(DType.UInt4, true)),
        ["window"] = d => GroupQuery(d, null, windowed: true),
        ["window of int8"] = d => GroupQuery(d, new(DType.Int8, true), windowed: true),
        ["window of int4"] = d => GroupQuery(d, new(DType.UInt4, false), windowed: true),
        ["no new keys"] = d => GroupQuery(d, null, added: false),
        ["no new keys of int8"] = d => GroupQuery(d, new(DType.Int8, true), added: false),
    };

    private static readonly Dictionary<string, Action<NodeDraft>> refused = new(StringComparer.Ordinal)
    {
        ["Attention"] = d => Attention(d, rotates: true, shared: false),
        ["Attention, shared"] = d => Attention(d, rotates: false, shared: true),
        ["GroupQueryAttention, uint8"] = d => GroupQuery(d, new(DType.UInt8, false)),
        ["GroupQueryAttention, float8"] = d => GroupQuery(d, new(DType.Float8E4M3FN, true)),
    };

    public static TheoryData<string> GroupQueries => [.. groupQueries.Keys];

    public static TheoryData<string> Refused => [.. refused.Keys];

    [SkippableTheory]
    [MemberData(nameof(GroupQueries))]
    public void CachesOfGroupQueriesAgree(string option) => Agree("GroupQueryAttention", groupQueries[option], (d, output, value) => output == 0 ? value : Held(d, value));

    [SkippableFact]
    public void QAttentionWithAPastAgrees() => Agree("QAttention", d => QAttention(d, shared: false));

    [SkippableFact]
    public void BeamsOfASharedCacheAgree() => Agree("MultiHeadAttention", d => MultiHead(d, beams: true));

    /// <summary>ONNX Runtime reads and writes a cache that is shared, but has no beams, as if it were only as long as the past; so it is asked with each beam its own.</summary>
    [SkippableFact]
    public void ASharedCacheAgreesWithThatOfItsOwnBeams()
    {
        Skip.IfNot(OrtPeer.IsInstalled, "ONNX Runtime is not installed (npm ci in bench/)");
        for (var seed = 0; seed < Draws; seed++)
        {
            var (draft, own) = (Draft("MultiHeadAttention", seed, d => MultiHead(d, beams: false)), Draft("MultiHeadAttention", seed, d => MultiHead(d, beams: false)));
            var (batch, most) = ((int)((Tensor)draft.Inputs[0]!.Value).Shape[0], (int)((Tensor)draft.Inputs[6]!.Value).Shape[2]);
            own.Value(Tensor.From<int>([.. Enumerable.Range(0, batch * most).Select(i => i / most % 2)], new Shape(batch / 2, 2, most)));
            Compare(Generated.Of($"shared, seed {seed}", draft), Generated.Of($"own beams, seed {seed}", own), draft, null);
        }
    }

    /// <summary>What the CPU build of ONNX Runtime refuses; <see cref="SharedCacheTests"/> holds it to its definition.</summary>
    [SkippableTheory]
    [MemberData(nameof(Refused))]
    public void OnnxRuntimeHasNoKernelForTheOthers(string option)
    {
        Skip.IfNot(OrtPeer.IsInstalled, "ONNX Runtime is not installed (npm ci in bench/)");
        var g = Generated.Of(option, Draft(option.Split(',')[0], 1, refused[option]));
        Assert.Null(OrtPeer.Run(g, out var refusal));
        output.WriteLine(refusal);
        Assert.Null(Levels.Difference(Levels.Reference(g), Levels.Plan(g), g, exact: true));
    }

    /// <summary>The past's length follows from no input of QAttention, so a shared cache cannot be read; nor does ONNX Runtime.</summary>
    [SkippableFact]
    public void NobodyCanReadASharedCacheOfQAttention()
    {
        Skip.IfNot(OrtPeer.IsInstalled, "ONNX Runtime is not installed (npm ci in bench/)");
        var g = Generated.Of("shared", Draft("QAttention", 1, d => QAttention(d, shared: true)));
        Assert.Null(OrtPeer.Run(g, out var refusal));
        output.WriteLine(refusal);
        Assert.Contains("past_present_share_buffer", Assert.Throws<ModelFormatException>(() => Levels.Reference(g)).Message, StringComparison.Ordinal);
    }

    private void Agree(string op, Action<NodeDraft> recipe, Func<NodeDraft, int, Tensor, Tensor>? view = null)
    {
        Skip.IfNot(OrtPeer.IsInstalled, "ONNX Runtime is not installed (npm ci in bench/)");
        for (var seed = 0; seed < Draws; seed++)
        {
            var draft = Draft(op, seed, recipe);
            var g = Generated.Of($"{op}, seed {seed}", draft);
            Compare(g, g, draft, view);
        }
    }

    private static void Compare(Generated g, Generated peer, NodeDraft draft, Func<NodeDraft, int, Tensor, Tensor>? view)
    {
        var expected = Levels.Reference(g);
        Assert.Null(Levels.Difference(expected, Levels.Plan(g), g, exact: true));
        var theirs = OrtPeer.Run(peer, out var refusal);
        Assert.True(theirs is not null, $"{refusal} ({draft})");
        for (var i = 0; i < expected.Count; i++)
        {
            var (a, b) = ((Tensor)expected[i], theirs[i]!);
            if (view is not null) (a, b) = (view(draft, i, a), view(draft, i, b));
            var difference = Levels.Difference([b], [a], g);
            Assert.True(difference is null, $"output {i}: {difference} ({draft})");
        }
    }

    /// <summary>The rows of a cache in which keys stand; what the others hold nobody says.</summary>
    private static Tensor Held(NodeDraft d, Tensor cache)
    {
        var (total, capacity) = ((int)((Tensor)d.Inputs[6]!.Value).ToInt64()[0], (int)cache.Shape[2]);
        var held = total;
        if (d.Attributes.ContainsKey("sliding_window_cache") && total > capacity)
        {
            var freed = capacity - (int)(long)d.Attributes["local_window_size"] + 1;
            held = total - freed * ((total - capacity + freed - 1) / freed);
        }
        var (row, values) = ((int)cache.Shape[3], Graphs.Evaluate.ElementTypes.ToFloat64(cache));
        return Graphs.Evaluate.ElementTypes.From([.. values.Where((_, i) => i / row % capacity < held)], cache.DType, new Shape(cache.Shape[0], cache.Shape[1], held, row));
    }

    private static NodeDraft Draft(string op, int seed, Action<NodeDraft> recipe)
    {
        var draft = new NodeDraft(new Draw(seed), "com.microsoft", null, op, 1, new Dictionary<string, DType>());
        recipe(draft);
        return draft;
    }

    private sealed record Numbers(DType Type, bool ByChannel);

    private static void GroupQuery(NodeDraft d, Numbers? numbers, bool windowed = false, bool added = true)
    {
        var (keyHeads, size) = (d.Draw.Between(1, 2), 32);
        var heads = keyHeads * d.Draw.Between(1, 2);
        var first = added && d.Draw.Chance(0.3);
        var n = first || d.Draw.Chance(0.4) ? d.Draw.Between(1, 5) : 1;
        var b = n > 1 && !first ? 1 : d.Draw.Between(1, 2);
        var past = first ? 0 : d.Draw.Between(1, 9);
        var (total, window) = (past + n, d.Draw.Between(2, 5));
        var capacity = windowed ? window + d.Draw.Below(3) : total + d.Draw.Below(3);
        if (!added) past = total;
        d.In([b, n, heads * size], type: F).In([b, added ? n : 0, keyHeads * size], type: F).In([b, added ? n : 0, keyHeads * size], type: F);
        for (var i = 0; i < 2; i++) d.Value(Cache(d, numbers?.Type ?? F, b, keyHeads, capacity, size));
        d.Value(Tensor.From<int>([.. Enumerable.Repeat(total - 1, b)], new Shape(b))).Value(Tensor.Scalar(total));
        if (d.Draw.Chance(0.4)) d.Weight([32, size / 2], Fill.Unit, F).Weight([32, size / 2], Fill.Unit, F).Attr("do_rotary", 1L);
        else d.Skip().Skip();
        d.Skip();
        if (d.Draw.Chance(0.4)) d.In([d.Draw.Of(1, b), d.Draw.Of(1, heads), n, total], type: F); else d.Skip();
        if (d.Draw.Chance(0.3)) d.Weight([heads], type: F); else d.Skip();
        if (numbers is not null)
        {
            for (var i = 0; i < 2; i++) d.In(numbers.ByChannel ? [1, keyHeads, 1, size] : [1], Fill.Positive, F);
            var kind = numbers.ByChannel ? "PER_CHANNEL" : "PER_TENSOR";
            d.Attr("k_quant_type", kind).Attr("v_quant_type", kind).Attr("kv_cache_bit_width", numbers.Type == DType.UInt4 ? 4L : 8L);
        }
        d.Attr("num_heads", (long)heads).Attr("kv_num_heads", (long)keyHeads).Maybe("scale", 0.1f).Out(3);
        if (windowed) d.Attr("sliding_window_cache", 1L);
        if (windowed || d.Draw.Chance(0.3)) d.Attr("local_window_size", (long)window);
        if (d.Draw.Chance(0.3)) d.Attr("softcap", 2f);
    }

    private static Tensor Cache(NodeDraft d, DType type, int batch, int heads, int length, int size) =>
        type switch
        {
            DType.UInt4 => d.Draw.Values(DType.UInt8, [batch, heads, length, size / 2], Fill.Full),
            _ => d.Draw.Values(type, [batch, heads, length, size], type.IsFloat() ? Fill.Any : Fill.Full),
        };

    private static void QAttention(NodeDraft d, bool shared)
    {
        var (b, n, heads, size, x) = (d.Draw.Between(1, 2), d.Draw.Between(1, 5), d.Draw.Between(1, 3), d.Draw.Between(1, 4), d.Draw.Between(1, 6));
        var (width, past) = (heads * size, d.Draw.Between(1, 4));
        d.In([b, n, x], Fill.Full, DType.UInt8).In([x, 3 * width], Fill.Full, DType.Int8, constant: 1).Weight([3 * width], type: F);
        d.Value(Tensor.Scalar(0.01f), true).Value(Tensor.Scalar(0.01f), true);
        if (d.Draw.Chance(0.4)) d.Value(Tensor.From<int>([.. Enumerable.Repeat(past + n, b)], new Shape(b))); else d.Skip();
        d.Weight([], Fill.Few, DType.UInt8).Value(Tensor.Allocate(DType.Int8, Shape.Scalar, zeroed: true), true);
        d.In([2, b, heads, past, size], type: F).Out(2);
        d.Attr("num_heads", (long)heads);
        if (d.Draw.Chance(0.4)) d.Attr("unidirectional", 1L);
        if (shared) d.Attr("past_present_share_buffer", 1L);
    }

    private static void Attention(NodeDraft d, bool rotates, bool shared)
    {
        var (b, n, heads, size, x) = (d.Draw.Between(1, 2), d.Draw.Between(1, 5), d.Draw.Between(1, 3), rotates ? 32 : d.Draw.Between(1, 4), d.Draw.Between(1, 6));
        var (width, past) = (heads * size, d.Draw.Between(0, 4));
        d.In([b, n, x], type: F).Weight([x, 3 * width], type: F).Weight([3 * width], type: F).Skip();
        if (past > 0 || shared) d.In([2, b, heads, shared ? past + n + d.Draw.Below(3) : past, size], type: F); else d.Skip();
        d.Skip();
        if (shared) d.Value(Tensor.From<int>([past], new Shape(1)), d.Draw.Chance(0.5)).Attr("past_present_share_buffer", 1L);
        d.Out(2).Attr("num_heads", (long)heads);
        if (rotates) d.Attr("do_rotary", 1L).Maybe("rotary_embedding_dim", 32L);
        if (d.Draw.Chance(0.4)) d.Attr("unidirectional", 1L);
    }

    private static void MultiHead(NodeDraft d, bool beams)
    {
        var (b, heads, size, past) = (2 * d.Draw.Between(1, 2), d.Draw.Between(1, 3), 8 * d.Draw.Between(1, 2), d.Draw.Between(1, 4));
        var (width, most) = (heads * size, past + 1 + d.Draw.Below(3));
        for (var i = 0; i < 3; i++) d.In([b, 1, width], type: F);
        d.Skip().Skip().Skip();
        for (var i = 0; i < 2; i++) d.In([b, heads, most, size], type: F);
        d.Value(Tensor.From<int>([past], new Shape(1)));
        if (beams) d.Value(Tensor.From<int>([.. Enumerable.Range(0, b * most).Select(_ => d.Draw.Below(2))], new Shape(b / 2, 2, most)));
        d.Out(3).Attr("num_heads", (long)heads).Maybe("scale", 0.6f);
    }
}
