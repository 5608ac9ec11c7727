using AiOptix.Graphs;
using AiOptix.Graphs.Ops;
using AiOptix.Tensors;

namespace AiOptix.Cpu.Tests;

/// <summary>Quantised regions as quantisers write them: bytes stay bytes, with the bytes that float32 arithmetic in between gives.</summary>
public class ByteRegionTests
{
    private static readonly Dim N = Dim.Symbol("n");

    /// <summary>What stands behind a quantised convolution of six channels, and the steps that it takes.</summary>
    private static readonly Dictionary<string, (string? Steps, Func<Graph, Value, Value> Build)> behind = new()
    {
        ["residual"] = ("QLinearConv QLinearAdd", (g, y) => Q(g, g.Add(new Add(), D(g, Conv(g, y, 6, 6, 3)), D(g, y)))),
        ["residual and activation"] = ("QLinearConv QLinearAdd", (g, y) => Q(g, g.Add(new Relu(), g.Add(new Add(), D(g, Conv(g, y, 6, 6, 3)), D(g, y))), 0.05f, 30)),
        ["difference cut off"] = ("QLinearConv QLinearSub", (g, y) => Q(g, g.Add(new Clip(), g.Add(new Sub(), D(g, Conv(g, y, 6, 6, 1)), D(g, y)), g.AddConstant(Tensor.Scalar(-1f)), g.AddConstant(Tensor.Scalar(2f))), 0.05f, 30)),
        ["swish"] = ("QLinearTable QLinearMul", (g, y) => Q(g, g.Add(new Mul(), D(g, y), D(g, Q(g, g.Add(new Sigmoid(), D(g, y)), 1 / 255f, 0))))),
        ["swish at once"] = ("QLinearTable", (g, y) => Q(g, g.Add(new Mul(), D(g, y), g.Add(new Sigmoid(), D(g, y))))),
        ["other scale"] = ("QLinearTable", (g, y) => Q(g, D(g, y), 0.11f, 3)),
        ["squeeze and excite"] = (null, (g, y) => Q(g, g.Add(new Mul(), D(g, y), D(g, Q(g, g.Add(new HardSigmoid(), g.Add(new GlobalAveragePool(), D(g, y))), 1 / 255f, 0))))),
        ["depthwise"] = ("QLinearConv", (g, y) => Conv(g, y, 6, 6, 3, 6)),
        ["clip"] = ("", (g, y) => g.Add(new Clip(), y, g.AddConstant(Tensor.Scalar((byte)90)), g.AddConstant(Tensor.Scalar((byte)200)))),
        ["max pool"] = ("MaxPool", (g, y) => g.Add(new MaxPool([3, 2], [2, 1], [1, 1, 1, 0]), y)),
        ["concat"] = ("QLinearConv QLinearConv", (g, y) => g.Add(new Concat(1), Conv(g, y, 6, 7, 1), Conv(g, y, 6, 3, 3))),
        ["pieces"] = ("QLinearConv", (g, y) => Conv(g, g.Add(new Split(1), [y, g.AddConstant(Tensor.Vector<long>(4, 2))], [null, null]).Outputs[0], 4, 5, 1)),
        ["resize"] = ("Resize", (g, y) => g.Add(new Resize(), y, null, g.AddConstant(Tensor.Vector(1f, 1f, 2f, 1.5f)))),
        ["of a constant"] = ("QLinearAdd", (g, y) => Q(g, g.Add(new Add(), D(g, y), D(g, g.AddConstant(Bytes(9, 6, 1, 1)))))),
    };

    public static TheoryData<string> Behind => [.. behind.Keys];

    public static TheoryData<string> Wholly => [.. behind.Where(b => b.Value.Steps is not null).Select(b => b.Key)];

    [Theory]
    [MemberData(nameof(Behind))]
    public void Computes_the_same(string what) => PlanCheck.Same(Build(what), PlanCheck.Random(7, 2, 5, 9, 10));

    [Theory]
    [MemberData(nameof(Wholly))]
    public void Bytes_stay_bytes(string what)
    {
        var steps = PlanCheck.Compile(Build(what)).Steps.Select(s => s.Operation).ToArray();
        Assert.Equal($"QuantizeLinear QLinearConv {behind[what].Steps}", string.Join(' ', steps.Take(steps.Length - 2)).Replace("QLinearConv+Clip", "QLinearConv ", StringComparison.Ordinal));
    }

    private static Graph Build(string what)
    {
        var g = new Graph("g");
        var x = g.AddInput("x", PlanCheck.F32(N, 5, 9, 10));
        g.AddOutput(D(g, behind[what].Build(g, Conv(g, Q(g, x), 5, 6, 3))));
        return g;
    }

    private static Value Q(Graph g, Value x, float scale = 0.021f, byte zero = 117) => g.Add(new QuantizeLinear(), x, g.AddConstant(Tensor.Scalar(scale)), g.AddConstant(Tensor.Scalar(zero)));

    // The scale and the zero point that the bytes were made with.
    private static Value D(Graph g, Value bytes) => bytes.Producer switch
    {
        { Operator: Clip or MaxPool or Concat or Resize } p => g.Add(new DequantizeLinear(), bytes, g.AddConstant(Tensor.Scalar(0.013f)), g.AddConstant(Tensor.Scalar((byte)60))),
        { Operator: QLinearConv } p => g.Add(new DequantizeLinear(), bytes, p.Inputs[6], p.Inputs[7]),
        { } p => g.Add(new DequantizeLinear(), bytes, p.Inputs[1], p.Inputs[2]),
        null => g.Add(new DequantizeLinear(), bytes, g.AddConstant(Tensor.Scalar(0.013f)), g.AddConstant(Tensor.Scalar((byte)60))),
    };

    private static Value Conv(Graph g, Value x, int channels, int outputs, int taps, int groups = 1)
    {
        var pad = taps / 2;
        var w = Tensor.Allocate(DType.Int8, new Shape(outputs, channels / groups, taps, taps));
        new Random(taps).NextBytes(w.Bytes);
        return g.Add(new QLinearConv(new Conv(Pads: [pad, pad, pad, pad], Group: groups)), x, g.AddConstant(Tensor.Scalar(0.021f)), g.AddConstant(Tensor.Scalar((byte)117)), g.AddConstant(w), g.AddConstant(Tensor.Scalar(0.003f)),
            g.AddConstant(Tensor.Scalar((sbyte)0)), g.AddConstant(Tensor.Scalar(0.037f)), g.AddConstant(Tensor.Scalar((byte)90)));
    }

    private static Tensor Bytes(int seed, params long[] shape)
    {
        var t = Tensor.Allocate(DType.UInt8, new Shape(shape));
        new Random(seed).NextBytes(t.Bytes);
        return t;
    }
}
