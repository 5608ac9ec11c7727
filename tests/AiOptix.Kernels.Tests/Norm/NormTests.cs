using AiOptix.Kernels.Norm;

namespace AiOptix.Kernels.Tests.Norm;

public unsafe class NormTests
{
    public static TheoryData<string> Names => [.. NormTable.Rows.Select(r => r.Name)];

    [SkippableTheory]
    [MemberData(nameof(Names))]
    public void Layer_norm_in_all_its_forms(string name)
    {
        var row = NormTable.Rows.Single(r => r.Name == name);
        Sweep.Require(row.Needs);
        var random = new Random(3);
        foreach (var (rows, n) in new (long, long)[] { (1, 1), (3, 7), (5, 16), (2, 63), (4, 65), (40, 768), (3, 2500) })
            for (var form = 0; form < 64; form += n > 100 ? 9 : 1)
            {
                bool Has(int bit) => (form >> bit & 1) != 0;
                using var x = new GuardedArray<float>(Sweep.Floats(random, rows * n));
                using var residual = new GuardedArray<float>(Sweep.Floats(random, rows * n));
                using var residualBias = new GuardedArray<float>(Sweep.Floats(random, n));
                using var scale = new GuardedArray<float>(Sweep.Floats(random, n));
                using var bias = new GuardedArray<float>(Sweep.Floats(random, n));
                using var y = new GuardedArray<float>(rows * n);
                using var sum = new GuardedArray<float>(rows * n);
                using var same = new GuardedArray<float>(rows * n);
                var args = new NormArgs { X = x.Pointer, Y = y.Pointer };
                if (Has(0)) args.Residual = residual.Pointer;
                if (Has(1)) args.ResidualBias = residualBias.Pointer;
                if (Has(2)) args.Scale = scale.Pointer;
                if (Has(3)) args.Bias = bias.Pointer;
                if (Has(4)) args.Sum = sum.Pointer;
                var centred = !Has(5);
                var plan = new LayerNormPlan(rows, n, 1e-5f, centred, HostTarget.Current, row);
                Sweep.Scattered(plan.Tasks, (first, end) =>
                {
                    var a = args;
                    plan.Run(&a, first, end);
                });
                var scalarArgs = args;
                scalarArgs.Y = same.Pointer;
                var scalar = new LayerNormPlan(rows, n, 1e-5f, centred, HostTarget.Current, NormTable.Rows[^1]);
                scalar.Run(&scalarArgs, 0, scalar.Tasks);
                var what = $"{name} {rows}x{n} form {form}";
                Sweep.AssertSame(same.Span, y.Span, what);
                var exact = new double[rows * n];
                for (long r = 0; r < rows; r++)
                {
                    var s = Enumerable.Range(0, (int)n).Select(i =>
                    {
                        var v = x.Pointer[r * n + i];
                        if (Has(0)) v += residual.Pointer[r * n + i];
                        if (Has(1)) v += residualBias.Pointer[i];
                        if (Has(4) && (Has(0) || Has(1))) Assert.Equal(v, sum.Pointer[r * n + i]);
                        return (double)v;
                    }).ToArray();
                    Normalise(s, 0, s.Length, 1e-5f, centred);
                    for (var i = 0; i < n; i++) exact[r * n + i] = s[i] * (Has(2) ? scale.Pointer[i] : 1) + (Has(3) ? bias.Pointer[i] : 0);
                }
                Sweep.AssertClose(exact, y.Span, 1e-6, n == 1 ? 1e-3 : 8e-6, what);
            }
    }

    [SkippableTheory]
    [MemberData(nameof(Names))]
    public void Group_norm_and_channel_affine(string name)
    {
        var row = NormTable.Rows.Single(r => r.Name == name);
        Sweep.Require(row.Needs);
        var random = new Random(4);
        foreach (var (batch, channels, groups, spatial) in new (long, long, long, long)[] { (1, 4, 2, 5), (2, 6, 6, 33), (3, 8, 1, 100), (1, 150, 150, 600), (2, 132, 3, 7), (2, 32, 8, 1), (4, 16, 4, 400) })
        {
            var count = batch * channels * spatial;
            using var x = new GuardedArray<float>(Sweep.Floats(random, count));
            using var scale = new GuardedArray<float>(Sweep.Floats(random, channels));
            using var bias = new GuardedArray<float>(Sweep.Floats(random, channels));
            using var y = new GuardedArray<float>(count);
            using var same = new GuardedArray<float>(count);
            var plan = new GroupNormPlan(batch, channels, groups, spatial, 1e-3f, HostTarget.Current, row);
            Sweep.Scattered(plan.Tasks, (first, end) =>
            {
                var a = new NormArgs { X = x.Pointer, Y = y.Pointer, Scale = scale.Pointer, Bias = bias.Pointer };
                plan.Run(&a, first, end);
            });
            var scalarArgs = new NormArgs { X = x.Pointer, Y = same.Pointer, Scale = scale.Pointer, Bias = bias.Pointer };
            var scalar = new GroupNormPlan(batch, channels, groups, spatial, 1e-3f, HostTarget.Current, NormTable.Rows[^1]);
            scalar.Run(&scalarArgs, 0, scalar.Tasks);
            Sweep.AssertSame(same.Span, y.Span, $"{name} group norm");
            var exact = x.Span.ToArray().Select(v => (double)v).ToArray();
            var size = (int)(channels / groups * spatial);
            for (var r = 0; r < batch * groups; r++) Normalise(exact, r * size, size, 1e-3f, centred: true);
            for (var i = 0; i < count; i++) exact[i] = exact[i] * scale.Pointer[i / spatial % channels] + bias.Pointer[i / spatial % channels];
            Sweep.AssertClose(exact, y.Span, 1e-6, 8e-6, $"{name} group norm");

            // The same with channels last.
            long Last(long i) => i / (channels * spatial) * (channels * spatial) + i % spatial * channels + i / spatial % channels;
            using var turned = new GuardedArray<float>(count);
            for (long i = 0; i < count; i++) turned.Pointer[Last(i)] = x.Pointer[i];
            var last = new GroupNormLastPlan(batch, channels, groups, spatial, 1e-3f, HostTarget.Current, row);
            using var scratch = new GuardedArray<byte>(last.ScratchBytes);
            Sweep.Scattered(last.Tasks, (first, end) =>
            {
                var a = new NormArgs { X = turned.Pointer, Y = y.Pointer, Scale = scale.Pointer, Bias = bias.Pointer };
                last.Run(&a, first, end, scratch.Pointer);
            });
            scalarArgs.X = turned.Pointer;
            var scalarLast = new GroupNormLastPlan(batch, channels, groups, spatial, 1e-3f, HostTarget.Current, NormTable.Rows[^1]);
            scalarLast.Run(&scalarArgs, 0, scalarLast.Tasks, scratch.Pointer);
            Sweep.AssertSame(same.Span, y.Span, $"{name} group norm, channels last");
            Sweep.AssertClose([.. Enumerable.Range(0, (int)count).OrderBy(i => Last(i)).Select(i => exact[i])], y.Span, 1e-6, 8e-6, $"{name} group norm, channels last");

            var affine = new ChannelAffinePlan(batch, channels, spatial, HostTarget.Current, row);
            Sweep.Scattered(affine.Tasks, (first, end) => affine.Run(x.Pointer, scale.Pointer, bias.Pointer, y.Pointer, first, end));
            for (var i = 0; i < count; i++) exact[i] = (double)x.Pointer[i] * scale.Pointer[i / spatial % channels] + bias.Pointer[i / spatial % channels];
            Sweep.AssertClose(exact, y.Span, 1e-7, 2e-6, $"{name} affine");
        }
    }

    private static void Normalise(double[] x, int start, int n, float epsilon, bool centred)
    {
        var row = x.AsSpan(start, n);
        double mean = 0, square = 0;
        if (centred)
        {
            foreach (var v in row) mean += v;
            mean /= n;
        }
        foreach (var v in row) square += (v - mean) * (v - mean);
        for (var i = 0; i < n; i++) row[i] = (row[i] - mean) / Math.Sqrt(square / n + epsilon);
    }
}
