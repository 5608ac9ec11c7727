using AiOptix.Graphs.Ops;
using AiOptix.Tensors;

namespace AiOptix.Graphs.Tests.Ops;

/// <summary>Recurrent layers against their formulas written out, and their forms against one another.</summary>
public class RecurrentTests
{
    private const int T = 5, N = 3, I = 4, H = 2;

    public static TheoryData<string> Layers => ["RNN", "GRU", "GRU reset first", "LSTM", "LSTM coupled"];

    [Theory]
    [MemberData(nameof(Layers))]
    public void OneStepIsTheFormula(string layer)
    {
        var op = Make(layer, RecurrentDirection.Forward) with { Clip = 0.9f };
        var g = op.Gates;
        var (x, w, r, b) = (Build.Random(1, 1, 1, I), Build.Random(2, 1, g * H, I), Build.Random(3, 1, g * H, H), Build.Random(4, 1, 2 * g * H));
        var (h0, c0, p) = (Build.Random(5, 1, 1, H), Build.Random(6, 1, 1, H), Build.Random(7, 1, 3 * H));
        var inputs = op is LSTM ? new[] { x, w, r, b, null, h0, c0, p } : [x, w, r, b, null, h0];
        var y = Build.Run(op, op is LSTM ? 3 : 2, inputs);
        var (xs, ws, rs, bs, hs, cs, ps) = (x.Floats(), w.Floats(), r.Floats(), b.Floats(), h0.Floats(), c0.Floats(), p.Floats());
        double In(int gate, int j) => bs[gate * H + j] + Enumerable.Range(0, I).Sum(k => (double)ws[(gate * H + j) * I + k] * xs[k]);
        double Re(int gate, int j, Func<int, double> h) => bs[(g + gate) * H + j] + Enumerable.Range(0, H).Sum(k => rs[(gate * H + j) * H + k] * h(k));
        double Old(int j) => hs[j];
        static double Cut(double v) => Math.Max(-0.9f, Math.Min(0.9f, v));
        static double S(double v) => 1 / (1 + Math.Exp(-Cut(v)));
        static double Th(double v) => Math.Tanh(Cut(v));
        for (var j = 0; j < H; j++)
        {
            double h, c = 0;
            if (op is RNN) h = Th(In(0, j) + Re(0, j, Old));
            else if (op is GRU gru)
            {
                var z = S(In(0, j) + Re(0, j, Old));
                double Reset(int k) => S(In(1, k) + Re(1, k, Old));
                var candidate = Th(In(2, j) + (gru.LinearBeforeReset ? Reset(j) * Re(2, j, Old) : Re(2, j, k => Reset(k) * hs[k])));
                h = (1 - z) * candidate + z * hs[j];
            }
            else
            {
                var i = S(In(0, j) + Re(0, j, Old) + ps[j] * cs[j]);
                var f = ((LSTM)op).InputForget ? 1 - i : S(In(2, j) + Re(2, j, Old) + ps[2 * H + j] * cs[j]);
                c = f * cs[j] + i * Th(In(3, j) + Re(3, j, Old));
                h = S(In(1, j) + Re(1, j, Old) + ps[H + j] * c) * Th(c);
            }
            Assert.Equal(h, y[0].Floats()[j], 5);
            Assert.Equal(h, y[1].Floats()[j], 5);
            if (op is LSTM) Assert.Equal(c, y[2].Floats()[j], 5);
        }
    }

    [Theory]
    [MemberData(nameof(Layers))]
    public void BothDirectionsAreOneAfterTheOther(string layer)
    {
        var both = Inputs(Make(layer, RecurrentDirection.Bidirectional));
        var y = Build.Run(Make(layer, RecurrentDirection.Bidirectional), 2, both);
        for (var d = 0; d < 2; d++)
        {
            var single = Make(layer, d == 0 ? RecurrentDirection.Forward : RecurrentDirection.Reverse);
            var alone = Build.Run(single, 2, [both[0], .. both.Skip(1).Select((t, i) => t is null || i == 3 ? t : Part(t, d))]);
            for (var t = 0; t < T; t++) Assert.Equal(alone[0].Floats()[(t * N * H)..((t + 1) * N * H)], y[0].Floats()[((t * 2 + d) * N * H)..((t * 2 + d + 1) * N * H)]);
            Assert.Equal(alone[1].Floats(), y[1].Floats()[(d * N * H)..((d + 1) * N * H)]);
        }
    }

    [Theory]
    [MemberData(nameof(Layers))]
    public void AShortSequenceIsAShorterRun(string layer)
    {
        foreach (var direction in new[] { RecurrentDirection.Forward, RecurrentDirection.Reverse })
        {
            var op = Make(layer, direction);
            var inputs = Inputs(op);
            inputs[4] = null;
            var given = inputs.ToArray();
            given[4] = Tensor.Vector(3, 3, 3);
            var y = Build.Run(op, 2, given);
            inputs[0] = Tensor.From<float>(inputs[0]!.Floats().AsSpan(0, 3 * N * I), new Shape(3, N, I));
            var expected = Build.Run(op, 2, inputs);
            Assert.Equal([.. expected[0].Floats(), .. new float[2 * N * H]], y[0].Floats());
            Assert.Equal(expected[1].Floats(), y[1].Floats());
        }
    }

    [Theory]
    [MemberData(nameof(Layers))]
    public void BatchFirstIsTheSameTransposed(string layer)
    {
        var op = Make(layer, RecurrentDirection.Bidirectional);
        var inputs = Inputs(op);
        var expected = Build.Run(op, 2, inputs);
        inputs[0] = Build.Run(new Transpose([1, 0, 2]), inputs[0]);
        for (var i = 5; i < Math.Min(7, inputs.Length); i++) inputs[i] = Build.Run(new Transpose([1, 0, 2]), inputs[i]);
        var y = Build.Run(op with { BatchFirst = true }, 2, inputs);
        Build.Near(Build.Run(new Transpose([2, 0, 1, 3]), expected[0]), y[0], 0);
        Build.Near(Build.Run(new Transpose([1, 0, 2]), expected[1]), y[1], 0);
    }

    [Fact]
    public void EveryFunctionHasItsParameters()
    {
        double At(RecurrentFunction f, double x) => new RecurrentActivation(f, 0.25f, 0.5f).Apply(x);
        Assert.Equal(1.25, At(RecurrentFunction.Affine, 3));
        Assert.Equal(-0.5, At(RecurrentFunction.LeakyRelu, -2));
        Assert.Equal(0, At(RecurrentFunction.ThresholdedRelu, 0.2));
        Assert.Equal(0.25 * Math.Tanh(1), At(RecurrentFunction.ScaledTanh, 2));
        Assert.Equal(0.75, At(RecurrentFunction.HardSigmoid, 1));
        Assert.Equal(0.25 * (Math.Exp(-1) - 1), At(RecurrentFunction.Elu, -1), 9);
        Assert.Equal(-0.75, At(RecurrentFunction.Softsign, -3));
        Assert.Equal(Math.Log(1 + Math.E), At(RecurrentFunction.Softplus, 1), 9);
        Assert.Equal(0, At(RecurrentFunction.Relu, -1));
    }

    [Fact]
    public void OtherElementTypesAndWrongShapes()
    {
        var op = new GRU();
        foreach (var type in new[] { DType.Float16, DType.BFloat16, DType.Float64 })
        {
            var inputs = Inputs(op);
            var expected = Build.Run(op, 2, inputs);
            var y = Build.Run(op, 2, [.. inputs.Select((t, i) => t is null || i == 4 ? t : Build.Run(new Cast(type), t))]);
            Build.Near(expected[0], Build.Run(new Cast(DType.Float32), y[0]), type == DType.Float64 ? 1e-6 : 0.03);
        }
        var bad = Inputs(op);
        bad[2] = Build.Random(1, 1, 3 * H, H + 1);
        Assert.Throws<InvalidGraphException>(() => Build.Run(op, 2, bad));
        var long_ = Inputs(op);
        long_[4] = Tensor.Vector(1, 2, T + 1);
        Assert.Throws<InvalidInputException>(() => Build.Run(op, 2, long_));
    }

    private static Recurrent Make(string layer, RecurrentDirection direction) => layer switch
    {
        "RNN" => new RNN(direction),
        "GRU" => new GRU(direction, LinearBeforeReset: true),
        "GRU reset first" => new GRU(direction),
        "LSTM" => new LSTM(direction),
        _ => new LSTM(direction, InputForget: true),
    };

    private static Tensor?[] Inputs(Recurrent op)
    {
        var (d, g) = (op.Directions, op.Gates);
        Tensor?[] common = [Build.Random(1, T, N, I), Build.Random(2, d, g * H, I), Build.Random(3, d, g * H, H), Build.Random(4, d, 2 * g * H), Tensor.Vector(2, T, 0), Build.Random(5, d, N, H)];
        return op is LSTM ? [.. common, Build.Random(6, d, N, H), Build.Random(7, d, 3 * H)] : common;
    }

    private static Tensor Part(Tensor t, int index) => Build.Run(new Slice(), t, Tensor.Vector((long)index), Tensor.Vector(index + 1L), Tensor.Vector(0L));
}
