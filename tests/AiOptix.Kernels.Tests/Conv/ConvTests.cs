using AiOptix.Kernels.Conv;
using AiOptix.Kernels.Vectors;
using AiOptix.Tensors;

namespace AiOptix.Kernels.Tests.Conv;

public unsafe class ConvTests
{
    public static TheoryData<int> DirectRows => [.. Enumerable.Range(0, ConvTable.Rows.Count).Where(r => ConvTable.Rows[r].IsDirect)];

    public static TheoryData<int> OtherRows => [.. Enumerable.Range(0, ConvTable.Rows.Count).Where(r => !ConvTable.Rows[r].IsDirect)];

    private static ConvKernel Row(int row)
    {
        var kernel = ConvTable.Rows[row];
        Skip.IfNot(HostTarget.Current.Has(kernel.Isa), $"{kernel.Name} needs {kernel.Isa}");
        return kernel;
    }

    private static ConvAxis Axis(Random random, int most) => new(random.Next(1, most), random.Next(1, 5), random.Next(1, 4), random.Next(1, 3), random.Next(0, 4), random.Next(0, 4));

    private static ConvShape Shape(Random random, int i)
    {
        int groups = random.Next(1, 4), inner = random.Next(1, 6), outer = random.Next(1, 7);
        var axes = (Axis(random, 5), Axis(random, 12), Axis(random, 40));
        if (i % 3 > 0) axes.Item1 = ConvAxis.None;
        if (i % 5 == 0) axes.Item2 = ConvAxis.None;
        if (i % 4 == 1) axes = (ConvAxis.None, new(random.Next(1, 9)), new(random.Next(1, 50)));
        if (i % 6 == 2) (groups, inner, outer) = (random.Next(2, i % 4 == 0 ? 6 : 50), 1, i % 12 == 2 ? 1 : random.Next(1, 3));
        if (i % 6 == 2) axes.Item1 = ConvAxis.None;
        if (i % 10 == 3) (groups, outer, axes) = (1, random.Next(1, 80), (ConvAxis.None, new(3, 3), new(2, 2)));
        if (i % 10 == 4) (groups, inner, outer, axes) = (1, 70, 30, (ConvAxis.None, new(9, 3, 1, 1, 1, 1), new(9, 3, 1, 1, 1, 1)));
        if (i % 10 is 5 or 7)
        {
            var (taps, dilation, stride) = (random.Next(2, 4), random.Next(1, 3), random.Next(1, 3));
            int[] widths = [24, 31, 32, 40, 47, 56, 64, 72];
            (inner, outer) = (i % 20 == 5 ? 40 : random.Next(2, 6), random.Next(2, 30));
            var width = widths[random.Next(widths.Length)];
            axes = (ConvAxis.None, new(random.Next(3, 9), taps, stride, 1, 1, 1), new(width, taps, 1, dilation, (taps - 1) * dilation / 2, (taps - 1) * dilation - (taps - 1) * dilation / 2));
        }
        if (i % 12 is 8 or 9) (groups, inner, outer) = (random.Next(16, 80), 1, 1);
        if (i % 15 == 14)
        {
            (groups, inner, outer) = (1, 16 * random.Next(2, 7), random.Next(32, 100));
            axes = (random.Next(4) == 0 ? new(2) : ConvAxis.None, Three(), Three());
        }
        if (i % 12 == 6 && i % 15 != 14)
        {
            // Few output channels, wide lines; drawn apart, so that the other cases stay what they are.
            var own = new Random(i);
            (groups, inner, outer) = (1, own.Next(8, 24), own.Next(1, 6));
            axes = (own.Next(4) == 0 ? new(2) : ConvAxis.None, new(own.Next(5, 9), own.Next(2, 4), own.Next(1, 3), own.Next(1, 3), own.Next(0, 4), own.Next(0, 4)),
                new(own.Next(20, 50), own.Next(2, 6), 1, own.Next(1, 3), own.Next(0, 4), own.Next(0, 4)));
        }
        ConvAxis Three() => new(random.Next(14, 24), 3, 1, 1, random.Next(0, 3), random.Next(0, 3));
        int Wider(int channels) => channels + random.Next(0, 2) * random.Next(1, 5);
        var shape = new ConvShape(random.Next(1, 3), groups * inner, groups * outer, groups, axes.Item1, axes.Item2, axes.Item3);
        shape = shape with { YPitch = Wider(shape.OutputChannels), ResidualPitch = Wider(shape.OutputChannels) };
        return i % 9 == 4 ? shape with { ReadsChannelsFirst = true } : shape with { XPitch = Wider(shape.Channels) };
    }

    private const int Cases = 300;

    private sealed class Case(Random random, ConvShape shape, bool bias, bool residual, Activation activation) : IDisposable
    {
        private readonly GuardedBuffer x = Fill(random, shape.ReadsChannelsFirst ? (long)shape.Batch * shape.Channels * shape.InputPixels : Floats(shape.Batch * shape.InputPixels, shape.XPitch, shape.Channels));
        private readonly GuardedBuffer w = Fill(random, (long)shape.OutputChannels * shape.Terms);
        private readonly GuardedBuffer biases = Fill(random, shape.OutputChannels);
        private readonly GuardedBuffer residuals = Fill(random, Outputs(shape, shape.ResidualPitch));

        public float[] Run(ConvKernel kernel, int tasksAtOnce, Target? target = null)
        {
            var plan = kernel.Plan(shape, target ?? HostTarget.Current);
            using var packed = new GuardedBuffer(plan.PackedWeightBytes / 4);
            using var scratch = new GuardedBuffer(plan.ScratchBytes / 4);
            using var y = new GuardedBuffer(Outputs(shape, shape.YPitch));
            y.Span.Fill(float.NaN);
            scratch.Span.Fill(float.NaN);
            plan.PackWeights(w.Pointer, packed.Pointer);
            var call = new ConvCall
            {
                X = x.Pointer, PackedWeights = packed.Pointer, Y = y.Pointer, Bias = bias ? biases.Pointer : null, Residual = residual ? residuals.Pointer : null,
                Activation = activation, Args = new(0.2f, 1.3f),
            };
            for (var task = plan.Tasks - 1; task >= 0; task -= tasksAtOnce) plan.Run(call, Math.Max(0, task - tasksAtOnce + 1), task + 1, (byte*)scratch.Pointer);
            return y.Span.ToArray();
        }

        /// <summary>Sums in f64, scattered from the input: a loop order of its own.</summary>
        public double[] Exact()
        {
            var y = new double[Outputs(shape, shape.YPitch)];
            for (var n = 0; n < shape.Batch; n++)
            for (var o = 0; o < shape.OutputChannels; o++)
            for (var c = 0; c < shape.GroupChannels; c++)
            for (var z = 0; z < shape.Depth.Output; z++)
            for (var i = 0; i < shape.Height.Output; i++)
            for (var j = 0; j < shape.Width.Output; j++)
            for (var t = 0; t < shape.Taps; t++)
            {
                var iz = z * shape.Depth.Stride - shape.Depth.PadBegin + t / (shape.Width.Kernel * shape.Height.Kernel) * shape.Depth.Dilation;
                var ii = i * shape.Height.Stride - shape.Height.PadBegin + t / shape.Width.Kernel % shape.Height.Kernel * shape.Height.Dilation;
                var ij = j * shape.Width.Stride - shape.Width.PadBegin + t % shape.Width.Kernel * shape.Width.Dilation;
                if (iz < 0 || ii < 0 || ij < 0 || iz >= shape.Depth.Input || ii >= shape.Height.Input || ij >= shape.Width.Input) continue;
                var channel = o / shape.GroupOutputs * shape.GroupChannels + c;
                var (place, at) = ((iz * shape.Height.Input + ii) * shape.Width.Input + ij, (z * shape.Height.Output + i) * shape.Width.Output + j);
                var from = shape.ReadsChannelsFirst ? (n * shape.Channels + channel) * shape.InputPixels + place : (n * shape.InputPixels + place) * shape.XPitch + channel;
                var to = (n * shape.OutputPixels + at) * shape.YPitch + o;
                y[to] += (double)x.Span[from] * w.Span[o * shape.Terms + c * shape.Taps + t];
            }
            return y;
        }

        public void Dispose()
        {
            foreach (var buffer in (GuardedBuffer[])[x, w, biases, residuals]) buffer.Dispose();
        }

        private static long Floats(long pixels, long pitch, long channels) => pixels == 0 ? 0 : (pixels - 1) * pitch + channels;

        private static long Outputs(ConvShape shape, int pitch) => Floats((long)shape.Batch * shape.OutputPixels, pitch, shape.OutputChannels);

        private static GuardedBuffer Fill(Random random, long n)
        {
            var buffer = new GuardedBuffer(n);
            foreach (ref var v in buffer.Span) v = random.NextSingle() - 0.5f;
            return buffer;
        }
    }

    [SkippableTheory]
    [MemberData(nameof(DirectRows))]
    public void Every_direct_row_gives_the_bits_of_the_scalar_reference(int row)
    {
        var kernel = Row(row);
        var random = new Random(11);
        var suited = 0;
        for (var i = 0; i < Cases; i++)
        {
            var shape = Shape(random, i);
            using var test = new Case(random, shape, random.Next(2) == 0, random.Next(2) == 0, (Activation)random.Next(4));
            if (!kernel.Suits(shape)) continue;
            suited++;
            var want = test.Run(ConvTable.Rows[^1], int.MaxValue / 2);
            var got = test.Run(kernel, random.Next(1, 4));
            for (var j = 0; j < want.Length; j++)
                Assert.True(BitConverter.SingleToInt32Bits(want[j]) == BitConverter.SingleToInt32Bits(got[j]), $"{kernel.Name} {shape}: [{j}] = {got[j]:R}, reference {want[j]:R}");
        }
        Assert.True(suited >= 10, $"{kernel.Name} met only {suited} shapes");
    }

    [SkippableTheory]
    [MemberData(nameof(OtherRows))]
    public void Every_other_row_holds_the_fp32_contract(int row)
    {
        var kernel = Row(row);
        var random = new Random(13);
        var suited = 0;
        for (var i = 0; i < Cases; i++)
        {
            var shape = Shape(random, i);
            if (!kernel.Suits(shape)) continue;
            suited++;
            using (var plain = new Case(random, shape, false, false, Activation.None))
            {
                double[] exact = plain.Exact();
                double Error(ConvKernel k) => Math.Sqrt(plain.Run(k, random.Next(1, 4)).Zip(exact).Where(p => !float.IsNaN(p.First)).Average(p => (p.First - p.Second) * (p.First - p.Second)));
                double found = Error(kernel), direct = Error(ConvTable.Rows[^1]);
                Assert.True(found <= 4 * direct, $"{kernel.Name} {shape}: error {found:E2}, the direct kernel's {direct:E2}");
            }
            using var test = new Case(random, shape, random.Next(2) == 0, random.Next(2) == 0, (Activation)random.Next(6));
            float[] want = test.Run(ConvTable.Rows[^1], int.MaxValue / 2), got = test.Run(kernel, random.Next(1, 4));
            for (var j = 0; j < want.Length; j++)
                Assert.True(float.IsNaN(want[j]) ? float.IsNaN(got[j]) : Math.Abs(want[j] - got[j]) < 1e-4, $"{kernel.Name} {shape}: [{j}] = {got[j]:R}, reference {want[j]:R}");
        }
        Assert.True(suited >= 10, $"{kernel.Name} met only {suited} shapes");
    }

    [Fact]
    public void The_scalar_reference_agrees_with_f64()
    {
        var random = new Random(12);
        for (var i = 0; i < 100; i++)
        {
            var shape = Shape(random, i);
            using var test = new Case(random, shape, false, false, Activation.None);
            var want = test.Exact();
            var got = test.Run(ConvTable.Rows[^1], 7);
            for (var j = 0; j < want.Length; j++) Assert.True((float.IsNaN(got[j]) && want[j] == 0) || Math.Abs(got[j] - want[j]) <= 3e-6 * Math.Sqrt(shape.Terms), $"{shape}: [{j}] = {got[j]:R}, f64 {want[j]:R}");
        }
    }

    [SkippableTheory]
    [InlineData(1, 64, 64, 1, 28, 3, 1)]
    [InlineData(1, 96, 96, 96, 30, 3, 2)]
    [InlineData(2, 256, 128, 1, 14, 1, 1)]
    public void Task_grouping_does_not_change_bits(int batch, int channels, int outputs, int groups, int size, int taps, int stride)
    {
        var axis = new ConvAxis(size, taps, stride, 1, taps / 2, taps / 2);
        var shape = new ConvShape(batch, channels, outputs, groups, ConvAxis.None, axis, axis);
        using var test = new Case(new Random(1), shape, true, true, Activation.Relu);
        var kernel = ConvTable.Select(shape, HostTarget.Current);
        Assert.InRange(kernel.Plan(shape, HostTarget.Current).Tasks, 2, 128);
        Assert.Equal(test.Run(kernel, 1), test.Run(kernel, 1000));
        if (kernel.IsDirect) Assert.Equal(test.Run(kernel, 3), test.Run(ConvTable.Select(shape, HostTarget.Current.Cap(IsaCap.None)), 1));
    }

    [SkippableTheory]
    [MemberData(nameof(DirectRows))]
    public void Pixels_beyond_the_second_level_cache_give_the_bits_of_the_scalar_reference(int row)
    {
        var kernel = Row(row);
        var random = new Random(row);
        foreach (var (inputs, outputs, taps) in ((int, int, int)[])[(24, 8, 1), (17, 50, 1), (32, 16, 2)])
        {
            var axis = new ConvAxis(30, taps, taps);
            var shape = new ConvShape(1, inputs, outputs, 1, ConvAxis.None, axis, axis);
            if (!kernel.Suits(shape)) continue;
            using var test = new Case(random, shape, true, taps == 1, Activation.Relu);
            Assert.Equal(test.Run(ConvTable.Rows[^1], 1), test.Run(kernel, 2, HostTarget.Current with { L2Bytes = 16 << 10 }));
        }
    }

    [Fact]
    public void Selection_follows_shape_and_target()
    {
        var all = new Target((Isa)63);
        ConvAxis three = new(14, 3, 1, 1, 1, 1), one = new(1);
        Assert.StartsWith("conv_f32_winograd", ConvTable.Select(new(1, 64, 64, 1, ConvAxis.None, three, three), new Target((Isa)127)).Name, StringComparison.Ordinal);
        Assert.Equal("conv_f32_14x32_avx512_jit", ConvTable.Select(new(1, 64, 64, 1, ConvAxis.None, three with { Stride = 2 }, three), new Target((Isa)127)).Name);
        Assert.Equal("conv_f32_12x32_avx512", ConvTable.Select(new(1, 3, 24, 1, ConvAxis.None, three, three) { ReadsChannelsFirst = true }, all).Name);
        Assert.Equal("conv_f32_depthwise_14x16_avx512_jit", ConvTable.Select(new(1, 64, 64, 64, ConvAxis.None, three, three), new Target((Isa)127)).Name);
        Assert.StartsWith("conv_f32_depthwise_", ConvTable.Select(new(1, 64, 64, 64, ConvAxis.None, three, three), all.Cap(IsaCap.Avx2)).Name, StringComparison.Ordinal);
        Assert.Equal("conv_f32_depthwise_avx2", ConvTable.Select(new(1, 8, 8, 8, ConvAxis.None, three, three), all).Name);
        Assert.Equal("conv_f32_4x8_v128", ConvTable.Select(new(1, 64, 64, 1, ConvAxis.None, one, one), all.Cap(IsaCap.None)).Name);
        Assert.Equal(0, ConvPlan.Create(new(1, 4, 4, 1, ConvAxis.None, new(2, 5), new(2, 5)), all).Tasks);
    }
}
