using AiOptix.Graphs;
using AiOptix.Graphs.Evaluate;
using AiOptix.Graphs.Ops;
using AiOptix.Tensors;
using static AiOptix.Onnx.Microsoft.Shorthands;

namespace AiOptix.Onnx.Microsoft;

/// <summary>Products of <c>com.microsoft</c> with quantised weights: whole rows or columns of 8 bits, or blocks of 2, 4 and 8.</summary>
internal static class QuantizedProducts
{
    public static OnnxOperator[] Rows { get; } =
    [
        Row("DynamicQuantizeMatMul", ReadDynamic),
        Row("MatMulIntegerToFloat", ReadToFloat),
        Row("MatMulNBits", ReadBits),
        Row("DynamicQuantizeLSTM", ReadLstm),
        Row("QMoE", ReadExperts),
    ];

    private static void ReadDynamic(NodeReader r)
    {
        var a = r.AddAll(new DynamicQuantizeLinear(), 3, r.Required(0));
        Scaled(r, a[0], r.Required(1), a[1], r.Required(2), a[2], r.Input(3), r.Input(4));
    }

    private static void ReadToFloat(NodeReader r) => Scaled(r, r.Required(0), r.Required(1), r.Required(2), r.Required(3), r.Input(4), r.Input(5), r.Input(6));

    /// <summary>The integer product times both scales, and a bias.</summary>
    private static void Scaled(NodeReader r, Value a, Value b, Value scaleA, Value scaleB, Value? zeroA, Value? zeroB, Value? bias)
    {
        var scale = r.Times(scaleA, scaleB);
        // Sums of bytes are exact in float32 up to 2^24 only, so the conversion of float16 results goes through it.
        var product = r.To(r.Add(new MatMulInteger(), a, b, zeroA, zeroB), DType.Float32);
        var wide = r.To(scale, DType.Float32);
        if (bias is null && scale.DType == DType.Float32) r.Emit(new Mul(), product, wide);
        else if (bias is null) r.Emit(new Cast(scale.DType), r.Times(product, wide));
        else r.Emit(new Add(), r.To(r.Times(product, wide), scale.DType), bias);
    }

    private static void ReadBits(NodeReader r)
    {
        r.Ignore("accuracy_level");
        if (r.Int("weight_prepacked", 0) != 0) throw r.Error("weights packed for another machine (weight_prepacked) cannot be read; export them with weight_prepacked = 0");
        long Size(string name) => r.OptionalInt(name) is { } n and > 0 ? n : throw r.Error($"attribute '{name}' is required and must be positive");
        var blocks = new Blocks(r, Size("N"), Size("K"), Size("block_size"), r.Int("bits", 4));
        var weights = blocks.Weights(r.Required(1), r.Required(2), r.Input(3), r.Input(4), r.Required(0).DType);
        var columns = r.Permuted(weights, 1, 0);
        if (r.Input(5) is { } bias) r.Emit(new Add(), r.Add(new MatMul(), r.Required(0), columns), bias);
        else r.Emit(new MatMul(), r.Required(0), columns);
    }

    /// <summary>An LSTM whose weights are stored in 8 bits, transposed. Its inputs stay real numbers: rounding them as well is a matter of speed, not of meaning.</summary>
    private static void ReadLstm(NodeReader r)
    {
        Value Weights(int at, int scale)
        {
            var x = r.Required(at);
            var (s, zero) = (r.Required(scale), r.Input(scale + 1));
            // A scale for each direction, or for each column of it.
            Value Spread(Value v) => r.RankOf(v) == 1 ? r.Unsqueezed(v, 1, 2) : r.Unsqueezed(v, 1);
            var centred = zero is null ? r.To(x, DType.Float32) : r.To(r.Add(new Sub(), r.To(x, DType.Int32), r.To(Spread(zero), DType.Int32)), DType.Float32);
            return r.Permuted(r.Times(centred, Spread(s)), 0, 2, 1);
        }
        r.Emit(Recurrents.Lstm(r), r.Required(0), Weights(1, 8), Weights(2, 10), r.Input(3), r.Input(4), r.Input(5), r.Input(6), r.Input(7));
    }

    /// <summary>
    /// A mixture of experts: every expert answers every token, and the answers are summed with weights that are 0 for all but the best k. The router's probabilities of those are
    /// their softmax among themselves. What lies between stays real numbers, also where weights are given for activations of 8 bits.
    /// </summary>
    private static void ReadExperts(NodeReader r)
    {
        r.Ignore("accuracy_level", "weights_prepacked");
        var kind = r.String("quant_type", "int");
        if (kind is not ("int" or "" or "fp8" or "fp4" or "nvfp4" or "wfp4afp8")) throw r.Error($"quant_type '{kind}' must be int, fp8, fp4, nvfp4 or wfp4afp8");
        var x = r.Required(0);
        var type = x.DType;
        if (r.Required(2).Shape?.Concrete is not { Rank: 3 } first || r.Required(5).Shape?.Concrete is not { Rank: 3 } second) throw r.Error("the shapes of the experts' weights must be known");
        var (experts, bits, block) = (first[0], r.Int("expert_weight_bits", 4), r.Int("block_size", 0));
        Value Expert(int weights, int scales, int zeros, int global, Shape s)
        {
            var stored = r.Required(weights);
            if (kind is "int" or "")
            {
                var length = s[2] * (8 / bits);
                return new Blocks(r, experts * s[1], length, block > 0 ? block : length, bits).Experts(stored, r.Required(scales), r.Input(zeros), type, experts);
            }
            var real = kind == "fp8" ? r.To(stored, DType.Float32) : new Blocks(r, experts * s[1], s[2] * 2, kind == "nvfp4" ? 16 : 32, 4).Floats(stored, r.Required(scales), experts);
            return r.To(r.Input(global) is { } factor ? r.Times(real, r.Shaped(factor, -1, 1, 1)) : real, type);
        }
        var hidden = second[1];
        var tokens = r.Unsqueezed(r.Shaped(x, -1, hidden), 0);
        Value Layer(Value input, int weights, int scales, int bias, int zeros, int global, Shape s)
        {
            var y = r.Add(new MatMul(), input, r.Permuted(Expert(weights, scales, zeros, global, s), 0, 2, 1));
            return r.Input(bias) is { } b ? r.Plus(y, r.Unsqueezed(b, 1)) : y;
        }
        var inner = Activated(r, Layer(tokens, 2, 3, 4, 11, 15, first), () => Layer(tokens, 8, 9, 10, 13, -1, new Shape(first[0], first[1], first[2])));
        var answers = Layer(inner, 5, 6, 7, 12, 16, second);
        var weighted = r.Times(answers, r.Unsqueezed(r.Permuted(Routing(r, type), 1, 0), 2));
        var sum = r.Add(new ReduceSum(KeepDims: false), weighted, r.Constant(0L));
        r.Emit(new Reshape(), sum, r.Add(new ShapeOf(), x));
    }

    private static Value Activated(NodeReader r, Value x, Func<Value> gated)
    {
        var name = r.String("activation_type", "relu");
        if (name != "swiglu")
        {
            var y = name switch
            {
                "relu" => r.Add(new Relu(), x),
                "gelu" => r.Add(new Gelu(), x),
                "silu" => r.Add(new Swish(), x),
                "identity" => x,
                _ => throw r.Error($"activation_type '{name}' must be relu, gelu, silu, swiglu or identity"),
            };
            return r.Input(8) is null ? y : r.Times(y, gated());
        }
        var (alpha, beta, limit) = (r.Float("activation_alpha", 1), r.Float("activation_beta", 0), r.OptionalFloat("swiglu_limit"));
        Value gate, linear;
        switch (r.Int("swiglu_fusion", 0))
        {
            case 0: (gate, linear) = (x, gated()); break;
            case 1:
                var pairs = r.Add(new Reshape(), x, r.Joined(0, r.Extents(x, 0, 2), r.Constant(-1, 2)));
                (gate, linear) = (r.At(pairs, -1, 0), r.At(pairs, -1, 1));
                break;
            case 2:
                var halves = r.AddAll(new Split(-1), 2, x);
                (gate, linear) = (halves[0], halves[1]);
                break;
            case var f: throw r.Error($"swiglu_fusion {f} must be 0, 1 or 2");
        }
        if (limit is { } most)
        {
            gate = r.Add(new Clip(), gate, null, r.Number(most, gate.DType));
            linear = r.Add(new Clip(), linear, r.Number(-most, gate.DType), r.Number(most, gate.DType));
        }
        return r.Times(r.Add(new Swish(alpha), gate), beta == 0 ? linear : r.Plus(linear, r.Number(beta, linear.DType)));
    }

    /// <summary>The weight of every expert for every token: [tokens, experts].</summary>
    private static Value Routing(NodeReader r, DType type)
    {
        var logits = r.Required(1);
        if (r.Bool("use_sparse_mixer", false)) return SparselyMixed(r, logits, type);
        var best = r.AddAll(new TopK(), 2, logits, r.Constant(r.Int("k", 4)));
        var normalised = r.Bool("normalize_routing_weights", false);
        Value weights;
        if (r.Input(14) is { } given)
        {
            weights = r.Add(new GatherElements(1), given, best[1]);
            if (normalised) weights = r.Add(new Div(), weights, r.Add(new ReduceSum(), weights, r.Constant(1L)));
        }
        else weights = r.Add(new Softmax(-1), best[0]);
        return r.Add(new ScatterElements(1), r.Times(logits, r.Number(0, type)), best[1], weights);
    }

    /// <summary>
    /// Two experts, one after the other: each is the best of those left, and its weight is its share in the softmax of all left that are at most 2 % worse, measured by the larger of its
    /// own magnitude and the best.
    /// </summary>
    private static Value SparselyMixed(NodeReader r, Value logits, DType type)
    {
        const float Nearness = 0.02f;
        if (r.Int("k", 4) is not 2 and var k) throw r.Error($"use_sparse_mixer goes with k = 2, found {k}");
        var (left, lowest) = (logits, r.Number(float.NegativeInfinity, type));
        var routing = r.Times(logits, r.Number(0, type));
        for (var i = 0; i < 2; i++)
        {
            var best = r.Add(new ArgMax(1), left);
            var most = r.Add(new ReduceMax(), left, r.Constant(1L));
            var apart = r.Add(new Div(), r.Add(new Sub(), most, logits), r.Add(new Max(), r.Add(new Abs(), logits), most));
            var near = r.Add(new Where(), r.Add(new Greater(), apart, r.Number(Nearness, type)), lowest, left);
            routing = r.Add(new ScatterElements(1), routing, best, r.Add(new GatherElements(1), r.Add(new Softmax(-1), near), best));
            left = r.Add(new ScatterElements(1), left, best, r.Add(new Expand(), lowest, r.Add(new ShapeOf(), best)));
        }
        return routing;
    }

    /// <summary>Weights [rows, length] stored as bit fields, a scale and a zero point for every block of a row.</summary>
    private sealed record Blocks(NodeReader R, long Rows, long Length, long Size, long Bits)
    {
        private DType Type => Bits switch
        {
            2 => DType.UInt2,
            4 => DType.UInt4,
            8 => DType.UInt8,
            _ => throw R.Error($"weights of {Bits} bits are not supported; they must have 2, 4 or 8"),
        };

        private long Count => (Length + Size - 1) / Size;

        /// <summary>[rows, length] as real numbers.</summary>
        public Value Weights(Value packed, Value scales, Value? zeros, Value? groups, DType type)
        {
            var spread = R.Shaped(scales, Rows, Count);
            if (groups is null && packed.Constant is { } stored && (zeros is null || (zeros.DType == DType.UInt8 && zeros.Constant is not null)))
            {
                var whole = Relabelled(stored, Rows, Count * Size, Length);
                var centre = zeros?.Constant is { } z ? Relabelled(z, Rows, PaddedCount(z), Count) : Filled(1 << ((int)Bits - 1));
                return R.Add(new DequantizeLinear(1, Size), R.Constant(whole), spread, R.Constant(centre));
            }
            var values = R.Sliced(R.Shaped(Unpacked(packed), Rows, Count * Size), 1, 0, Length);
            var middle = zeros is null ? R.Add(new ConstantOfShape(ElementTypes.From([1 << ((int)Bits - 1)], type, new Shape(1))), R.Constant(Rows, Count))
                : zeros.DType == DType.UInt8 ? R.To(R.Sliced(R.Shaped(Unpacked(zeros), Rows, -1), 1, 0, Count), type) : R.Shaped(zeros, Rows, Count);
            Value PerElement(Value v) => groups is not null ? R.Add(new Gather(1), v, groups)
                : R.Sliced(R.Shaped(R.Add(new Expand(), R.Unsqueezed(v, 2), R.Constant(Rows, Count, Size)), Rows, Count * Size), 1, 0, Length);
            return R.Times(R.Add(new Sub(), R.To(values, type), PerElement(middle)), PerElement(spread));
        }

        /// <summary>[experts, rows, length] as real numbers. A zero point for a whole row is packed along the rows.</summary>
        public Value Experts(Value packed, Value scales, Value? zeros, DType type, long experts)
        {
            var centre = zeros is null ? null : R.Shaped(Unpacked(zeros), Rows, Count);
            var stored = R.To(scales, type);
            var values = R.To(R.Shaped(Unpacked(packed), Rows, Count, Size), type);
            var middle = centre is null ? R.Number(1 << ((int)Bits - 1), type) : R.Unsqueezed(R.To(centre, type), 2);
            var real = R.Times(R.Add(new Sub(), values, middle), R.Shaped(stored, Rows, Count, 1));
            return R.Shaped(real, experts, Rows / experts, Length);
        }

        /// <summary>[experts, rows, length] as float32 from float4e2m1 times the scales of their blocks.</summary>
        public Value Floats(Value packed, Value scales, long experts)
        {
            float[] halves = [0, 0.5f, 1, 1.5f, 2, 3, 4, 6];
            var table = R.Numbers([.. halves, .. halves.Select(v => -v)], DType.Float32, new Shape(16));
            var values = R.Add(new Gather(), table, R.To(R.Shaped(Unpacked(packed), Rows, Count, Size), DType.Int32));
            return R.Shaped(R.Times(values, R.Shaped(R.To(scales, DType.Float32), Rows, Count, 1)), experts, Rows / experts, Length);
        }

        /// <summary>The elements of a row of zero points: a whole number of bytes.</summary>
        private long PaddedCount(Tensor z) => z.Count / Rows * (8 / Bits);

        private Tensor Filled(int value) => ElementTypes.From([.. Enumerable.Repeat((double)value, checked((int)(Rows * Count)))], Type, new Shape(Rows, Count));

        /// <summary>Bytes as the bit fields in them, each row cut off at its length.</summary>
        private Tensor Relabelled(Tensor bytes, long rows, long stride, long length)
        {
            var perByte = 8 / Bits;
            if (bytes.DType != DType.UInt8 || bytes.Count * perByte != rows * stride) throw R.Error($"packed weights or zero points {bytes} do not fit {rows} rows of {stride} elements of {Bits} bits");
            using var all = Tensor.Allocate(Type, new Shape(rows, stride));
            bytes.Bytes.CopyTo(all.Bytes);
            if (stride == length) return all.Share();
            var values = ElementTypes.ToFloat64(all);
            return ElementTypes.From([.. Enumerable.Range(0, (int)rows).SelectMany(i => values.Skip(i * (int)stride).Take((int)length))], Type, new Shape(rows, length));
        }

        /// <summary>Bytes [...] as the bit fields in them [..., fields], the lowest first, in uint8.</summary>
        private Value Unpacked(Value bytes)
        {
            if (Bits == 8) return bytes;
            _ = Type;
            Value Number(int v) => R.Constant(ElementTypes.From([v], DType.UInt8, Shape.Scalar));
            var wide = R.Unsqueezed(bytes, R.RankOf(bytes));
            var shifts = R.Constant(ElementTypes.From([.. Enumerable.Range(0, 8 / (int)Bits).Select(i => (double)(i * Bits))], DType.UInt8, new Shape(8 / Bits)));
            return R.Add(new BitwiseAnd(), R.Add(new BitShift(Left: false), wide, shifts), Number((1 << (int)Bits) - 1));
        }
    }
}
