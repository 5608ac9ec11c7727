using AiOptix.Kernels.Elementwise;
using AiOptix.Kernels.Index;
using AiOptix.Tensors;

namespace AiOptix.Kernels.Tests.Index;

public unsafe class IndexTests
{
    public static TheoryData<DType, DType> Moved => new()
    {
        { DType.UInt8, DType.Int64 }, { DType.Float16, DType.Int64 }, { DType.Float32, DType.Int64 }, { DType.Int64, DType.Int64 },
        { DType.UInt8, DType.Int32 }, { DType.Float16, DType.Int32 }, { DType.Float32, DType.Int32 }, { DType.Int64, DType.Int32 },
    };

    private static (ElementsDescriptor D, long[] Values) Draw(Random random, DType type, DType indexType)
    {
        var rank = random.Next(1, 5);
        long[] data = [.. Enumerable.Range(0, rank).Select(_ => random.NextInt64(1, 7))];
        var axis = random.Next(rank);
        long[] indices = [.. data.Select((n, a) => a == axis ? random.NextInt64(0, 9) : random.NextInt64(1, n + 1))];
        long[] values = [.. Enumerable.Range(0, (int)new Shape(indices).Count).Select(_ => random.NextInt64(-data[axis], data[axis]))];
        return (new(type, indexType, data, indices, axis), values);
    }

    private static void Store(DType type, long[] values, byte* to)
    {
        for (var i = 0; i < values.Length; i++)
            if (type == DType.Int64) ((long*)to)[i] = values[i];
            else ((int*)to)[i] = (int)values[i];
    }

    /// <summary>The place in the data that index n stands for.</summary>
    private static long Place(ElementsDescriptor d, long n, long index)
    {
        var strides = new Shape(d.Data).Strides();
        long place = 0;
        for (var a = d.Data.Length - 1; a >= 0; a--)
        {
            place += strides[a] * (a == d.Axis ? (index < 0 ? index + d.Data[a] : index) : n % d.Indices[a]);
            n /= d.Indices[a];
        }
        return place;
    }

    [Theory]
    [MemberData(nameof(Moved))]
    public void Elements_are_gathered_and_scattered(DType type, DType indexType)
    {
        var random = new Random(1);
        var size = type.Bits() / 8;
        for (var trial = 0; trial < 100; trial++)
        {
            var (d, values) = Draw(random, type, indexType);
            long dataCount = new Shape(d.Data).Count, count = values.Length;
            using var data = new GuardedArray<byte>(dataCount * size);
            using var updates = new GuardedArray<byte>(count * size);
            using var indices = new GuardedArray<byte>(count * (indexType.Bits() / 8));
            using var gathered = new GuardedArray<byte>(count * size);
            using var scattered = new GuardedArray<byte>(dataCount * size);
            random.NextBytes(data.Span);
            random.NextBytes(updates.Span);
            data.Span.CopyTo(scattered.Span);
            Store(indexType, values, indices.Pointer);
            var gather = ElementsPlan.Gather(d)!;
            Sweep.Scattered(gather.Tasks, (first, end) => Assert.True(gather.Run(data.Pointer, indices.Pointer, gathered.Pointer, first, end)));
            if (count > 0) Assert.True(ElementsPlan.Scatter(d, ScatterKind.Replace)!.Run(updates.Pointer, indices.Pointer, scattered.Pointer, 0, 1));
            var expected = data.Span.ToArray();
            for (var n = 0; n < count; n++)
            {
                var place = (int)Place(d, n, values[n]);
                Assert.True(gathered.Span.Slice(n * size, size).SequenceEqual(data.Span.Slice(place * size, size)), $"{d} element {n}");
                updates.Span.Slice(n * size, size).CopyTo(expected.AsSpan(place * size, size));
            }
            Assert.Equal(expected, scattered.Span.ToArray());
        }
    }

    [Theory]
    [InlineData(ScatterKind.Add)]
    [InlineData(ScatterKind.Mul)]
    [InlineData(ScatterKind.Max)]
    [InlineData(ScatterKind.Min)]
    public void Updates_are_reduced(ScatterKind kind)
    {
        var random = new Random(2);
        for (var trial = 0; trial < 100; trial++)
        {
            var (d, values) = Draw(random, DType.Float32, trial % 2 == 0 ? DType.Int64 : DType.Int32);
            if (values.Length == 0) continue;
            using var updates = new GuardedArray<float>(values.Length);
            using var result = new GuardedArray<float>(new Shape(d.Data).Count);
            using var indices = new GuardedArray<byte>(values.Length * (d.IndexType.Bits() / 8));
            foreach (ref var v in updates.Span) v = random.Next(9) == 0 ? float.NaN : random.NextSingle() - 0.5f;
            foreach (ref var v in result.Span) v = random.NextSingle() - 0.5f;
            Store(d.IndexType, values, indices.Pointer);
            var expected = result.Span.ToArray();
            for (var n = 0; n < values.Length; n++)
            {
                ref var at = ref expected[Place(d, n, values[n])];
                at = kind switch { ScatterKind.Add => at + updates.Span[n], ScatterKind.Mul => at * updates.Span[n], ScatterKind.Max => MathF.Max(at, updates.Span[n]), _ => MathF.Min(at, updates.Span[n]) };
            }
            Assert.True(ElementsPlan.Scatter(d, kind)!.Run((byte*)updates.Pointer, indices.Pointer, (byte*)result.Pointer, 0, 1));
            Assert.Equal(expected, result.Span.ToArray());
        }
    }

    [Fact]
    public void An_index_out_of_range_is_told_and_nothing_is_touched()
    {
        var d = new ElementsDescriptor(DType.Float32, DType.Int64, [2, 3], [2, 2], 1);
        using var data = new GuardedArray<float>(6);
        using var result = new GuardedArray<float>(4);
        foreach (var bad in (long[])[3, -4, long.MaxValue, long.MinValue])
        {
            using var indices = new GuardedArray<long>(4);
            indices.Span[2] = bad;
            result.Span.Fill(7);
            var plan = ElementsPlan.Gather(d)!;
            Assert.False(plan.Run((byte*)data.Pointer, (byte*)indices.Pointer, (byte*)result.Pointer, 0, plan.Tasks));
            Assert.Equal([0f, 0f, 7f, 0f], result.Span.ToArray());
        }
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void The_first_of_equal_elements_comes_first(bool largest)
    {
        var random = new Random(3);
        for (var trial = 0; trial < 200; trial++)
        {
            long outer = random.Next(1, 4), n = random.Next(1, 40), inner = random.Next(1, 4), k = random.NextInt64(0, n + 1);
            using var x = new GuardedArray<float>(outer * n * inner);
            using var values = new GuardedArray<float>(outer * k * inner);
            using var positions = new GuardedArray<long>(outer * k * inner);
            foreach (ref var v in x.Span) v = random.Next(12) switch { 0 => float.NaN, 1 => float.PositiveInfinity, 2 => float.NegativeInfinity, var r => r / 2 };
            var plan = TopKPlan.Create(new(DType.Float32, outer, n, inner, k, largest))!;
            using var scratch = new GuardedArray<byte>(plan.ScratchBytes);
            Sweep.Scattered(plan.Tasks, (first, end) => plan.Run((byte*)x.Pointer, (byte*)values.Pointer, positions.Pointer, first, end, scratch.Pointer));
            for (long o = 0; o < outer; o++)
                for (long i = 0; i < inner; i++)
                {
                    float At(long j) => x.Span[(int)((o * n + j) * inner + i)];
                    (bool, float) Rank(long j) => (float.IsNaN(At(j)), float.IsNaN(At(j)) ? 0 : At(j));
                    var order = Enumerable.Range(0, (int)n).Select(j => (long)j);
                    long[] expected = [.. (largest ? order.OrderByDescending(Rank) : order.OrderBy(Rank)).ThenBy(j => j).Take((int)k)];
                    for (var j = 0; j < k; j++)
                    {
                        var at = (int)((o * k + j) * inner + i);
                        Assert.Equal(expected[j], positions.Span[at]);
                        Assert.Equal(At(expected[j]), values.Span[at]);
                    }
                }
        }
    }

    [Theory]
    [InlineData(DType.Float32, false)]
    [InlineData(DType.Float32, true)]
    [InlineData(DType.Int64, false)]
    [InlineData(DType.Int64, true)]
    public void Sums_and_products_run_along_an_axis(DType type, bool isProduct)
    {
        var random = new Random(4);
        for (var trial = 0; trial < 100; trial++)
        {
            long outer = random.Next(1, 4), n = random.Next(1, 20), inner = random.Next(1, 4);
            bool exclusive = random.Next(2) == 0, reverse = random.Next(2) == 0;
            var size = type.Bits() / 8;
            using var x = new GuardedArray<byte>(outer * n * inner * size);
            using var y = new GuardedArray<byte>(outer * n * inner * size);
            for (long i = 0; i < outer * n * inner; i++)
                if (size == 4) ((float*)x.Pointer)[i] = random.NextSingle() * 2;
                else ((long*)x.Pointer)[i] = random.NextInt64(-9, 9);
            var plan = CumulativePlan.Create(new(type, outer, n, inner, isProduct, exclusive, reverse))!;
            Sweep.Scattered(plan.Tasks, (first, end) => plan.Run(x.Pointer, y.Pointer, first, end));
            double X(long i) => size == 4 ? (double)((float*)x.Pointer)[i] : ((long*)x.Pointer)[i];
            double Y(long i) => size == 4 ? (double)((float*)y.Pointer)[i] : ((long*)y.Pointer)[i];
            for (long o = 0; o < outer; o++)
                for (long i = 0; i < inner; i++)
                    for (long j = 0; j < n; j++)
                    {
                        double expected = isProduct ? 1 : 0;
                        for (long m = 0; m < n; m++)
                            if ((reverse ? m > j : m < j) || (m == j && !exclusive)) expected = isProduct ? expected * X((o * n + m) * inner + i) : expected + X((o * n + m) * inner + i);
                        Assert.Equal(expected, Y((o * n + j) * inner + i), size == 4 ? 1e-6 * Math.Max(1, Math.Abs(expected)) : Math.Abs(expected) * 1e-12);
                    }
        }
    }

    [Fact]
    public void Tuples_of_indices_find_what_lies_at_a_place()
    {
        var random = new Random(5);
        for (var trial = 0; trial < 200; trial++)
        {
            long[] extents = [.. Enumerable.Range(0, random.Next(1, 4)).Select(_ => random.NextInt64(1, 6))];
            var d = new TupleDescriptor(random.Next(1, 4), extents, trial % 3 == 0 ? 4 : random.Next(1, 40), random.Next(0, 30));
            var places = extents.Aggregate(1L, (p, e) => p * e);
            using var data = new GuardedArray<byte>(d.Batches * places * d.RunBytes);
            using var indices = new GuardedArray<long>(d.Batches * d.Count * extents.Length);
            using var result = new GuardedArray<byte>(d.Batches * d.Count * d.RunBytes);
            random.NextBytes(data.Span);
            for (var i = 0; i < indices.Span.Length; i++) indices.Span[i] = random.NextInt64(-extents[i % extents.Length], extents[i % extents.Length]);
            var plan = new TuplePlan(d);
            Sweep.Scattered(plan.Tasks, (first, end) => Assert.True(plan.Run(data.Pointer, indices.Pointer, result.Pointer, first, end)));
            Assert.Null(plan.Fault(indices.Pointer));
            for (long n = 0; n < d.Batches * d.Count; n++)
            {
                long at = 0;
                for (var a = 0; a < extents.Length; a++)
                {
                    var index = indices.Span[(int)(n * extents.Length + a)];
                    at = at * extents[a] + (index < 0 ? index + extents[a] : index);
                }
                var from = (int)((n / d.Count * places + at) * d.RunBytes);
                Assert.True(result.Span.Slice((int)(n * d.RunBytes), (int)d.RunBytes).SequenceEqual(data.Span.Slice(from, (int)d.RunBytes)), $"{d} tuple {n}");
            }
            if (d.Count == 0) continue;
            indices.Span[^1] = extents[^1];
            Assert.False(plan.Run(data.Pointer, indices.Pointer, result.Pointer, 0, plan.Tasks));
            Assert.Contains("out of range", plan.Fault(indices.Pointer), StringComparison.Ordinal);
        }
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Chosen_boxes_overlap_no_better_one(bool isCentre)
    {
        var random = new Random(6);
        for (var trial = 0; trial < 100; trial++)
        {
            var count = random.Next(0, 40);
            using var boxes = new GuardedArray<float>(4L * count);
            using var scores = new GuardedArray<float>(count);
            using var corners = new GuardedArray<double>(4L * count);
            using var order = new GuardedArray<int>(count);
            foreach (ref var v in boxes.Span) v = random.NextSingle();
            foreach (ref var v in scores.Span) v = random.Next(8) / 8f;
            var (most, overlap, least) = (random.Next(0, 20), random.NextDouble(), random.Next(2) == 0 ? 0.3 : (double?)null);
            BoxSuppression.Corners(boxes.Pointer, count, isCentre, corners.Pointer);
            var chosen = BoxSuppression.Choose(corners.Pointer, scores.Pointer, count, most, overlap, least, order.Pointer);
            var expected = new List<int>();
            var s = scores.Span.ToArray();
            foreach (var i in Enumerable.Range(0, count).Where(i => least is null || s[i] > least).OrderByDescending(i => s[i]))
                if (expected.Count < most && !expected.Exists(k => Overlap(i, k) > overlap)) expected.Add(i);
            Assert.Equal(expected, order.Span[..chosen].ToArray());

            double Overlap(int a, int b)
            {
                var (p, q) = (Box(a), Box(b));
                var common = Math.Max(0, Math.Min(p[2], q[2]) - Math.Max(p[0], q[0])) * Math.Max(0, Math.Min(p[3], q[3]) - Math.Max(p[1], q[1]));
                return common / ((p[2] - p[0]) * (p[3] - p[1]) + (q[2] - q[0]) * (q[3] - q[1]) - common);
            }

            double[] Box(int i)
            {
                double[] b = [.. boxes.Span.Slice(4 * i, 4).ToArray()];
                return isCentre ? [b[1] - b[3] / 2, b[0] - b[2] / 2, b[1] + b[3] / 2, b[0] + b[2] / 2] : [Math.Min(b[0], b[2]), Math.Min(b[1], b[3]), Math.Max(b[0], b[2]), Math.Max(b[1], b[3])];
            }
        }
    }

    [Theory]
    [InlineData(DType.Float16)]
    [InlineData(DType.Float32)]
    [InlineData(DType.Float64)]
    public void Numbers_are_tested(DType type)
    {
        double[] values = [0, double.NaN, double.PositiveInfinity, 1, double.NegativeInfinity];
        using var x = new GuardedArray<byte>(values.Length * (type.Bits() / 8));
        using var y = new GuardedArray<byte>(values.Length);
        for (var i = 0; i < values.Length; i++)
            if (type == DType.Float16) ((Half*)x.Pointer)[i] = (Half)values[i];
            else if (type == DType.Float32) ((float*)x.Pointer)[i] = (float)values[i];
            else ((double*)x.Pointer)[i] = values[i];
        Assert.Equal([0, 1, 0, 0, 0], Run(true, 0, 0));
        Assert.Equal([0, 0, 1, 0, 1], Run(false, double.PositiveInfinity, double.NegativeInfinity));
        Assert.Equal([0, 0, 0, 0, 1], Run(false, double.NaN, double.NegativeInfinity));

        byte[] Run(bool isNaN, double first, double second)
        {
            var plan = FloatTestPlan.Create(new(type, isNaN, first, second, values.Length))!;
            plan.Run(x.Pointer, y.Pointer, 0, plan.Tasks);
            return y.Span.ToArray();
        }
    }
}
