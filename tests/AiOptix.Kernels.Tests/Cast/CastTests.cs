using AiOptix.Kernels.Cast;
using AiOptix.Tensors;

namespace AiOptix.Kernels.Tests.Cast;

public unsafe class CastTests
{
    public static TheoryData<string> Names => [.. CastTable.Rows.Select(r => r.Name)];

    [Theory]
    [MemberData(nameof(Names))]
    public void Rows_give_the_bytes_of_the_last_row(string name)
    {
        var row = CastTable.Rows.Single(r => r.Name == name);
        var last = CastTable.Rows.Last(r => r.From == row.From && r.To == row.To);
        var random = new Random(6);
        foreach (var n in new[] { 0, 1, 5, 8, 13, 100, 1001 })
        {
            using var x = new GuardedArray<byte>(n * (row.From.Bits() / 8));
            using var y = new GuardedArray<byte>(n * (row.To.Bits() / 8));
            using var same = new GuardedArray<byte>(y.Length);
            random.NextBytes(x.Span);
            if (row.From == DType.Float32) Sweep.Floats(random, n, specials: true, scale: n % 2 == 0 ? 3e5f : 5e9f).CopyTo(new Span<float>(x.Pointer, n));
            if (row.From == DType.Bool) foreach (ref var b in x.Span) b &= 1;
            row.Run(x.Pointer, y.Pointer, n);
            last.Run(x.Pointer, same.Pointer, n);
            Assert.True(y.Span.SequenceEqual(same.Span), $"{name} n={n}");
        }
    }

    [Fact]
    public void Every_half_and_every_rounding_boundary()
    {
        var halves = new GuardedArray<Half>(65536);
        var floats = new GuardedArray<float>(65536);
        for (var i = 0; i < 65536; i++) halves.Pointer[i] = BitConverter.UInt16BitsToHalf((ushort)i);
        var widen = new CastPlan(DType.Float16, DType.Float32, 65536);
        Sweep.Scattered(widen.Tasks, (first, end) => widen.Run(halves.Bytes, floats.Bytes, first, end));
        for (var i = 0; i < 65536; i++) Assert.Equal(BitConverter.SingleToUInt32Bits((float)halves.Pointer[i]), BitConverter.SingleToUInt32Bits(floats.Pointer[i]));
        const int Count = 65536 * 5;
        var values = new GuardedArray<float>(Count);
        for (var i = 0; i < 65536; i++)
        {
            var bits = BitConverter.SingleToUInt32Bits(floats.Pointer[i]);
            for (var k = 0; k < 5; k++) values.Pointer[i * 5 + k] = BitConverter.UInt32BitsToSingle(unchecked(bits + k switch { 0 => 0u, 1 => 0xFFFu, 2 => 0x1000u, 3 => 0x1001u, _ => 0x7FFFu }));
        }
        var results = new GuardedArray<Half>(Count);
        var brains = new GuardedArray<BFloat16>(Count);
        new CastPlan(DType.Float32, DType.Float16, Count).Kernel.Run(values.Bytes, results.Bytes, Count);
        new CastPlan(DType.Float32, DType.BFloat16, Count).Kernel.Run(values.Bytes, brains.Bytes, Count);
        for (var i = 0; i < Count; i++)
        {
            var (half, brain) = ((Half)values.Pointer[i], (BFloat16)values.Pointer[i]);
            if (BitConverter.HalfToUInt16Bits(half) != BitConverter.HalfToUInt16Bits(results.Pointer[i]) || brain.Bits != brains.Pointer[i].Bits)
                Assert.Fail($"{BitConverter.SingleToUInt32Bits(values.Pointer[i]):x8} became {BitConverter.HalfToUInt16Bits(results.Pointer[i]):x4} and {brains.Pointer[i].Bits:x4}");
        }
        halves.Dispose();
        floats.Dispose();
        values.Dispose();
        results.Dispose();
        brains.Dispose();
    }

    [Fact]
    public void Rules()
    {
        Assert.Equal([1, -1, 0, 255 - 256], To<float, int>(DType.Float32, DType.Int32, [1.9f, -1.9f, float.NaN, -1f]));
        Assert.Equal([255, 1, 44], To<float, byte>(DType.Float32, DType.UInt8, [-1f, 257f, 300f]));
        Assert.Equal([long.MaxValue, long.MinValue], To<float, long>(DType.Float32, DType.Int64, [float.PositiveInfinity, -1e30f]));
        Assert.Equal([int.MaxValue, int.MinValue], To<float, int>(DType.Float32, DType.Int32, [3e9f, float.NegativeInfinity]));
        Assert.Equal([1, 0, 1], To<float, byte>(DType.Float32, DType.Bool, [float.NaN, -0f, 0.1f]));
        Assert.Equal([1f, 0f], To<byte, float>(DType.Bool, DType.Float32, [1, 0]));
        Assert.Equal([-1, 5], To<long, int>(DType.Int64, DType.Int32, [0xFFFFFFFFL, 5]));
        Assert.Equal([18446744073709551615.0], To<ulong, double>(DType.UInt64, DType.Float64, [ulong.MaxValue]));
        Assert.Throws<UnsupportedModelException>(() => new CastPlan(DType.Float32, DType.Complex64, 1));
    }

    private static TTo[] To<TFrom, TTo>(DType from, DType to, TFrom[] x) where TFrom : unmanaged where TTo : unmanaged
    {
        var y = new TTo[x.Length];
        var plan = new CastPlan(from, to, x.Length);
        fixed (TFrom* px = x)
        fixed (TTo* py = y) plan.Run((byte*)px, (byte*)py, 0, plan.Tasks);
        return y;
    }
}
