using AiOptix.Graphs;
using AiOptix.Graphs.Evaluate;
using AiOptix.Graphs.Ops;
using AiOptix.Tensors;
using static AiOptix.Onnx.Microsoft.Shorthands;

namespace AiOptix.Onnx.Microsoft;

/// <summary>
/// GroupQueryAttention of <c>com.microsoft</c>, read as rotations, a scatter of the new keys and values into their caches, and the standard Attention under a mask of positions.
/// Entry b of the batch has seqlens_k[b] + 1 keys; its new ones stand behind the old ones, or at the beginning in a first prompt (as many queries as keys in all).
/// </summary>
internal static class GroupQueries
{
    public static OnnxOperator[] Rows { get; } = [Row("GroupQueryAttention", r => new Reading(r).Read())];

    private sealed class Reading
    {
        private readonly NodeReader r;
        private readonly long heads, keyHeads;
        private readonly Value queries, total, lengths, before;
        private readonly DType type;

        public Reading(NodeReader r)
        {
            this.r = r;
            heads = r.OptionalInt("num_heads") ?? throw r.Error("attribute 'num_heads' is required");
            keyHeads = r.OptionalInt("kv_num_heads") ?? throw r.Error("attribute 'kv_num_heads' is required");
            if (heads < 1 || keyHeads < 1 || heads % keyHeads != 0) throw r.Error($"{heads} heads of queries cannot share {keyHeads} heads of keys");
            if (r.Bool("sliding_window_cache", false)) throw r.Error("caches as long as the window (sliding_window_cache) are not supported; export the model with whole caches");
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
            if (r.Bool("do_rotary", false)) (q, k) = (Rotated(q, positions), Rotated(k, positions));
            var (keys, presentKeys) = Cached(k, 3, 12, "k_quant_type");
            var (values, presentValues) = Cached(v, 4, 13, "v_quant_type");
            r.Bind(1, presentKeys);
            r.Bind(2, presentValues);
            var sink = r.Input(11);
            var smooth = r.Int("smooth_softmax", 0) is not (0 or -1) || sink is not null;
            var shown = r.Int("qk_output", 0);
            var op2 = new Attention(Scale: r.OptionalFloat("scale"), Softcap: r.Float("softcap", 0), Scores: shown == 2 ? AttentionScores.Probabilities : AttentionScores.Masked);
            var mask = Mask(smooth, keys, sink, q);
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
            Value ByHead(Value x, long n) => r.Permuted(r.Shaped(x, 0, 0, n, -1), 0, 2, 1, 3);
            if (k is null)
            {
                var parts = r.AddAll(new Split(1), 3, ByHead(q, heads + 2 * keyHeads), r.Constant(heads, keyHeads, keyHeads));
                return (parts[0], parts[1], parts[2]);
            }
            return (ByHead(q, heads), ByHead(k, keyHeads), ByHead(v ?? throw r.Error("values (input 2) are required beside keys"), keyHeads));
        }

        private Value Rotated(Value x, Value positions)
        {
            var (cosines, sines) = (r.Input(7), r.Input(8));
            if (cosines is null || sines is null) throw r.Error("do_rotary needs cos_cache and sin_cache (inputs 7 and 8)");
            var turned = cosines.Shape?[-1].Constant is { } half && x.Shape?[3].Constant is { } size && 2 * half != size ? 2 * half : 0;
            return r.Add(new RotaryEmbedding(r.Bool("rotary_interleaved", false), 0, turned), x, cosines, sines, positions);
        }

        /// <summary>The keys or values to attend to, and the cache that is given out, which may be quantised.</summary>
        private (Value Attended, Value Present) Cached(Value added, int input, int scale, string attribute)
        {
            var kind = r.String(attribute, "NONE");
            if (kind is not ("NONE" or "PER_TENSOR" or "PER_CHANNEL")) throw r.Error($"{attribute} '{kind}' must be NONE, PER_TENSOR or PER_CHANNEL");
            if (r.Int("kv_cache_bit_width", 8) is not (0 or 8) && kind != "NONE") throw r.Error("caches of 4 bits are not supported; use 8");
            var past = r.Input(input);
            if (kind != "NONE")
            {
                var cache = past?.DType ?? throw r.Error($"{attribute} '{kind}' needs a cache (input {input})");
                var factor = r.Input(scale) ?? throw r.Error($"{attribute} '{kind}' needs a scale (input {scale})");
                var steps = r.Add(new Div(), r.To(added, DType.Float32), factor);
                var stored = cache.IsInteger()
                    ? r.Add(new Cast(cache), r.Add(new Clip(), r.Add(new Round(), steps), r.Number(cache == DType.UInt8 ? 0 : -128, DType.Float32), r.Number(cache == DType.UInt8 ? 255 : 127, DType.Float32)))
                    : r.Add(new Cast(cache), steps);
                var present = Joined(past, stored);
                return (r.To(r.Times(r.To(present, DType.Float32), factor), type), present);
            }
            if (past is null) return (added, added);
            var whole = Joined(past, added);
            return (whole, whole);
        }

        /// <summary>The cache, as long as all keys at least, with the new entries behind those that each sequence has.</summary>
        private Value Joined(Value past, Value added)
        {
            var most = r.Add(new Max(), total, r.Extent(past, 2));
            var missing = r.Add(new Sub(), r.Unsqueezed(most, 0), r.Extents(past, 2, 3));
            var pads = r.Joined(0, r.Constant(0, 0, 0, 0, 0, 0), missing, r.Constant(0L));
            var longer = r.Add(new Pad(), past, pads, r.Constant(ElementTypes.From([0], past.DType, Shape.Scalar)));
            return r.Add(new TensorScatter(2), longer, added, r.Add(new Expand(), before, r.Extents(past, 0, 1)));
        }

        /// <summary>What may be attended, over all keys. With a sink the mask is added, and one more column holds the sink.</summary>
        private Value Mask(bool smooth, Value keys, Value? sink, Value q)
        {
            var places = r.Counted(smooth ? r.Extent(keys, 2) : total);
            var positions = r.Unsqueezed(r.Plus(r.Unsqueezed(before, 1), r.Counted(queries)), 1, 3);
            var causal = r.Bool("causal", true);
            var allowed = causal ? r.Add(new LessOrEqual(), places, positions) : r.Add(new Less(), places, r.Unsqueezed(lengths, 1, 2, 3));
            if (r.Int("local_window_size", -1) is > 0 and var window) allowed = r.Add(new And(), allowed, r.Add(new Greater(), places, r.Add(new Sub(), positions, Scalar(window))));
            if (r.Input(10) is null && !smooth) return allowed;
            var bias = r.Input(10);
            if (bias is not null && smooth) bias = r.Add(new Pad(), bias, r.Joined(0, r.Constant(0, 0, 0, 0, 0, 0, 0), r.Add(new Sub(), r.Extents(keys, 2, 3), r.Extents(bias, 3, 4))));
            var mask = r.Add(new Where(), allowed, bias ?? r.Number(0, type), r.Number(float.NegativeInfinity, type));
            if (!smooth) return mask;
            var outer = r.Extents(q, 0, 3);
            var column = r.Add(new Expand(), sink is null ? r.Number(0, type) : r.Shaped(sink, 1, -1, 1, 1), r.Joined(0, outer, r.Constant(1L)));
            return r.Joined(3, r.Add(new Expand(), mask, r.Joined(0, outer, r.Constant(1L))), column);
        }

        private Value Longer(Value x) => r.Add(new Pad(), x, r.Constant(0, 0, 0, 0, 0, 0, 1, 0));
    }
}
