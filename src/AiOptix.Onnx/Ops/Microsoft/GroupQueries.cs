using AiOptix.Graphs;
using AiOptix.Graphs.Ops;
using AiOptix.Tensors;
using static AiOptix.Onnx.Microsoft.Shorthands;

namespace AiOptix.Onnx.Microsoft;

/// <summary>
/// GroupQueryAttention of <c>com.microsoft</c>, read as rotations, a scatter of the new keys and values into their caches, and the standard Attention under a mask of positions.
/// Entry b of the batch has seqlens_k[b] + 1 keys; its new ones stand behind the old ones, or at the beginning in a first prompt (as many queries as keys in all). There may be no new
/// ones: then the cache holds those of the queries already.
/// </summary>
internal static class GroupQueries
{
    public static OnnxOperator[] Rows { get; } = [Row("GroupQueryAttention", r => new Reading(r).Read())];

    private sealed class Reading
    {
        private readonly NodeReader r;
        private readonly long heads, keyHeads, window;
        private readonly bool isWindowed, causal;
        private readonly Value queries, total, lengths, before;
        private readonly DType type;

        public Reading(NodeReader r)
        {
            this.r = r;
            heads = r.OptionalInt("num_heads") ?? throw r.Error("attribute 'num_heads' is required");
            keyHeads = r.OptionalInt("kv_num_heads") ?? throw r.Error("attribute 'kv_num_heads' is required");
            if (heads < 1 || keyHeads < 1 || heads % keyHeads != 0) throw r.Error($"{heads} heads of queries cannot share {keyHeads} heads of keys");
            window = r.Int("local_window_size", -1);
            isWindowed = r.Bool("sliding_window_cache", false);
            causal = r.Bool("causal", true);
            if (!causal && window != -1) throw r.Error($"local_window_size {window} goes with causal = 1 only");
            if (isWindowed && window < 1) throw r.Error("sliding_window_cache needs a local_window_size");
            type = r.Required(0).DType;
            queries = r.Extent(r.Required(0), 1);
            total = r.Add(new Reshape(), r.To(r.Required(6), DType.Int64), r.Constant(Tensor.Allocate(DType.Int64, new Shape(0))));
            lengths = r.Plus(r.Shaped(r.To(r.Required(5), DType.Int64), -1), Scalar(1));
            before = r.Add(new Where(), r.Add(new Equal(), queries, total), Scalar(0), r.Add(new Sub(), lengths, queries));
        }

        public void Read()
        {
            var (q, k, v) = Operands();
            var positions = r.Input(9) ?? r.Plus(r.Unsqueezed(before, 1), r.Counted(queries));
            if (r.Input(14) is { } norm)
            {
                var op = new RMSNormalization(-1, r.Float("qk_norm_epsilon", 1e-6f));
                (q, k) = (r.Add(op, q, norm), r.Add(op, k, r.Input(15) ?? throw r.Error("q_norm_weight needs k_norm_weight")));
            }
            r.Ignore("qk_norm_epsilon", "rotary_interleaved");
            var hasNew = k.Shape?[2].Constant != 0;
            if (r.Bool("do_rotary", false)) (q, k) = (Rotated(q, positions), Rotated(k, OfKeys(positions, q, k)));
            if (r.Input(3) is null != r.Input(4) is null) throw r.Error("past_key and past_value (inputs 3 and 4) must be given together");
            if (!hasNew && r.Input(3) is null) throw r.Error("without new keys there must be a cache (inputs 3 and 4)");
            if (!hasNew && isWindowed) throw r.Error("sliding_window_cache needs new keys");
            var past = isWindowed ? new WindowedCache(r, r.Input(3) ?? throw r.Error("sliding_window_cache needs a cache (input 3)"), window, before, lengths, queries) : null;
            var (keys, presentKeys) = Cached(past, k, 3, 12, "k_quant_type");
            var (values, presentValues) = Cached(past, v, 4, 13, "v_quant_type");
            r.Bind(1, presentKeys);
            r.Bind(2, presentValues);
            var sink = r.Input(11);
            var smooth = r.Int("smooth_softmax", 0) is not (0 or -1) || sink is not null;
            var shown = r.Int("qk_output", 0);
            if (isWindowed && r.HasOutput(3)) throw r.Error("no scores (output 3) are defined with sliding_window_cache");
            var op2 = new Attention(Scale: r.OptionalFloat("scale"), Softcap: r.Float("softcap", 0), Scores: shown == 2 ? AttentionScores.Probabilities : AttentionScores.Masked);
            var mask = Mask(past, smooth, keys, sink, q);
            if (smooth) (keys, values) = (Longer(keys), Longer(values));
            var all = r.AddAll(op2, r.HasOutput(3) ? 4 : 1, q, keys, values, mask);
            r.EmitOutput(0, new Reshape(), r.Permuted(all[0], 0, 2, 1, 3), r.Constant(0, 0, -1));
            if (r.HasOutput(3)) r.Bind(3, smooth ? r.Sliced(all[3], 3, 0, -1) : all[3]);
        }

        private Value Scalar(long value) => r.Constant(Tensor.Scalar(value));

        /// <summary>Queries, keys and values by head; they may lie beside each other in input 0.</summary>
        private (Value Q, Value K, Value V) Operands()
        {
            var (q, k, v) = (r.Required(0), r.Input(1), r.Input(2));
            // Where there are no new keys, nothing is left from which the size of a head could follow.
            Value Size(Value x, long n) => x.Shape?[-1].Constant is { } width ? r.Constant(width / n) : r.Add(new Div(), r.Extents(x, 2, 3), r.Constant(n));
            Value ByHead(Value x, long n) => r.Permuted(r.Add(new Reshape(AllowZero: true), x, r.Joined(0, r.Extents(x, 0, 2), r.Constant(n), Size(x, n))), 0, 2, 1, 3);
            if (k is null)
            {
                var parts = r.AddAll(new Split(1), 3, ByHead(q, heads + 2 * keyHeads), r.Constant(heads, keyHeads, keyHeads));
                return (parts[0], parts[1], parts[2]);
            }
            return (ByHead(q, heads), ByHead(k, keyHeads), ByHead(v ?? throw r.Error("values (input 2) are required beside keys"), keyHeads));
        }

        /// <summary>The positions of the new keys: those of the queries, or none.</summary>
        private Value OfKeys(Value positions, Value q, Value k) =>
            Equals(q.Shape?[2], k.Shape?[2]) ? positions : r.Add(new Slice(), positions, r.Constant(0L), r.Extents(k, 2, 3), r.Constant(1L));

        private Value Rotated(Value x, Value positions)
        {
            var (cosines, sines) = (r.Input(7), r.Input(8));
            if (cosines is null || sines is null) throw r.Error("do_rotary needs cos_cache and sin_cache (inputs 7 and 8)");
            var turned = cosines.Shape?[-1].Constant is { } half && x.Shape?[3].Constant is { } size && 2 * half != size ? 2 * half : 0;
            return r.Add(new RotaryEmbedding(r.Bool("rotary_interleaved", false), 0, turned), x, cosines, sines, positions);
        }

        /// <summary>The keys or values to attend to, and the cache that is given out, which may be quantised.</summary>
        private (Value Attended, Value Present) Cached(WindowedCache? windowed, Value added, int input, int scale, string attribute)
        {
            var past = r.Input(input);
            var numbers = CacheNumbers.Of(r, attribute, past, r.Input(scale), type);
            if (past is null) return (added, added);
            var stored = numbers.Stored(added);
            var (attended, present) = windowed is null ? (Joined(past, stored), null) : windowed.Joined(past, stored);
            return (numbers.Real(attended), present ?? attended);
        }

        /// <summary>The cache, as long as all keys at least, with the new entries behind those that each sequence has.</summary>
        private Value Joined(Value past, Value added)
        {
            var most = r.Add(new Max(), total, r.Extent(past, 2));
            var missing = r.Add(new Sub(), r.Unsqueezed(most, 0), r.Extents(past, 2, 3));
            var pads = r.Joined(0, r.Constant(0, 0, 0, 0, 0, 0), missing, r.Constant(0L));
            var longer = r.Add(new Pad(), past, pads, r.Number(0, past.DType));
            return r.Add(new TensorScatter(2), longer, added, r.Add(new Expand(), before, r.Extents(past, 0, 1)));
        }

        /// <summary>What may be attended, over all keys. With a sink the mask is added, and one more column holds the sink.</summary>
        private Value Mask(WindowedCache? windowed, bool smooth, Value keys, Value? sink, Value q)
        {
            var places = windowed is null ? r.Counted(smooth ? r.Extent(keys, 2) : total) : r.Unsqueezed(windowed.Places, 1, 2);
            var positions = r.Unsqueezed(r.Plus(r.Unsqueezed(before, 1), r.Counted(queries)), 1, 3);
            var allowed = causal ? r.Add(new LessOrEqual(), places, positions) : r.Add(new Less(), places, r.Unsqueezed(lengths, 1, 2, 3));
            if (window > 0) allowed = r.Add(new And(), allowed, r.Add(new Greater(), places, r.Add(new Sub(), positions, Scalar(window))));
            if (r.Input(10) is null && !smooth) return allowed;
            var bias = r.Input(10);
            if (bias is not null && windowed is not null) bias = windowed.AtPlaces(bias, total);
            else if (bias is not null && smooth) bias = r.Add(new Pad(), bias, r.Joined(0, r.Constant(0, 0, 0, 0, 0, 0, 0), r.Add(new Sub(), r.Extents(keys, 2, 3), r.Extents(bias, 3, 4))));
            var mask = r.Add(new Where(), allowed, bias ?? r.Number(0, type), r.Number(float.NegativeInfinity, type));
            if (!smooth) return mask;
            var outer = r.Extents(q, 0, 3);
            var column = r.Add(new Expand(), sink is null ? r.Number(0, type) : r.Shaped(sink, 1, -1, 1, 1), r.Joined(0, outer, r.Constant(1L)));
            return r.Joined(3, r.Add(new Expand(), mask, r.Joined(0, outer, r.Constant(1L))), column);
        }

        private Value Longer(Value x) => r.Add(new Pad(), x, r.Constant(0, 0, 0, 0, 0, 0, 1, 0));
    }
}
