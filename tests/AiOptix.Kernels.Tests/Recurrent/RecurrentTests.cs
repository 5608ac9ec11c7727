using AiOptix.Kernels.Elementwise;
using AiOptix.Kernels.Recurrent;

namespace AiOptix.Kernels.Tests.Recurrent;

public unsafe class RecurrentTests
{
    private static readonly CellFunction[] functions = [new(UnaryKind.Sigmoid, default), new(UnaryKind.Tanh, default), new(UnaryKind.Tanh, default)];

    public static TheoryData<string, RecurrentCell> Rows
    {
        get
        {
            var data = new TheoryData<string, RecurrentCell>();
            foreach (var row in RecurrentTable.Rows)
                foreach (var cell in Enum.GetValues<RecurrentCell>()) data.Add(row.Name, cell);
            return data;
        }
    }

    /// <summary>Every row gives the bits of the scalar one, whatever the split into tasks and the form of the weights, and touches nothing beyond its operands.</summary>
    [SkippableTheory]
    [MemberData(nameof(Rows))]
    public void Layers(string name, RecurrentCell cell)
    {
        var row = RecurrentTable.Rows.Single(r => r.Name == name);
        Sweep.Require(row.Isa);
        foreach (var (length, batch, hidden) in new[] { (3, 1, 16), (4, 1, 37), (3, 29, 9), (2, 5, 1), (5, 2, 64) })
            for (var form = 0; form < 16; form++)
            {
                var shape = new RecurrentShape(cell, 2, length, batch, hidden, Reverse: (form & 1) != 0, BatchFirst: (form & 2) != 0);
                var expected = Run(shape, RecurrentTable.Rows[^1], form, scattered: false);
                var found = Run(shape, row, form, scattered: true);
                for (var i = 0; i < expected.Length; i++) Sweep.AssertSame(expected[i], found[i], $"{name} {shape} form {form} output {i}");
                if (batch > 1) continue;
                var plain = Run(shape with { Packed = false }, row, form, scattered: true);
                for (var i = 0; i < expected.Length; i++) Sweep.AssertSame(expected[i], plain[i], $"{name} {shape} form {form} output {i}, plain weights");
            }
    }

    /// <summary>One step against the formulas in float64.</summary>
    [SkippableTheory]
    [MemberData(nameof(Rows))]
    public void OneStep(string name, RecurrentCell cell)
    {
        var row = RecurrentTable.Rows.Single(r => r.Name == name);
        Sweep.Require(row.Isa);
        const int n = 21;
        var shape = new RecurrentShape(cell, 1, 1, 1, n);
        var random = new Random(5);
        var (x, r, h0, c0) = (Sweep.Floats(random, shape.Gates * n, scale: 1), Sweep.Floats(random, shape.Gates * n * n, scale: 0.5f), Sweep.Floats(random, n, scale: 1), Sweep.Floats(random, n, scale: 1));
        var (p, bias) = (Sweep.Floats(random, 3 * n, scale: 1), Sweep.Floats(random, n, scale: 1));
        var plan = new RecurrentPlan(shape, Functions(shape), HostTarget.Current, row);
        using var arena = new GuardedArray<byte>(plan.ScratchBytes);
        using var weights = new GuardedArray<byte>(plan.WeightBytes);
        var y = new float[n];
        fixed (float* xs = x, rs = r, hs = h0, cs = c0, ps = p, bs = bias, ys = y)
        {
            plan.Pack(rs, (float*)weights.Pointer);
            var call = new RecurrentCall { Projected = xs, Weights = (float*)weights.Pointer, InitialState = hs, InitialCell = cs, Peepholes = ps, CandidateBias = bs, Y = ys, Clip = 0.8f };
            plan.Run(call, 0, plan.Tasks, arena.Bytes);
        }
        double Product(int gate, int j, Func<int, double> h) => Enumerable.Range(0, n).Sum(k => r[(gate * n + j) * n + k] * h(k));
        double Sum(int gate, int j) => x[gate * n + j] + Product(gate, j, k => h0[k]);
        static double Cut(double v) => Math.Clamp(v, -0.8f, 0.8f);
        static double S(double v) => 1 / (1 + Math.Exp(-Cut(v)));
        static double Th(double v) => Math.Tanh(Cut(v));
        var exact = Enumerable.Range(0, n).Select(j =>
        {
            if (cell == RecurrentCell.Rnn) return S(Sum(0, j));
            if (cell is RecurrentCell.Gru or RecurrentCell.GruResetFirst)
            {
                double Reset(int k) => S(Sum(1, k));
                var candidate = Th(x[2 * n + j] + (cell == RecurrentCell.Gru ? Reset(j) * (Product(2, j, k => h0[k]) + bias[j]) : Product(2, j, k => Reset(k) * h0[k])));
                return (1 - S(Sum(0, j))) * candidate + S(Sum(0, j)) * h0[j];
            }
            var i = S(Sum(0, j) + p[j] * c0[j]);
            var f = cell == RecurrentCell.LstmCoupled ? 1 - i : S(Sum(2, j) + p[2 * n + j] * c0[j]);
            var c = f * c0[j] + i * Th(Sum(3, j));
            return S(Sum(1, j) + p[n + j] * c) * Th(c);
        }).ToArray();
        Sweep.AssertClose(exact, y, 1e-6, 1e-6, $"{name} {cell}");
    }

    private static CellFunction[] Functions(RecurrentShape shape) => [.. Enumerable.Range(0, shape.Directions).SelectMany(_ => functions.Take(shape.Functions))];

    private static float[][] Run(RecurrentShape shape, RecurrentKernel row, int form, bool scattered)
    {
        var random = new Random(form);
        var (d, t, b, n) = (shape.Directions, shape.Length, shape.Batch, shape.Hidden);
        var plan = new RecurrentPlan(shape, Functions(shape), HostTarget.Current, row);
        using var x = new GuardedArray<float>(Sweep.Floats(random, (long)d * t * b * shape.Gates * n));
        using var r = new GuardedArray<float>(Sweep.Floats(random, (long)d * shape.Gates * n * n, scale: 1));
        using var h = new GuardedArray<float>(Sweep.Floats(random, d * b * n));
        using var c = new GuardedArray<float>(Sweep.Floats(random, d * b * n));
        using var p = new GuardedArray<float>(Sweep.Floats(random, 3 * d * n));
        using var bias = new GuardedArray<float>(Sweep.Floats(random, d * n));
        using var lengths = new GuardedArray<int>([.. Enumerable.Range(0, b).Select(i => (i * 7 + 1) % (t + 2) - (i == 3 ? 1 : 0))]);
        using var y = new GuardedArray<float>((long)d * t * b * n);
        using var lastH = new GuardedArray<float>(d * b * n);
        using var lastC = new GuardedArray<float>(d * b * n);
        using var weights = new GuardedArray<byte>(plan.WeightBytes);
        using var scratch = new GuardedArray<byte>(plan.ScratchBytes);
        plan.Pack(r.Pointer, (float*)weights.Pointer);
        var call = new RecurrentCall { Projected = x.Pointer, Weights = (float*)weights.Pointer, Y = y.Pointer, LastState = lastH.Pointer, LastCell = lastC.Pointer, Clip = form > 7 ? 2 : float.PositiveInfinity };
        if ((form & 4) != 0)
        {
            call.InitialState = h.Pointer;
            call.InitialCell = c.Pointer;
            call.Peepholes = p.Pointer;
            call.CandidateBias = bias.Pointer;
            call.Lengths = lengths.Pointer;
        }
        if (scattered) Sweep.Scattered(plan.Tasks, (first, end) => plan.Run(call, first, end, scratch.Bytes));
        else plan.Run(call, 0, plan.Tasks, scratch.Bytes);
        return [y.Span.ToArray(), lastH.Span.ToArray(), lastC.Span.ToArray()];
    }
}
