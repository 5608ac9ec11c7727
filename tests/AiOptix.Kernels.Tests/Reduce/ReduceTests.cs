using AiOptix.Kernels.Reduce;

namespace AiOptix.Kernels.Tests.Reduce;

public unsafe class ReduceTests
{
    public static TheoryData<string> Names => [.. ReduceTable.Rows.Select(r => r.Name)];

    [SkippableTheory]
    [MemberData(nameof(Names))]
    public void Row_reduces_any_axes_with_the_bits_of_the_scalar_row(string name)
    {
        var row = ReduceTable.Rows.Single(r => r.Name == name);
        Sweep.Require(row.Needs);
        var last = ReduceTable.Rows.Last(r => r.Kind == row.Kind);
        var kinds = Enum.GetValues<ReduceKind>().Where(k => ReduceTable.Select(k, HostTarget.Current).Kind == row.Kind).ToArray();
        var random = new Random(5);
        for (var trial = 0; trial < 120; trial++)
        {
            var rank = random.Next(0, 6);
            var dims = new long[rank];
            for (var k = 0; k < rank; k++) dims[k] = random.Next(1, rank switch { 1 => 5000, 2 => 120, 3 => 40, _ => 7 });
            var reduced = dims.Select(_ => random.Next(2) == 0).ToArray();
            var d = new ReduceDescriptor(kinds[trial % kinds.Length], dims, reduced);
            Check(d, row, last, random, specials: trial % 5 == 0);
        }
    }

    [Fact]
    public void Large_reductions_split_into_tasks()
    {
        foreach (var reduced in new bool[][] { [false, true, false], [true, false, true], [false, false, true], [true, false, false] })
            foreach (var target in Sweep.Targets)
            {
                var d = new ReduceDescriptor(ReduceKind.Mean, [30, 70, 90], reduced);
                Check(d, ReduceTable.Select(d.Kind, target), ReduceTable.Rows.Last(r => r.Kind == ReduceKind.Sum), new Random(6), false);
                Assert.True(new ReducePlan(d, target).Tasks > 1);
            }
    }

    [Fact]
    public void Long_sums_stay_accurate()
    {
        var x = new float[3_000_001];
        Array.Fill(x, 0.1f);
        var y = 0f;
        fixed (float* p = x) new ReducePlan(new ReduceDescriptor(ReduceKind.Sum, [x.Length], [true]), HostTarget.Current).Run(p, &y, 0, 1);
        Assert.InRange(y / (3_000_001 * (double)0.1f), 1 - 2e-7, 1 + 2e-7);
    }

    [Fact]
    public void Nothing_reduces_to_the_identity()
    {
        float Of(ReduceKind kind)
        {
            var y = 5f;
            var plan = new ReducePlan(new ReduceDescriptor(kind, [1, 0], [false, true]), HostTarget.Current);
            plan.Run(null, &y, 0, plan.Tasks);
            return y;
        }
        Assert.Equal(0, Of(ReduceKind.Sum));
        Assert.Equal(1, Of(ReduceKind.Prod));
        Assert.Equal(float.NegativeInfinity, Of(ReduceKind.Max));
        Assert.Equal(float.PositiveInfinity, Of(ReduceKind.Min));
        Assert.Equal(float.NaN, Of(ReduceKind.Mean));
    }

    [Fact]
    public void Positions_of_extremes()
    {
        var random = new Random(8);
        for (var trial = 0; trial < 300; trial++)
        {
            var d = new ArgReduceDescriptor(trial % 2 == 0, trial % 4 < 2, random.Next(1, 5), random.Next(1, 40), trial % 3 == 0 ? 1 : random.Next(1, 150));
            var x = Sweep.Floats(random, d.Outer * d.Length * d.Inner, specials: trial % 3 == 1).Select(v => MathF.Round(v * 2)).ToArray();
            using var px = new GuardedArray<float>(x);
            using var py = new GuardedArray<long>(d.Outer * d.Inner);
            var plan = new ArgReducePlan(d);
            Sweep.Scattered(plan.Tasks, (first, end) => plan.Run(px.Pointer, py.Pointer, first, end));
            for (long o = 0; o < d.Outer; o++)
                for (long c = 0; c < d.Inner; c++)
                {
                    var column = Enumerable.Range(0, (int)d.Length).Select(i => x[(o * d.Length + i) * d.Inner + c]).ToArray();
                    if (d.Min) column = [.. column.Select(v => -v)];
                    var extreme = column.Any(float.IsNaN) ? float.NaN : column.Max();
                    var expected = d.Last ? Array.FindLastIndex(column, v => v.Equals(extreme) || v == extreme) : Array.FindIndex(column, v => v.Equals(extreme) || v == extreme);
                    Assert.Equal(expected, py.Pointer[o * d.Inner + c]);
                }
        }
    }

    private static void Check(ReduceDescriptor d, ReduceKernel row, ReduceKernel last, Random random, bool specials)
    {
        var count = d.Dims.Aggregate(1L, (a, b) => a * b);
        using var x = new GuardedArray<float>(Sweep.Floats(random, count, specials, d.Kind == ReduceKind.Prod ? 1.5f : 4));
        if (d.Kind == ReduceKind.LogSum)
            foreach (ref var v in x.Span) v = MathF.Abs(v);
        var plan = new ReducePlan(d, HostTarget.Current, row);
        using var y = new GuardedArray<float>(plan.Outputs);
        using var same = new GuardedArray<float>(plan.Outputs);
        Sweep.Scattered(plan.Tasks, (first, end) => plan.Run(x.Pointer, y.Pointer, first, end));
        var other = new ReducePlan(d, HostTarget.Current, last);
        other.Run(x.Pointer, same.Pointer, 0, other.Tasks);
        var what = $"{row.Name} {d.Kind} [{string.Join(',', d.Dims)}] over {string.Join(',', d.Reduced)}";
        Sweep.AssertSame(same.Span, y.Span, what);
        if (specials && d.Kind is not (ReduceKind.Max or ReduceKind.Min)) return;
        var expected = new double[plan.Outputs];
        var size = new double[plan.Outputs];
        Array.Fill(expected, d.Kind switch { ReduceKind.Prod => 1, ReduceKind.Max => double.NegativeInfinity, ReduceKind.Min => double.PositiveInfinity, _ => 0 });
        for (long n = 0; n < count; n++)
        {
            long rest = n, o = 0, stride = 1;
            for (var k = d.Dims.Length - 1; k >= 0; k--)
            {
                var i = rest % d.Dims[k];
                rest /= d.Dims[k];
                if (d.Reduced[k]) continue;
                o += i * stride;
                stride *= d.Dims[k];
            }
            double v = x.Pointer[n];
            ref var e = ref expected[o];
            e = d.Kind switch
            {
                ReduceKind.Prod => e * v,
                ReduceKind.Max => Math.Max(e, v),
                ReduceKind.Min => Math.Min(e, v),
                ReduceKind.SumSquare or ReduceKind.L2 => e + v * v,
                ReduceKind.L1 => e + Math.Abs(v),
                _ => e + v,
            };
            size[o] += Math.Abs(v) * (d.Kind == ReduceKind.Mean ? plan.Outputs / (double)count : 1);
        }
        for (var o = 0; o < expected.Length; o++)
        {
            var e = d.Kind switch
            {
                ReduceKind.Mean => expected[o] * plan.Outputs / count,
                ReduceKind.L2 => Math.Sqrt(expected[o]),
                ReduceKind.LogSum => Math.Log(expected[o]),
                _ => expected[o],
            };
            double a = y.Pointer[o];
            var bound = d.Kind is ReduceKind.Sum or ReduceKind.Mean ? 1e-6 * size[o] : 4e-6 * Math.Abs(e) + (d.Kind == ReduceKind.Prod ? 1e-38 : 1e-6);
            if (d.Kind == ReduceKind.Prod) bound += count * 1e-7 * Math.Abs(e);
            if ((double.IsNaN(e) && double.IsNaN(a)) || (float)e == a || Math.Abs(a - e) <= bound) continue;
            Assert.Fail($"{what}: output {o}: expected {e:R}, got {a:R}");
        }
    }
}
