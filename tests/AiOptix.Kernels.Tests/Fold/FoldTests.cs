using AiOptix.Kernels.Fold;

namespace AiOptix.Kernels.Tests.Fold;

public unsafe class FoldTests
{
    public static TheoryData<string> Names => [.. FoldTable.Rows.Select(r => r.Name)];

    [SkippableTheory]
    [MemberData(nameof(Names))]
    public void Row_folds_with_the_bits_of_the_scalar_row(string name)
    {
        var row = FoldTable.Rows.Single(r => r.Name == name);
        Sweep.Require(row.Needs);
        var random = new Random(12);
        for (var trial = 0; trial < 200; trial++)
        {
            var channels = trial % 10 == 0 ? random.Next(4, 40) : random.Next(1, 4);
            var d = new FoldDescriptor(channels * random.Next(1, 3), channels, trial % 3 == 0 ? Axis(random, 4) : new(1, 1), Axis(random, 8), Axis(random, 50));
            var taps = (long)d.Depth.Taps * d.Height.Taps * d.Width.Taps;
            using var x = new GuardedArray<float>(Sweep.Floats(random, d.Planes * taps * d.Depth.Input * d.Height.Input * d.Width.Input));
            using var addends = new GuardedArray<float>(Sweep.Floats(random, channels));
            using var y = new GuardedArray<float>(d.Planes * d.Depth.Output * d.Height.Output * d.Width.Output);
            using var same = new GuardedArray<float>(y.Length);
            var plan = new FoldPlan(d, HostTarget.Current, row);
            using var scratch = new GuardedArray<byte>(plan.ScratchBytes);
            scratch.Span.Fill(0xFF);
            Sweep.Scattered(plan.Tasks, (first, end) => plan.Run(x.Pointer, addends.Pointer, y.Pointer, first, end, scratch.Pointer));
            var scalar = new FoldPlan(d, HostTarget.Current, FoldTable.Rows[^1]);
            scalar.Run(x.Pointer, addends.Pointer, same.Pointer, 0, scalar.Tasks, scratch.Pointer);
            Sweep.AssertSame(same.Span, y.Span, $"{name} {d}");
            var exact = Exact(d, x.Span, addends.Span);
            Sweep.AssertClose(exact, y.Span, 1e-6, 4e-6, $"{name} {d}");
            Last(d, row, x, addends, exact);
        }
    }

    /// <summary>The same columns with their channels last, in as many groups as there are channels or in one.</summary>
    private static void Last(FoldDescriptor d, FoldKernel row, GuardedArray<float> x, GuardedArray<float> addends, double[] exact)
    {
        var (images, taps, inputs) = (d.Planes / d.Channels, (long)d.Depth.Taps * d.Height.Taps * d.Width.Taps, (long)d.Depth.Input * d.Height.Input * d.Width.Input);
        foreach (var groups in new[] { 1, d.Channels })
        {
            var last = d with { Planes = images, IsLast = true, Groups = groups };
            using var turned = new GuardedArray<float>(x.Length);
            for (var i = 0; i < x.Length; i++)
            {
                var (rest, pixel) = Math.DivRem((long)i, inputs);
                var (plane, tap) = Math.DivRem(rest, taps);
                var (image, channel) = Math.DivRem(plane, d.Channels);
                var place = groups == 1 ? tap * d.Channels + channel : channel * taps + tap;
                turned.Pointer[(image * inputs + pixel) * taps * d.Channels + place] = x.Pointer[i];
            }
            using var y = new GuardedArray<float>(exact.Length);
            using var same = new GuardedArray<float>(exact.Length);
            var plan = new FoldPlan(last, HostTarget.Current, row);
            using var scratch = new GuardedArray<byte>(plan.ScratchBytes);
            Sweep.Scattered(plan.Tasks, (first, end) => plan.Run(turned.Pointer, addends.Pointer, y.Pointer, first, end, scratch.Pointer));
            var scalar = new FoldPlan(last, HostTarget.Current, FoldTable.Rows[^1]);
            scalar.Run(turned.Pointer, addends.Pointer, same.Pointer, 0, scalar.Tasks, scratch.Pointer);
            Sweep.AssertSame(same.Span, y.Span, $"{row.Name} {last}");
            var wide = last with { YPitch = d.Channels + 3 };
            using var among = new GuardedArray<float>(exact.Length / d.Channels * wide.YPitch);
            new FoldPlan(wide, HostTarget.Current, row).Run(turned.Pointer, addends.Pointer, among.Pointer, 0, plan.Tasks, scratch.Pointer);
            for (var i = 0; i < exact.Length; i++) Assert.Equal(y.Pointer[i], among.Pointer[i / d.Channels * wide.YPitch + i % d.Channels]);
            var pixels = exact.Length / d.Planes;
            Sweep.AssertClose([.. Enumerable.Range(0, exact.Length).Select(i => exact[(i / (pixels * d.Channels) * d.Channels + i % d.Channels) * pixels + i / d.Channels % pixels])], y.Span, 1e-6, 4e-6, $"{row.Name} {last}");
        }
    }

    private static FoldAxis Axis(Random random, int most)
    {
        var (input, taps, stride, dilation) = (random.Next(1, most), random.Next(1, 5), random.Next(1, 5), random.Next(1, 3));
        var whole = (input - 1) * stride + (taps - 1) * dilation + 1;
        var cut = random.Next(0, Math.Min(3, whole));
        return new(input, Math.Max(1, whole - cut - random.Next(0, 3)) + random.Next(0, 2), taps, stride, dilation, cut);
    }

    private static double[] Exact(FoldDescriptor d, ReadOnlySpan<float> x, ReadOnlySpan<float> addends)
    {
        var outputs = d.Depth.Output * d.Height.Output * d.Width.Output;
        var y = new double[d.Planes * outputs];
        for (var i = 0; i < y.Length; i++) y[i] = addends[(int)(i / outputs % d.Channels)];
        for (var i = 0; i < x.Length; i++)
        {
            var (rest, w) = Math.DivRem((long)i, d.Width.Input);
            (rest, var h) = Math.DivRem(rest, d.Height.Input);
            (rest, var z) = Math.DivRem(rest, d.Depth.Input);
            (rest, var tw) = Math.DivRem(rest, d.Width.Taps);
            (rest, var th) = Math.DivRem(rest, d.Height.Taps);
            (var plane, var tz) = Math.DivRem(rest, d.Depth.Taps);
            var (oz, oh, ow) = (To(d.Depth, z, tz), To(d.Height, h, th), To(d.Width, w, tw));
            if (oz >= 0 && oh >= 0 && ow >= 0) y[((plane * d.Depth.Output + oz) * d.Height.Output + oh) * d.Width.Output + ow] += x[i];
        }
        return y;
    }

    private static long To(FoldAxis a, long input, long tap)
    {
        var at = input * a.Stride + tap * a.Dilation - a.Cut;
        return at < a.Output ? at : -1;
    }
}
