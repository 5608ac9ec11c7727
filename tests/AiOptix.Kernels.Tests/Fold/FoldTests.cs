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
            var groups = random.Next(1, 3);
            var channels = groups * (trial % 10 == 0 ? random.Next(4, 40) : random.Next(1, 4));
            var d = new FoldDescriptor(random.Next(1, 3), channels, trial % 3 == 0 ? Axis(random, 4) : new(1, 1), Axis(random, 8), Axis(random, 50), groups, channels + random.Next(0, 4));
            var pixels = d.Images * d.Depth.Output * d.Height.Output * d.Width.Output;
            using var x = new GuardedArray<float>(Sweep.Floats(random, d.Images * Taps(d) * d.Depth.Input * d.Height.Input * d.Width.Input * channels));
            using var addends = new GuardedArray<float>(Sweep.Floats(random, channels));
            using var y = new GuardedArray<float>((pixels - 1) * d.YPitch + channels);
            using var same = new GuardedArray<float>(y.Length);
            y.Span.Fill(7);
            same.Span.Fill(7);
            var plan = new FoldPlan(d, HostTarget.Current, row);
            using var scratch = new GuardedArray<byte>(plan.ScratchBytes);
            scratch.Span.Fill(0xFF);
            Sweep.Scattered(plan.Tasks, (first, end) => plan.Run(x.Pointer, addends.Pointer, y.Pointer, first, end, scratch.Pointer));
            var scalar = new FoldPlan(d, HostTarget.Current, FoldTable.Rows[^1]);
            scalar.Run(x.Pointer, addends.Pointer, same.Pointer, 0, scalar.Tasks, scratch.Pointer);
            Sweep.AssertSame(same.Span, y.Span, $"{name} {d}");
            Sweep.AssertClose(Exact(d, x.Span, addends.Span, y.Length), y.Span, 1e-6, 4e-6, $"{name} {d}");
        }
    }

    private static long Taps(FoldDescriptor d) => (long)d.Depth.Taps * d.Height.Taps * d.Width.Taps;

    private static FoldAxis Axis(Random random, int most)
    {
        var (input, taps, stride, dilation) = (random.Next(1, most), random.Next(1, 5), random.Next(1, 5), random.Next(1, 3));
        var whole = (input - 1) * stride + (taps - 1) * dilation + 1;
        var cut = random.Next(0, Math.Min(3, whole));
        return new(input, Math.Max(1, whole - cut - random.Next(0, 3)) + random.Next(0, 2), taps, stride, dilation, cut);
    }

    private static double[] Exact(FoldDescriptor d, ReadOnlySpan<float> x, ReadOnlySpan<float> addends, long length)
    {
        var y = new double[length];
        for (long i = 0; i < length; i++) y[i] = i % d.YPitch < d.Channels ? addends[(int)(i % d.YPitch)] : 7;
        var channels = d.Channels / d.Groups;
        for (var i = 0; i < x.Length; i++)
        {
            var (rest, channel) = Math.DivRem((long)i, channels);
            (rest, var tw) = Math.DivRem(rest, d.Width.Taps);
            (rest, var th) = Math.DivRem(rest, d.Height.Taps);
            (rest, var tz) = Math.DivRem(rest, d.Depth.Taps);
            (rest, var group) = Math.DivRem(rest, d.Groups);
            (rest, var w) = Math.DivRem(rest, d.Width.Input);
            (rest, var h) = Math.DivRem(rest, d.Height.Input);
            (var image, var z) = Math.DivRem(rest, d.Depth.Input);
            var (oz, oh, ow) = (To(d.Depth, z, tz), To(d.Height, h, th), To(d.Width, w, tw));
            if (oz >= 0 && oh >= 0 && ow >= 0) y[(((image * d.Depth.Output + oz) * d.Height.Output + oh) * d.Width.Output + ow) * d.YPitch + group * channels + channel] += x[i];
        }
        return y;
    }

    private static long To(FoldAxis a, long input, long tap)
    {
        var at = input * a.Stride + tap * a.Dilation - a.Cut;
        return at < a.Output ? at : -1;
    }
}
