using AiOptix.Graphs;
using AiOptix.Graphs.Ops;
using AiOptix.Tensors;

namespace AiOptix.Onnx.Microsoft;

/// <summary>What readers of <c>com.microsoft</c> operators, which become several standard ones, share.</summary>
internal static class Shorthands
{
    /// <summary>The domain of ONNX Runtime's own operators.</summary>
    public const string Domain = "com.microsoft";

    public static OnnxOperator Row(string name, Action<NodeReader> read) => OnnxOperator.ReadOnly(name, read, Domain);

    public static Value Plus(this NodeReader r, Value a, Value? b) => b is null ? a : r.Add(new Add(), a, b);

    public static Value Times(this NodeReader r, Value a, Value b) => r.Add(new Mul(), a, b);

    public static Value Times(this NodeReader r, Value a, float factor) => factor == 1 ? a : r.Add(new Mul(), a, r.Number(factor, a.DType));

    public static Value To(this NodeReader r, Value x, DType type) => x.DType == type ? x : r.Add(new Cast(type), x);

    public static Value Permuted(this NodeReader r, Value x, params ReadOnlySpan<long> perm) => r.Add(new Transpose([.. perm]), x);

    /// <summary>A shape of which 0 copies an extent of the input and -1 is what is left.</summary>
    public static Value Shaped(this NodeReader r, Value x, params ReadOnlySpan<long> shape) => r.Add(new Reshape(), x, r.Constant(shape));

    /// <summary>The extents of axes from <paramref name="from"/> to before <paramref name="to"/>.</summary>
    public static Value Extents(this NodeReader r, Value x, long from, long to) => r.Add(new ShapeOf(from, to), x);

    /// <summary>An extent as a scalar.</summary>
    public static Value Extent(this NodeReader r, Value x, long axis) => r.Add(new Squeeze(), r.Extents(x, axis, axis == -1 ? long.MaxValue : axis + 1));

    public static Value Joined(this NodeReader r, long axis, params ReadOnlySpan<Value?> parts) => r.Add(new Concat(axis), parts);

    /// <summary>0, 1, … as a vector of int64, as many as a scalar says.</summary>
    public static Value Counted(this NodeReader r, Value count) => r.Add(new NumericRange(), r.Constant(Tensor.Scalar(0L)), count, r.Constant(Tensor.Scalar(1L)));

    public static Value Unsqueezed(this NodeReader r, Value x, params ReadOnlySpan<long> axes) => r.Add(new Unsqueeze(), x, r.Constant(axes));

    public static Value Sliced(this NodeReader r, Value x, long axis, long from, long to) => r.Add(new Slice(), x, r.Constant(from), r.Constant(to), r.Constant(axis));

    /// <summary>The element of an index along an axis, without that axis.</summary>
    public static Value At(this NodeReader r, Value x, long axis, long index) => r.Add(new Gather(axis), x, r.Constant(Tensor.Scalar(index)));

    public static int Rank(this NodeReader r, int input) => r.Required(input).Shape?.Rank ?? throw r.Error($"the rank of input {input} must be known");

    /// <summary>Channels last to channels first, or back.</summary>
    public static Value ChannelsFirst(this NodeReader r, Value x) => Rearranged(r, x, n => [0, n - 1, .. Enumerable.Range(1, n - 2)]);

    public static ValueList<long> ChannelsLastOrder(int rank) => [0, .. Enumerable.Range(2, rank - 2).Select(a => (long)a), 1];

    public static int RankOf(this NodeReader r, Value x) => x.Shape?.Rank ?? throw r.Error($"the rank of '{x.Name}' must be known");

    /// <summary>An activation that ONNX Runtime fuses into products and convolutions.</summary>
    /// <param name="r">The reader.</param>
    /// <param name="name">Its name; null for none.</param>
    /// <param name="parameters">Its parameters, in the order of the standard operator's attributes.</param>
    /// <param name="axis">The axis of a softmax.</param>
    public static Operator? Activation(NodeReader r, string? name, float?[] parameters, long axis = -1)
    {
        float P(int i, float otherwise) => parameters.ElementAtOrDefault(i) ?? otherwise;
        return name switch
        {
            null or "" => null,
            "Relu" => new Relu(),
            "Sigmoid" => new Sigmoid(),
            "Tanh" => new Tanh(),
            "Softsign" => new Softsign(),
            "Softplus" => new Softplus(),
            "HardSwish" => new HardSwish(),
            "Gelu" => new Gelu(),
            "LeakyRelu" => new LeakyRelu(P(0, 0.01f)),
            "Elu" => new Elu(P(0, 1)),
            "Celu" => new Celu(P(0, 1)),
            "ThresholdedRelu" => new ThresholdedRelu(P(0, 1)),
            "QuickGelu" => new Swish(P(0, 1.702f)),
            "Selu" => new Selu(P(0, Selu.DefaultAlpha), P(1, Selu.DefaultGamma)),
            "HardSigmoid" => new HardSigmoid(P(0, 0.2f), P(1, 0.5f)),
            "Softmax" => new Softmax(axis),
            "LogSoftmax" => new LogSoftmax(axis),
            _ => throw r.Error($"the activation '{name}' is not known"),
        };
    }

    private static Value Rearranged(NodeReader r, Value x, Func<int, int[]> order) => r.Permuted(x, Array.ConvertAll(order(r.RankOf(x)), a => (long)a));
}
