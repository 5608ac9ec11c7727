using AiOptix.Kernels.Softmax;

namespace AiOptix.Kernels.Tests.Softmax;

public unsafe class SoftmaxTests
{
    public static TheoryData<string> Names => [.. SoftmaxTable.Rows.Select(r => r.Name)];

    [SkippableTheory]
    [MemberData(nameof(Names))]
    public void Row_is_softmax_with_the_bits_of_the_scalar_row(string name)
    {
        var row = SoftmaxTable.Rows.Single(r => r.Name == name);
        Sweep.Require(row.Needs);
        var random = new Random(5);
        foreach (var (outer, length, inner) in new (long, long, long)[] { (1, 1, 1), (3, 5, 1), (7, 16, 1), (150, 4, 1), (71, 6, 1), (2, 33, 1), (40, 1000, 1), (1, 5001, 1), (2, 7, 3), (3, 20, 16), (1, 300, 37), (5, 64, 100), (2, 3, 1), (30, 10, 200) })
            foreach (var logarithm in new[] { false, true })
            {
                var d = new SoftmaxDescriptor(logarithm, outer, length, inner);
                using var x = new GuardedArray<float>(Sweep.Floats(random, outer * length * inner, scale: 20));
                using var y = new GuardedArray<float>(x.Length);
                using var same = new GuardedArray<float>(x.Length);
                var plan = new SoftmaxPlan(d, HostTarget.Current, row);
                Sweep.Scattered(plan.Tasks, (first, end) => plan.Run(x.Pointer, y.Pointer, first, end));
                var scalar = new SoftmaxPlan(d, HostTarget.Current, SoftmaxTable.Rows[^1]);
                scalar.Run(x.Pointer, same.Pointer, 0, scalar.Tasks);
                Sweep.AssertSame(same.Span, y.Span, $"{name} {d}");
                Sweep.AssertClose(Exact(x.Span, d), y.Span, 4e-6, logarithm ? 4e-6 : 1e-42, $"{name} {d}");
                plan.Run(x.Pointer, x.Pointer, 0, plan.Tasks);
                Sweep.AssertSame(same.Span, x.Span, $"{name} {d} in place");
            }
    }

    [Fact]
    public void Infinities_and_nan()
    {
        float inf = float.PositiveInfinity;
        float[] Of(params float[] x)
        {
            var y = new float[x.Length];
            fixed (float* px = x, py = y) new SoftmaxPlan(new SoftmaxDescriptor(false, 1, x.Length, 1), HostTarget.Current).Run(px, py, 0, 1);
            return y;
        }
        Assert.All(Of(-inf, -inf, -inf), v => Assert.True(float.IsNaN(v)));
        Assert.All(Of(1, float.NaN, 2), v => Assert.True(float.IsNaN(v)));
        Assert.Equal([0.5f, 0, 0.5f], Of(3, -inf, 3));
    }

    private static double[] Exact(ReadOnlySpan<float> x, SoftmaxDescriptor d)
    {
        var y = new double[x.Length];
        for (long o = 0; o < d.Outer; o++)
            for (long c = 0; c < d.Inner; c++)
            {
                int At(long i) => (int)((o * d.Length + i) * d.Inner + c);
                var largest = double.NegativeInfinity;
                for (long i = 0; i < d.Length; i++) largest = Math.Max(largest, x[At(i)]);
                var sum = 0.0;
                for (long i = 0; i < d.Length; i++) sum += Math.Exp(x[At(i)] - largest);
                for (long i = 0; i < d.Length; i++) y[At(i)] = d.Logarithm ? x[At(i)] - largest - Math.Log(sum) : Math.Exp(x[At(i)] - largest) / sum;
            }
        return y;
    }
}
