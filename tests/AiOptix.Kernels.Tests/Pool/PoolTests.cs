using AiOptix.Kernels.Pool;

namespace AiOptix.Kernels.Tests.Pool;

public unsafe class PoolTests
{
    public static TheoryData<string> Names => [.. PoolTable.Rows.Select(r => r.Name)];

    [SkippableTheory]
    [MemberData(nameof(Names))]
    public void Row_pools_every_window_with_the_bits_of_the_scalar_row(string name)
    {
        var row = PoolTable.Rows.Single(r => r.Name == name);
        Sweep.Require(row.Needs);
        var random = new Random(9);
        for (var trial = 0; trial < 150; trial++)
        {
            var rank = random.Next(1, 4);
            long[] Draw(int low, int high) => [.. Enumerable.Range(0, rank).Select(_ => (long)random.Next(low, high))];
            var (kernel, stride, dilation) = (Draw(1, 5), Draw(1, 4), Draw(1, 3));
            var input = Draw(1, rank switch { 1 => 90, 2 => 40, _ => 9 });
            var padBegin = kernel.Select(k => (long)random.Next((int)k)).ToArray();
            var padEnd = kernel.Select(k => (long)random.Next((int)k)).ToArray();
            var ceil = random.Next(2);
            var output = new long[rank];
            for (var k = 0; k < rank; k++)
            {
                var reach = (kernel[k] - 1) * dilation[k] + 1;
                if (input[k] + padBegin[k] + padEnd[k] < reach) input[k] = reach;
                output[k] = (input[k] + padBegin[k] + padEnd[k] - reach + ceil * (stride[k] - 1)) / stride[k] + 1;
                if (ceil == 1 && (output[k] - 1) * stride[k] >= input[k] + padBegin[k]) output[k]--;
            }
            var planes = trial % 20 == 0 ? 300 : random.Next(1, 4);
            var channels = trial % 2 == 0 ? 1 : random.Next(2, 90);
            var d = new PoolDescriptor(row.Max, planes, input, output, kernel, stride, dilation, padBegin, padEnd, random.Next(2) == 0, channels);
            if (channels > 1 && trial % 3 == 0) Pitched(d, row, random);

            using var x = new GuardedArray<float>(Sweep.Floats(random, planes * channels * Product(input)));
            using var y = new GuardedArray<float>(planes * channels * Product(output));
            using var same = new GuardedArray<float>(y.Length);
            var plan = new PoolPlan(d, HostTarget.Current, row);
            using var scratch = new GuardedArray<byte>(plan.ScratchBytes);
            scratch.Span.Fill(0xFF);
            Sweep.Scattered(plan.Tasks, (first, end) => plan.Run(x.Pointer, y.Pointer, first, end, scratch.Pointer));
            var scalar = new PoolPlan(d, HostTarget.Current, PoolTable.Rows.Last(r => r.Max == row.Max));
            scalar.Run(x.Pointer, same.Pointer, 0, scalar.Tasks, scratch.Pointer);
            var what = $"{name} in [{string.Join(',', input)}] k [{string.Join(',', kernel)}] s [{string.Join(',', stride)}] c {channels} d [{string.Join(',', dilation)}] p [{string.Join(',', padBegin)}]";
            Sweep.AssertSame(same.Span, y.Span, what);
            Sweep.AssertClose(Exact(d, x.Span), y.Span, 1e-6, row.Max ? 0 : 2e-6, what);
        }
    }

    /// <summary>A slice of channels read from among others and written to among others gives what a dense one gives, and nothing else is written.</summary>
    private static void Pitched(PoolDescriptor d, PoolKernel row, Random random)
    {
        var wide = d with { XPitch = d.Channels + random.Next(0, 5), YPitch = d.Channels + random.Next(1, 5) };
        var (inputs, outputs) = (d.Planes * Product(d.Input), d.Planes * Product(d.Output));
        using var x = new GuardedArray<float>(Sweep.Floats(random, inputs * d.Channels));
        using var y = new GuardedArray<float>(outputs * d.Channels);
        using var wideX = new GuardedArray<float>((inputs - 1) * wide.XPitch + d.Channels);
        using var wideY = new GuardedArray<float>(outputs * wide.YPitch);
        for (long i = 0; i < inputs; i++)
            for (long c = 0; c < d.Channels; c++) wideX.Pointer[i * wide.XPitch + c] = x.Pointer[i * d.Channels + c];
        wideY.Span.Fill(7);
        var (plan, widePlan) = (new PoolPlan(d, HostTarget.Current, row), new PoolPlan(wide, HostTarget.Current, row));
        plan.Run(x.Pointer, y.Pointer, 0, plan.Tasks, null);
        widePlan.Run(wideX.Pointer, wideY.Pointer, 0, widePlan.Tasks, null);
        for (long i = 0; i < outputs; i++)
            for (long c = 0; c < wide.YPitch; c++)
                Assert.Equal(BitConverter.SingleToInt32Bits(c < d.Channels ? y.Pointer[i * d.Channels + c] : 7), BitConverter.SingleToInt32Bits(wideY.Pointer[i * wide.YPitch + c]));
    }

    [Fact]
    public void Nan_reaches_every_window_that_holds_it()
    {
        var x = new float[] { 1, float.NaN, 2, 3, 4 };
        var y = new float[4];
        var plan = new PoolPlan(new PoolDescriptor(true, 1, [5], [4], [2], [1], [1], [0], [0], false), HostTarget.Current);
        var scratch = new byte[plan.ScratchBytes];
        fixed (float* px = x, py = y)
        fixed (byte* ps = scratch) plan.Run(px, py, 0, plan.Tasks, ps);
        Assert.Equal([float.NaN, float.NaN, 3, 4], y);
    }

    private static long Product(long[] dims) => dims.Aggregate(1L, (a, b) => a * b);

    private static double[] Exact(PoolDescriptor d, ReadOnlySpan<float> x)
    {
        var (inputs, outputs, window) = (Product(d.Input), Product(d.Output), Product(d.Kernel));
        var y = new double[d.Planes * outputs * d.Channels];
        for (var n = 0; n < y.Length; n++)
        {
            double sum = 0, largest = double.NegativeInfinity, count = 0;
            for (long w = 0; w < window; w++)
            {
                long o = n / d.Channels % outputs, k = w, at = 0, stride = 1;
                bool inside = true, counted = true;
                for (var a = d.Input.Length - 1; a >= 0; a--)
                {
                    var i = o % d.Output[a] * d.Stride[a] - d.PadBegin[a] + k % d.Kernel[a] * d.Dilation[a];
                    o /= d.Output[a];
                    k /= d.Kernel[a];
                    inside &= i >= 0 && i < d.Input[a];
                    counted &= i < d.Input[a] + d.PadEnd[a];
                    at += i * stride;
                    stride *= d.Input[a];
                }
                if (inside || (d.CountIncludePad && counted)) count++;
                if (!inside) continue;
                var v = x[(int)((n / d.Channels / outputs * inputs + at) * d.Channels + n % d.Channels)];
                sum += v;
                largest = Math.Max(largest, v);
            }
            y[n] = d.Max ? largest : sum / count;
        }
        return y;
    }
}
