using AiOptix.Kernels.Quantize;
using AiOptix.Tensors;

namespace AiOptix.Kernels.Tests.Quantize;

public unsafe class QuantizeTests
{
    public static TheoryData<string> Names => [.. QuantizeTable.Rows.Select(r => r.Name)];

    [SkippableTheory]
    [MemberData(nameof(Names))]
    public void Rows_give_the_bytes_of_the_last_row(string name)
    {
        var row = QuantizeTable.Rows.Single(r => r.Name == name);
        Sweep.Require(row.Needs);
        var last = QuantizeTable.Rows.Last(r => r.From == row.From && r.To == row.To);
        var random = new Random(6);
        foreach (var n in new[] { 0, 1, 15, 16, 33, 47, 1001 })
            foreach (var (scale, zero) in new[] { (0.013f, 0), (1f, 127), (100f, 3) })
            {
                using var x = new GuardedArray<byte>(n * (row.From.Bits() / 8));
                using var y = new GuardedArray<byte>(n * (row.To.Bits() / 8));
                using var same = new GuardedArray<byte>(y.Length);
                random.NextBytes(x.Span);
                if (row.From == DType.Float32) Sweep.Floats(random, n, specials: true, scale: n % 2 == 0 ? 3f : 5e9f).CopyTo(new Span<float>(x.Pointer, n));
                row.Run(x.Pointer, y.Pointer, n, scale, zero);
                last.Run(x.Pointer, same.Pointer, n, scale, zero);
                Assert.True(y.Span.SequenceEqual(same.Span), $"{name} n={n} scale={scale}");
            }
    }

    [Fact]
    public void Ties_go_to_even_and_sums_are_cut_off()
    {
        float[] x = [0.5f, 1.5f, -0.5f, -1.5f, 1000, -1000, float.NaN, float.PositiveInfinity, float.NegativeInfinity];
        Assert.Equal([10, 12, 10, 8, 127, -128, 10, 127, -128], Run<sbyte>(DType.Int8, x, 10));
        Assert.Equal([10, 12, 10, 8, 255, 0, 10, 255, 0], Run<byte>(DType.UInt8, x, 10));
    }

    [Fact]
    public void Entries_of_an_axis_have_scales_of_their_own()
    {
        var plan = new QuantizePlan(new(12, 3, 2), QuantizeTable.Select(DType.UInt8, DType.Float32, HostTarget.Current)!.Value);
        byte[] x = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12], zeros = [0, 3, 1];
        float[] scales = [1, 2, 0.5f], y = new float[12];
        fixed (byte* px = x, pz = zeros)
        fixed (float* ps = scales, py = y) plan.Run(px, ps, pz, (byte*)py, 0, plan.Tasks);
        Assert.Equal([1f, 2, 0, 2, 2, 2.5f, 7, 8, 12, 14, 5, 5.5f], y);
    }

    private static T[] Run<T>(DType type, float[] x, int zero) where T : unmanaged
    {
        var y = new T[x.Length];
        var row = QuantizeTable.Select(DType.Float32, type, HostTarget.Current)!.Value;
        fixed (float* px = x)
        fixed (T* py = y) row.Run((byte*)px, (byte*)py, x.Length, 1, zero);
        return y;
    }
}
