using AiOptix.Graphs;
using AiOptix.Graphs.Ops;
using AiOptix.Tensors;
using static AiOptix.Onnx.Microsoft.Shorthands;

namespace AiOptix.Onnx.Microsoft;

/// <summary>Operators of <c>com.microsoft</c> on 8-bit values with a scale: what they do in real numbers stands between dequantisation and quantisation.</summary>
internal static class QuantizedLinear
{
    public static OnnxOperator[] Rows { get; } =
    [
        Row("QuantizeLinear", r => r.Emit(new QuantizeLinear(r.Int("axis", 1)), r.InputsFrom(0))),
        Row("DequantizeLinear", r => r.Emit(new DequantizeLinear(r.Int("axis", 1)), r.InputsFrom(0))),
        Row("QLinearAdd", r => Pair(r, new Add())),
        Row("QLinearMul", r => Pair(r, new Mul())),
        Row("QLinearSigmoid", r => Through(r, x => r.Add(new Sigmoid(), x))),
        Row("QLinearLeakyRelu", r => Through(r, x => r.Add(new LeakyRelu(r.Float("alpha", 0.01f)), x))),
        Row("QLinearSoftmax", ReadSoftmax),
        Row("QLinearReduceMean", r => Through(r, x => r.Add(new ReduceMean(r.Bool("keepdims", true)), x, r.OptionalInts("axes") is { Length: > 0 } axes ? r.Constant(axes) : null))),
        Row("QLinearGlobalAveragePool", r => Through(r, x => AroundChannels(r, x, y => r.Add(new GlobalAveragePool(), y)))),
        Row("QLinearAveragePool", r => Through(r, x => AroundChannels(r, x, y => r.Add(new AveragePool(r.Ints("kernel_shape"), Convolutions.List(r, "strides"), Convolutions.List(r, "pads"), default,
            Convolutions.Pad(r), r.Bool("ceil_mode", false), r.Bool("count_include_pad", false)), y)))),
        Row("QLinearConcat", ReadConcat),
        Row("QLinearWhere", r => Quantized(r, r.Add(new Where(), r.Required(0), Real(r, 1), Real(r, 4)), 7)),
        Row("QLinearConv", ReadConv),
        Row("QGemm", ReadGemm),
    ];

    /// <summary>Input <paramref name="at"/> with the scale and the zero point behind it, as real numbers.</summary>
    private static Value Real(NodeReader r, int at) => r.Add(new DequantizeLinear(), r.Required(at), r.Required(at + 1), r.Input(at + 2));

    /// <summary>The node's output from real numbers; its scale and zero point are inputs <paramref name="at"/> and the next. Without a zero point it has the type of input 0.</summary>
    private static void Quantized(NodeReader r, Value x, int at, DType? type = null) =>
        r.Emit(new QuantizeLinear(To: r.Input(at + 1) is null ? type ?? r.Required(0).DType : null), x, r.Required(at), r.Input(at + 1));

    private static void Pair(NodeReader r, Operator op) => Quantized(r, r.Add(op, Real(r, 0), Real(r, 3)), 6);

    private static void Through(NodeReader r, Func<Value, Value> function) => Quantized(r, function(Real(r, 0)), 3);

    private static Value AroundChannels(NodeReader r, Value x, Func<Value, Value> make)
    {
        if (!r.Bool("channels_last", false)) return make(x);
        return r.Add(new Transpose(ChannelsLastOrder(r.RankOf(x))), make(r.ChannelsFirst(x)));
    }

    /// <summary>Below opset 13 of Softmax, all axes from 'axis' on make one line.</summary>
    private static void ReadSoftmax(NodeReader r)
    {
        var flat = (r.OptionalInt("opset") ?? throw r.Error("attribute 'opset' is required")) < 13;
        var axis = r.Int("axis", flat ? 1 : -1);
        Through(r, x => flat ? r.Add(new Reshape(AllowZero: true), r.Add(new Softmax(-1), r.Add(new Flatten(axis), x)), r.Add(new ShapeOf(), x)) : r.Add(new Softmax(axis), x));
    }

    private static void ReadConcat(NodeReader r)
    {
        if (r.InputCount < 5 || (r.InputCount - 2) % 3 != 0) throw r.Error($"{r.InputCount} inputs are given; expected a scale, a zero point, and three for every part");
        var parts = Enumerable.Range(0, (r.InputCount - 2) / 3).Select(i => (Value?)Real(r, 2 + 3 * i)).ToArray();
        var axis = r.OptionalInt("axis") ?? throw r.Error("attribute 'axis' is required");
        Quantized(r, r.Joined(axis, parts), 0, r.Required(2).DType);
    }

    private static void ReadConv(NodeReader r)
    {
        var last = r.Bool("channels_last", false);
        var conv = new QLinearConv(Convolutions.Convolution(r, 3));
        var inputs = r.InputsFrom(0);
        if (!last)
        {
            r.Emit(conv, inputs);
            return;
        }
        inputs[0] = r.ChannelsFirst(r.Required(0));
        r.EmitOutput(0, new Transpose(ChannelsLastOrder(r.Rank(0))), r.Add(conv, inputs));
    }

    /// <summary>(A · B + C) · alpha · the scales of A and B in real numbers; quantised when there is a scale for that.</summary>
    private static void ReadGemm(NodeReader r)
    {
        var (a, b) = (r.Required(0), r.Required(3));
        if (r.Bool("transA", false)) a = r.Permuted(a, 1, 0);
        if (r.Bool("transB", false)) b = r.Permuted(b, 1, 0);
        var sums = r.Plus(r.Add(new MatMulInteger(), a, b, r.Input(2), r.Input(5)), r.Input(6));
        var scale = r.Times(r.Times(r.Required(1), r.Required(4)), r.Float("alpha", 1));
        if (r.Input(7) is null) r.Emit(new Mul(), r.To(sums, DType.Float32), scale);
        else Quantized(r, r.Times(r.To(sums, DType.Float32), scale), 7);
    }
}
