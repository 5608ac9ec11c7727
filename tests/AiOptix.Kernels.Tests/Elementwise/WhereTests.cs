using AiOptix.Kernels.Elementwise;
using AiOptix.Kernels.Loops;

namespace AiOptix.Kernels.Tests.Elementwise;

public unsafe class WhereTests
{
    [Fact]
    public void Where_broadcasts_for_every_element_size()
    {
        var random = new Random(11);
        for (var trial = 0; trial < 600; trial++)
        {
            var size = 1 << (trial % 4);
            var rank = random.Next(0, 5);
            var dims = new long[rank];
            for (var k = 0; k < rank; k++) dims[k] = random.Next(1, rank < 3 ? 60 : 6);
            long[] Shape() => [.. dims.Skip(random.Next(rank + 1) / 2).Select(d => random.Next(4) == 0 ? 1 : d)];
            var (c, a, b) = (trial % 3 == 0 ? dims : Shape(), Shape(), Shape());
            var result = Broadcasting.Dims(c, a, b)!;
            var d = new WhereDescriptor(size, result, Broadcasting.Strides(c, result), Broadcasting.Strides(a, result), Broadcasting.Strides(b, result));
            var plan = new WherePlan(d, Sweep.Targets[trial % 3]);
            long Length(long[] shape) => shape.Aggregate(1L, (p, q) => p * q);
            var count = Length(result);
            using var pc = new GuardedArray<byte>(Length(c));
            using var pa = new GuardedArray<byte>(Length(a) * size);
            using var pb = new GuardedArray<byte>(Length(b) * size);
            using var py = new GuardedArray<byte>(count * size);
            for (var i = 0; i < pc.Length; i++) pc.Pointer[i] = (byte)random.Next(2);
            random.NextBytes(pa.Span);
            random.NextBytes(pb.Span);
            Sweep.Scattered(plan.Tasks, (first, end) => plan.Run(pc.Pointer, pa.Pointer, pb.Pointer, py.Pointer, first, end));
            for (long n = 0; n < count; n++)
            {
                long rest = n, ic = 0, ia = 0, ib = 0;
                for (var k = result.Length - 1; k >= 0; k--)
                {
                    var i = rest % result[k];
                    rest /= result[k];
                    ic += i * d.ConditionStrides[k];
                    ia += i * d.AStrides[k];
                    ib += i * d.BStrides[k];
                }
                var expected = pc.Pointer[ic] != 0 ? pa.Span.Slice((int)(ia * size), size) : pb.Span.Slice((int)(ib * size), size);
                Assert.True(py.Span.Slice((int)(n * size), size).SequenceEqual(expected), $"{plan.KernelName} [{string.Join(',', result)}] element {n}");
            }
        }
    }
}
