using AiOptix.Kernels.Pool;

namespace AiOptix.Kernels.Tests.Pool;

/// <summary>Max pooling of bytes with their channels last: the same bytes as the float32 pooling of the same numbers.</summary>
public unsafe class BytePoolTests
{
    public static TheoryData<string> Names => [.. BytePoolTable.Rows.Select(r => r.Name)];

    [SkippableTheory]
    [MemberData(nameof(Names))]
    public void Rows_give_what_float32_gives(string name)
    {
        var row = BytePoolTable.Rows.Single(r => r.Name == name);
        Sweep.Require(row.Needs);
        foreach (var channels in new[] { 2, 16, 37, 64, 130 })
            foreach (var isSigned in new[] { false, true })
            {
                Check(row, new(true, 2, [7, 9], [4, 9], [3, 2], [2, 1], [1, 1], [1, 1], [1, 0], false, channels), isSigned);
                Check(row, new(true, 1, [11], [4], [3], [3], [2], [2], [2], false, channels, channels + 3, channels + 5), isSigned);
                Check(row, new(true, 1, [3, 4, 5], [2, 3, 4], [2, 2, 2], [1, 1, 1], [1, 1, 1], [0, 0, 0], [0, 0, 0], false, channels), isSigned);
                Check(row, new(true, 1, [4], [3], [1], [3], [1], [2], [2], false, channels), isSigned);
            }
    }

    private static void Check(BytePoolKernel row, PoolDescriptor d, bool isSigned)
    {
        long pixels = d.Planes * d.Input.Aggregate(1L, (a, b) => a * b), outputs = d.Planes * d.Output.Aggregate(1L, (a, b) => a * b);
        long xPitch = Math.Max(d.XPitch, d.Channels), yPitch = Math.Max(d.YPitch, d.Channels);
        using var x = new GuardedArray<byte>((pixels - 1) * xPitch + d.Channels);
        using var y = new GuardedArray<byte>((outputs - 1) * yPitch + d.Channels);
        using var numbers = new GuardedArray<float>(x.Length);
        using var expected = new GuardedArray<float>(y.Length);
        new Random(4).NextBytes(x.Span);
        y.Span.Fill(77);
        expected.Span.Fill(77);
        for (var i = 0; i < x.Length; i++) numbers.Span[i] = isSigned ? (sbyte)x.Span[i] : x.Span[i];
        var plan = new BytePoolPlan(d, isSigned, row);
        Sweep.Scattered(plan.Tasks, (from, to) => plan.Run(x.Pointer, y.Pointer, from, to));
        var reference = new PoolPlan(d, HostTarget.Current, PoolTable.Rows.Last(r => r.Max));
        reference.Run(numbers.Pointer, expected.Pointer, 0, reference.Tasks, null);
        for (var i = 0; i < y.Length; i++)
        {
            var number = float.IsNegativeInfinity(expected.Span[i]) ? (isSigned ? -128 : 0) : (int)expected.Span[i];
            Assert.Equal((byte)number, y.Span[i]);
        }
    }
}
