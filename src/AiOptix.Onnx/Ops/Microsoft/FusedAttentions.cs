using AiOptix.Graphs;
using AiOptix.Graphs.Ops;
using AiOptix.Tensors;
using static AiOptix.Onnx.Microsoft.Shorthands;

namespace AiOptix.Onnx.Microsoft;

/// <summary>Attentions of <c>com.microsoft</c> whose queries share no keys, read as the standard Attention behind their projections, and what packs sequences without padding.</summary>
internal static class FusedAttentions
{
    public static OnnxOperator[] Rows { get; } =
    [
        Row("Attention", r => ReadProjected(r, r.Plus(r.Add(new MatMul(), r.Required(0), r.Required(1)), r.Input(2)), 3, 4, 5)),
        Row("QAttention", ReadQuantized),
        Row("MultiHeadAttention", ReadMultiHead),
        Row("PackedMultiHeadAttention", ReadPacked),
        Row("RotaryEmbedding", ReadRotary),
        Row("RemovePadding", ReadRemovePadding),
        Row("RestorePadding", r => r.Bind(0, Restored(r, r.Required(0), r.Required(1)))),
    ];

    private static long Heads(NodeReader r) => r.OptionalInt("num_heads") is { } n and > 0 ? n : throw r.Error("attribute 'num_heads' is required and must be positive");

    /// <summary>
    /// A cache [batch, heads, most, size] that the past and the present share, of which as many entries count as an input says: those entries, and the cache with new ones [batch, length,
    /// heads · size] behind them.
    /// </summary>
    private static (Value Past, Value Present) Shared(NodeReader r, Value cache, Value count, Value added, long heads)
    {
        var length = r.Shaped(r.To(count, DType.Int64), -1);
        var past = r.Add(new Slice(), cache, r.Constant(0L), length, r.Constant(2L));
        var byHead = r.RankOf(added) == 4 ? added : r.Permuted(r.Shaped(added, 0, 0, heads, -1), 0, 2, 1, 3);
        return (past, r.Add(new TensorScatter(2), cache, byHead, r.Add(new Expand(), length, r.Extents(cache, 0, 1))));
    }

    private static void ReadQuantized(NodeReader r)
    {
        if (r.Bool("past_present_share_buffer", false)) throw r.Error("past_present_share_buffer cannot be read: no input says how long the past is");
        var product = r.To(r.Add(new MatMulInteger(), r.Required(0), r.Required(1), r.Input(6), r.Input(7)), DType.Float32);
        var type = r.Required(3).DType;
        var real = r.To(r.Times(product, r.To(r.Times(r.Required(3), r.Required(4)), DType.Float32)), type);
        ReadProjected(r, r.Plus(real, r.Required(2)), 5, 8, bias: null);
    }

    /// <summary>Queries, keys and values lie beside each other in one projection; a past holds keys and values stacked.</summary>
    private static void ReadProjected(NodeReader r, Value projection, int mask, int past, int? bias)
    {
        var heads = Heads(r);
        var sizes = r.OptionalInts("qkv_hidden_sizes") is { Length: > 0 } given ? given : null;
        if (sizes is { Length: not 3 }) throw r.Error($"qkv_hidden_sizes has {sizes.Length} elements; expected 3");
        var parts = sizes is null ? r.AddAll(new Split(-1), 3, projection) : r.AddAll(new Split(-1), 3, projection, r.Constant(sizes));
        var (pastKeys, pastValues) = r.Input(past) is { } p ? (r.At(p, 0, 0), r.At(p, 0, 1)) : (null, (Value?)null);
        var length = bias is null ? null : r.Input(6);
        if (bias is not null && r.Bool("past_present_share_buffer", false) != length is not null) throw r.Error("past_present_share_buffer goes with a past_sequence_length (input 6)");
        if (r.Int("rotary_embedding_dim", 0) is var turned && r.Bool("do_rotary", false))
        {
            var first = length is null ? pastKeys is null ? null : r.Extent(pastKeys, 2) : r.Add(new Squeeze(), r.Shaped(r.To(length, DType.Int64), 1), r.Constant(0L));
            parts = [Turned(r, parts[0], heads, turned, first), Turned(r, parts[1], heads, turned, first), parts[2]];
        }
        Value? presentKeys = null, presentValues = null;
        if (length is not null)
        {
            (pastKeys, presentKeys) = Shared(r, pastKeys ?? throw r.Error("past_sequence_length needs a past (input 4)"), length, parts[1], heads);
            (pastValues, presentValues) = Shared(r, pastValues!, length, parts[2], heads);
        }
        var forms = Forms(r, projection, parts[0], parts[1], pastKeys);
        var added = r.Input(mask) is { } m ? forms.Added(m) : null;
        if (bias is { } b && r.Input(b) is { } more) added = added is null ? more : r.Plus(added, more);
        r.Ignore("mask_filter_value");
        var op = new Attention(r.Bool("unidirectional", false), heads, heads, r.OptionalFloat("scale"));
        if (!r.HasOutput(1))
        {
            r.EmitOutput(0, op, parts[0], parts[1], parts[2], added, pastKeys, pastValues);
            return;
        }
        var all = r.AddAll(op, 3, parts[0], parts[1], parts[2], added, pastKeys, pastValues);
        r.Bind(0, all[0]);
        r.EmitOutput(1, new Concat(0), r.Unsqueezed(presentKeys ?? all[1], 0), r.Unsqueezed(presentValues ?? all[2], 0));
    }

    /// <summary>Rotary embedding by angles position · 10000^(-2i / size) of halves that stand apart; positions go on from the past's.</summary>
    private static Value Turned(NodeReader r, Value x, long heads, long size, Value? first)
    {
        if (size == 0) size = x.Shape?[-1].Constant / heads ?? throw r.Error("do_rotary needs a rotary_embedding_dim where the size of a head is not known");
        var places = r.Counted(r.Extent(x, 1));
        var positions = r.To(r.Unsqueezed(first is null ? places : r.Plus(places, first), 1), DType.Float32);
        var turns = r.Constant(Tensor.From<float>([.. Enumerable.Range(0, (int)size / 2).Select(i => (float)Math.Pow(10000, -2.0 * i / size))], new Shape(1, size / 2)));
        var angles = r.Times(positions, turns);
        var ids = r.Add(new Expand(), r.Unsqueezed(places, 0), r.Extents(x, 0, 2));
        return r.Add(new RotaryEmbedding(false, heads, size), x, r.To(r.Add(new Cos(), angles), x.DType), r.To(r.Add(new Sin(), angles), x.DType), ids);
    }

    private static MaskForms Forms(NodeReader r, Value batch, Value queries, Value keys, Value? past)
    {
        var axis = r.RankOf(keys) == 4 ? 2 : 1;
        var count = r.Extent(keys, axis);
        if (past is not null) count = r.Plus(count, r.Extent(past, 2));
        return new(r, queries.DType, batch.Shape is { Rank: > 0 } s ? s[0] : Dim.Zero, r.Extents(batch, 0, 1), r.Extent(queries, r.RankOf(queries) - 2), count);
    }

    private static void ReadMultiHead(NodeReader r)
    {
        var heads = Heads(r);
        var (q, k, v) = Operands(r, heads);
        var (pastKeys, pastValues) = (r.Input(6), r.Input(7));
        Value? presentKeys = null, presentValues = null;
        if (r.Input(8) is { } length)
        {
            if (pastKeys is null || pastValues is null) throw r.Error("past_sequence_length (input 8) needs a past (inputs 6 and 7)");
            (pastKeys, presentKeys) = Shared(r, pastKeys, length, k, heads);
            (pastValues, presentValues) = Shared(r, pastValues, length, v, heads);
            if (r.Input(9) is { } beams) (pastKeys, pastValues) = (OfBeams(r, pastKeys, beams), OfBeams(r, pastValues, beams));
        }
        else if (r.Input(9) is not null) throw r.Error("cache_indirection (input 9) needs a past_sequence_length (input 8)");
        var forms = Forms(r, r.Required(0), q, k, pastKeys);
        var added = forms.Added(r.Input(4));
        if (r.Input(5) is { } more) added = added is null ? more : r.Plus(added, more);
        r.Ignore("mask_filter_value", "past_present_share_buffer");
        var op = new Attention(r.Bool("unidirectional", false), heads, heads, r.OptionalFloat("scale"), Scores: AttentionScores.Masked);
        var byHead = r.RankOf(k) == 4;
        if (byHead) op = op with { QueryHeads = null, KeyHeads = null };
        var count = r.HasOutput(3) ? 4 : r.HasOutput(1) || r.HasOutput(2) ? 3 : 1;
        if (count < 4) op = op with { Scores = AttentionScores.Raw };
        if (count == 1 && !byHead)
        {
            r.EmitOutput(0, op, q, k, v, added, pastKeys, pastValues);
            return;
        }
        var all = r.AddAll(op, count, q, k, v, added, pastKeys, pastValues);
        if (byHead) r.EmitOutput(0, new Reshape(), r.Permuted(all[0], 0, 2, 1, 3), r.Constant(0, 0, -1));
        else r.Bind(0, all[0]);
        for (var i = 1; i < count; i++) r.Bind(i, (i == 1 ? presentKeys : i == 2 ? presentValues : null) ?? all[i]);
    }

    /// <summary>Entries [batch · beams, heads, past, size] of which each is that of the beam that <paramref name="beams"/> [batch, beams, most] names for its place.</summary>
    private static Value OfBeams(NodeReader r, Value past, Value beams)
    {
        var counts = r.Extents(beams, 0, 2);
        var apart = r.Add(new Reshape(AllowZero: true), past, r.Joined(0, counts, r.Extents(past, 1, long.MaxValue)));
        var places = r.Add(new Slice(), r.To(beams, DType.Int64), r.Constant(0L), r.Extents(past, 2, 3), r.Constant(2L));
        var all = r.Add(new Expand(), r.Unsqueezed(places, 2, 4), r.Add(new ShapeOf(), apart));
        return r.Add(new Reshape(AllowZero: true), r.Add(new GatherElements(1), apart, all), r.Add(new ShapeOf(), past));
    }

    /// <summary>Queries, keys and values of three axes, or (keys and values by head) of four, with their biases.</summary>
    private static (Value Q, Value K, Value V) Operands(NodeReader r, long heads)
    {
        var (q, k, v, bias) = (r.Required(0), r.Input(1), r.Input(2), r.Input(3));
        Value Part(Value packed, int index) => r.Shaped(r.At(packed, r.RankOf(packed) - 2, index), 0, 0, -1);
        if (k is null) (q, k, v) = (Part(q, 0), Part(q, 1), Part(q, 2));
        else if (v is null) (k, v) = (Part(k, 0), Part(k, 1));
        var byHead = r.RankOf(k) == 4;
        if (bias is not null) (q, k, v) = (Biased(r, q, bias, q, 0), byHead ? k : Biased(r, k, bias, q, 1), byHead ? v : Biased(r, v!, bias, q, 2));
        return (byHead ? r.Permuted(r.Shaped(q, 0, 0, heads, -1), 0, 2, 1, 3) : q, k, v!);
    }

    /// <summary>A part with its share of a bias for queries, keys and values; the share of the values is what the others leave.</summary>
    private static Value Biased(NodeReader r, Value part, Value bias, Value queries, int index)
    {
        var size = r.Extents(queries, -1, long.MaxValue);
        Value Times(int n) => n == 0 ? r.Constant(0L) : r.Add(new Mul(), size, r.Constant((long)n));
        return r.Plus(part, r.Add(new Slice(), bias, Times(index), index == 2 ? r.Constant(long.MaxValue) : Times(index + 1), r.Constant(0L)));
    }

    /// <summary>Tokens [tokens, …] without padding, an offset of each in the padded batch, and where each sequence begins.</summary>
    private static void ReadPacked(NodeReader r)
    {
        r.Ignore("mask_filter_value");
        var heads = Heads(r);
        var (q, k, v, bias) = (r.Required(0), r.Input(1), r.Input(2), r.Input(3));
        if (k is null)
        {
            Value Part(int index) => r.Shaped(r.At(r.Required(0), 2, index), 0, -1);
            (q, k, v) = (Part(0), Part(1), Part(2));
        }
        if (v is null) throw r.Error("values (input 2) are required beside keys");
        if (bias is not null) (q, k, v) = (Biased(r, q, bias, q, 0), Biased(r, k, bias, q, 1), Biased(r, v, bias, q, 2));
        var offsets = r.Required(4);
        var sums = r.To(r.Required(5), DType.Int64);
        var lengths = r.Add(new Sub(), r.Sliced(sums, 0, 1, long.MaxValue), r.Sliced(sums, 0, 0, -1));
        var inside = r.Add(new Less(), r.Counted(r.Extent(offsets, 1)), r.Unsqueezed(lengths, 1, 2, 3));
        var mask = r.Add(new Where(), inside, r.Number(0, q.DType), r.Number(float.NegativeInfinity, q.DType));
        if (r.Input(6) is { } added) mask = r.Plus(mask, added);
        var op = new Attention(QueryHeads: heads, KeyHeads: heads, Scale: r.OptionalFloat("scale"));
        var y = r.Add(op, Restored(r, q, offsets), Restored(r, k, offsets), Restored(r, v, offsets), mask);
        var rows = r.Add(new Reshape(), y, r.Joined(0, r.Constant(-1L), r.Extents(y, 2, 3)));
        r.EmitOutput(0, new Gather(), rows, FirstOffsets(r, offsets, r.Required(0)));
    }

    /// <summary>The places of the tokens in the padded batch, which come before those of the padding.</summary>
    private static Value FirstOffsets(NodeReader r, Value offsets, Value tokens) =>
        r.Add(new Slice(), r.To(r.Shaped(offsets, -1), DType.Int64), r.Constant(0L), r.Extents(tokens, 0, 1), r.Constant(0L));

    /// <summary>[tokens, size] put into zeros [batch, length, size].</summary>
    private static Value Restored(NodeReader r, Value tokens, Value offsets)
    {
        var size = r.Extents(tokens, 1, 2);
        var flat = r.Joined(0, r.Extents(r.Shaped(offsets, -1), 0, 1), size);
        var zeros = r.Add(new ConstantOfShape(Graphs.Evaluate.ElementTypes.From([0], tokens.DType, new Shape(1))), flat);
        var rows = r.Add(new ScatterND(), zeros, r.Unsqueezed(FirstOffsets(r, offsets, tokens), 1), tokens);
        return r.Add(new Reshape(AllowZero: true), rows, r.Joined(0, r.Extents(offsets, 0, 2), size));
    }

    /// <summary>Outputs: the tokens that count, their places before those of the padding, the sums of lengths, the greatest length.</summary>
    private static void ReadRemovePadding(NodeReader r)
    {
        var x = r.Required(0);
        var lengths = r.To(r.Required(1), DType.Int64);
        var inside = r.Shaped(r.Add(new Less(), r.Counted(r.Extent(x, 1)), r.Unsqueezed(lengths, 1)), -1);
        Value Places(Value flags) => r.Add(new Squeeze(), r.Add(new NonZero(), flags), r.Constant(0L));
        var tokens = Places(inside);
        var rows = r.Add(new Reshape(AllowZero: true), x, r.Joined(0, r.Extents(inside, 0, 1), r.Extents(x, 2, 3)));
        r.EmitOutput(0, new Gather(), rows, tokens);
        if (r.HasOutput(1))
            r.EmitOutput(1, new Cast(DType.Int32), r.Add(new Reshape(AllowZero: true), r.Joined(0, tokens, Places(r.Add(new Not(), inside))), r.Extents(x, 0, 2)));
        if (r.HasOutput(2))
            r.EmitOutput(2, new Cast(DType.Int32), r.Joined(0, r.Constant(0L), r.Add(new CumSum(), lengths, r.Constant(Tensor.Scalar(0L)))));
        if (r.HasOutput(3)) r.EmitOutput(3, new Cast(DType.Int32), r.Add(new ReduceMax(), lengths, r.Constant(0L)));
    }

    /// <summary>Positions come before the caches, or one position that the others follow; the heads may follow from the caches.</summary>
    private static void ReadRotary(NodeReader r)
    {
        r.Ignore("is_packed_batching");
        var x = r.Required(0);
        if (r.Float("scale", 1) is not 1 and var scale) x = r.Times(x, scale);
        var (positions, cosines, sines) = (r.Required(1), r.Required(2), r.Required(3));
        var rank = r.RankOf(x);
        var (heads, size) = (r.Int("num_heads", 0), r.Int("rotary_embedding_dim", 0));
        if (r.RankOf(positions) == 1)
        {
            var all = r.Plus(r.Counted(r.Extent(x, rank - 2)), positions);
            positions = r.Add(new Expand(), all, r.Joined(0, r.Extents(x, 0, 1), r.Extents(x, rank - 2, rank - 1)));
        }
        var interleaved = r.Bool("interleaved", false);
        if (rank == 4 || heads > 0)
        {
            r.Emit(new RotaryEmbedding(interleaved, rank == 3 ? heads : 0, size), x, cosines, sines, positions);
            return;
        }
        // Heads as large as the caches say.
        var size4 = cosines.Shape?[1].Constant is { } half ? r.Constant(0, 0, -1, 2 * half) : r.Joined(0, r.Constant(0, 0, -1), r.Add(new Mul(), r.Extents(cosines, 1, 2), r.Constant(2L)));
        var turned = r.Add(new RotaryEmbedding(interleaved), r.Permuted(r.Add(new Reshape(), x, size4), 0, 2, 1, 3), cosines, sines, positions);
        r.Emit(new Reshape(), r.Permuted(turned, 0, 2, 1, 3), r.Constant(0, 0, -1));
    }
}
