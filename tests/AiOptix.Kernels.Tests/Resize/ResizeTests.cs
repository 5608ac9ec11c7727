using AiOptix.Kernels.Resize;

namespace AiOptix.Kernels.Tests.Resize;

public unsafe class ResizeTests
{
    public static TheoryData<string> Names => [.. ResizeTable.Rows.Select(r => r.Name)];

    [SkippableTheory]
    [MemberData(nameof(Names))]
    public void Row_resizes_with_the_bits_of_the_scalar_row(string name)
    {
        var row = ResizeTable.Rows.Single(r => r.Name == name);
        Sweep.Require(row.Needs);
        var random = new Random(11);
        for (var trial = 0; trial < 150; trial++)
        {
            var d = new ResizeDescriptor(random.Next(1, 4), Axis(random), Axis(random), random.Next(3) == 0 ? random.Next(1, 40) : 1);
            using var x = new GuardedArray<float>(Sweep.Floats(random, d.Outer * d.Rows.Input * d.Columns.Input * d.Inner));
            using var y = new GuardedArray<float>(d.Outer * d.Rows.Output * d.Columns.Output * d.Inner);
            using var same = new GuardedArray<float>(y.Length);
            var plan = new ResizePlan(d, HostTarget.Current, row);
            using var scratch = new GuardedArray<byte>(plan.ScratchBytes);
            scratch.Span.Fill(0xFF);
            Sweep.Scattered(plan.Tasks, (first, end) => plan.Run(x.Pointer, y.Pointer, first, end, scratch.Pointer));
            var scalar = new ResizePlan(d, HostTarget.Current, ResizeTable.Rows[^1]);
            scalar.Run(x.Pointer, same.Pointer, 0, scalar.Tasks, scratch.Pointer);
            var what = $"{name} {d.Rows.Input}x{d.Columns.Input}x{d.Inner} to {d.Rows.Output}x{d.Columns.Output}, {d.Rows.Taps} and {d.Columns.Taps} taps";
            Sweep.AssertSame(same.Span, y.Span, what);
            Sweep.AssertClose(Exact(d, x.Span), y.Span, 1e-7, 0, what);
        }
    }

    private static ResizeTaps Axis(Random random)
    {
        var (input, taps) = (random.Next(1, 30), random.Next(0, 6));
        if (taps == 0) return ResizeTaps.Identity(input);
        var output = random.Next(1, 60);
        var positions = new int[output * taps];
        for (var i = 0; i < output; i++)
        {
            var first = (int)((long)i * input / output) - taps / 2;
            for (var t = 0; t < taps; t++) positions[i * taps + t] = Math.Clamp(first + t, 0, input - 1);
        }
        return new(input, output, taps, positions, [.. positions.Select(_ => random.Next(4) == 0 ? 1.0 : random.NextDouble())]);
    }

    private static double[] Exact(ResizeDescriptor d, ReadOnlySpan<float> x)
    {
        var y = new double[d.Outer * d.Rows.Output * d.Columns.Output * d.Inner];
        for (var i = 0; i < y.Length; i++)
        {
            var (rest, inner) = Math.DivRem(i, d.Inner);
            (rest, var column) = Math.DivRem(rest, d.Columns.Output);
            (var outer, var row) = Math.DivRem(rest, d.Rows.Output);
            foreach (var (r, u) in Terms(d.Rows, (int)row))
                foreach (var (c, v) in Terms(d.Columns, (int)column))
                    y[i] += u * v * x[(int)(((outer * d.Rows.Input + r) * d.Columns.Input + c) * d.Inner + inner)];
        }
        return y;
    }

    private static IEnumerable<(int Position, double Weight)> Terms(ResizeTaps axis, int at) => axis.IsIdentity
        ? [(at, 1)]
        : Enumerable.Range(at * axis.Taps, axis.Taps).Select(i => (axis.Positions[i], axis.Weights[i]));
}
