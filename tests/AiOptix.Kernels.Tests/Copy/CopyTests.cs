using AiOptix.Kernels.Copy;
using AiOptix.Tensors;

namespace AiOptix.Kernels.Tests.Copy;

public unsafe class CopyTests
{
    public static TheoryData<string> Names => [.. CopyTable.Rows.Select(r => r.Name)];

    [Fact]
    public void Names_are_unique_and_the_last_rows_are_portable()
    {
        Assert.Equal(CopyTable.Rows.Count, CopyTable.Rows.Select(r => r.Name).Distinct(StringComparer.Ordinal).Count());
        foreach (var size in new[] { 1, 2, 4, 8, 16 })
            foreach (var form in Enum.GetValues<CopyForm>()) Assert.Equal(Isa.None, CopyTable.Select(form, size, new Target(Isa.None)).Needs);
    }

    [SkippableTheory]
    [MemberData(nameof(Names))]
    public void Row_copies_every_rectangle(string name)
    {
        var row = CopyTable.Rows.Single(r => r.Name == name);
        Sweep.Require(row.Needs);
        var random = new Random(1);
        foreach (var size in row.ElementSize == 0 ? [1, 4, 16] : new[] { row.ElementSize })
            for (var trial = 0; trial < 60; trial++)
            {
                long rows = random.Next(1, 40), columns = random.Next(1, 40), pad = random.Next(3);
                var (sr, sc) = row.Form switch
                {
                    CopyForm.Runs => (columns + pad, 1L),
                    CopyForm.Fill => (1 + pad, 0L),
                    CopyForm.Transpose => (1L, rows + pad),
                    _ => (3L, 3 * rows + pad),
                };
                var sourceLength = (rows - 1) * sr + (columns - 1) * sc + 1;
                var targetLength = (rows - 1) * (columns + pad) + columns;
                using var source = new GuardedArray<byte>(sourceLength * size);
                using var target = new GuardedArray<byte>(targetLength * size);
                random.NextBytes(source.Span);
                target.Span.Fill(0xA5);
                var expected = target.Span.ToArray();
                for (long r = 0; r < rows; r++)
                    for (long c = 0; c < columns; c++)
                        source.Span.Slice((int)((r * sr + c * sc) * size), size).CopyTo(expected.AsSpan((int)((r * (columns + pad) + c) * size)));
                var tile = new CopyTile
                {
                    Rows = rows, Columns = columns, SourceRow = sr * size, SourceColumn = sc * size, TargetRow = (columns + pad) * size,
                    TargetColumn = size, ElementSize = size,
                };
                row.Run(source.Pointer, target.Pointer, &tile);
                Assert.True(target.Span.SequenceEqual(expected), $"{name} {rows}x{columns} pad {pad}");
            }
    }

    [Fact]
    public void Plans_copy_random_views()
    {
        var random = new Random(2);
        for (var trial = 0; trial < 1500; trial++)
        {
            var size = 1 << random.Next(5);
            var rank = random.Next(0, 6);
            var dims = new long[rank];
            for (var k = 0; k < rank; k++) dims[k] = random.Next(20) == 0 ? 0 : random.Next(1, trial % 10 == 0 && rank <= 3 ? 70 : 7);
            var (source, sourceLength, sourceStart) = View(random, dims, repeats: true);
            var (target, targetLength, targetStart) = View(random, dims, repeats: false);
            Check(random, new CopyDescriptor(size, dims, source, target), sourceLength, sourceStart, targetLength, targetStart, Sweep.Targets[trial % 3]);
        }
    }

    [Theory]
    [InlineData(4, 300, 500)]
    [InlineData(1, 1030, 70)]
    [InlineData(2, 70, 1030)]
    [InlineData(8, 257, 129)]
    public void Large_transposes_split_into_tasks(int size, long rows, long columns)
    {
        var plan = new CopyPlan(new CopyDescriptor(size, [columns, rows], [1, columns], [rows, 1]), HostTarget.Current);
        Assert.Equal(CopyForm.Transpose, plan.Form);
        Assert.True(plan.Tasks > 1);
        foreach (var machine in Sweep.Targets)
            Check(new Random(3), new CopyDescriptor(size, [columns, rows], [1, columns], [rows, 1]), rows * columns, 0, rows * columns, 0, machine);
    }

    [Fact]
    public void Forms_are_recognised()
    {
        CopyForm Of(int size, long[] dims, long[] s, long[] t) => new CopyPlan(new CopyDescriptor(size, dims, s, t), HostTarget.Current).Form;
        Assert.Equal(CopyForm.Runs, Of(4, [2, 3, 4], [12, 4, 1], [12, 4, 1]));
        Assert.Equal(CopyForm.Runs, Of(4, [2, 3], [3, 1], [10, 1]));
        Assert.Equal(CopyForm.Fill, Of(4, [5, 100], [1, 0], [100, 1]));
        Assert.Equal(CopyForm.Transpose, Of(4, [2, 64, 32], [2048, 1, 64], [2048, 32, 1]));
        Assert.Equal(CopyForm.Strided, Of(4, [10], [2], [1]));
        Assert.Equal(16, new CopyPlan(new CopyDescriptor(4, [8, 8, 4], [4, 32, 1], [32, 4, 1]), HostTarget.Current).ElementSize);
    }

    [Fact]
    public void Fill_covers_the_buffer_and_no_more()
    {
        foreach (var size in new[] { 1, 2, 4, 8, 16 })
            foreach (var count in new long[] { 0, 1, 7, 1000, 100_003 })
            {
                using var value = new GuardedArray<byte>(size);
                using var target = new GuardedArray<byte>(count * size);
                new Random(4).NextBytes(value.Span);
                var plan = new FillPlan(size, count);
                Sweep.Scattered(plan.Tasks, (first, end) => plan.Run(value.Pointer, target.Pointer, first, end));
                for (long i = 0; i < count * size; i++)
                    if (target.Pointer[i] != value.Pointer[i % size]) Assert.Fail($"size {size} count {count} byte {i}");
            }
    }

    private static (long[] Strides, long Length, long Start) View(Random random, long[] dims, bool repeats)
    {
        var strides = new long[dims.Length];
        long next = 1, start = 0, last = 0;
        var order = Enumerable.Range(0, dims.Length).ToArray();
        if (random.Next(3) > 0) random.Shuffle(order);
        else Array.Reverse(order);
        foreach (var k in order)
        {
            if (repeats && random.Next(6) == 0) continue;
            strides[k] = next * (random.Next(8) == 0 ? 2 : 1);
            var reach = strides[k] * Math.Max(dims[k] - 1, 0);
            next = strides[k] * Math.Max(dims[k], 1) + (random.Next(5) == 0 ? 1 : 0);
            last += reach;
            if (random.Next(6) != 0) continue;
            strides[k] = -strides[k];
            start += reach;
        }
        return (strides, last + 1, start);
    }

    private static void Check(Random random, CopyDescriptor d, long sourceLength, long sourceStart, long targetLength, long targetStart, Target machine)
    {
        var size = d.ElementSize;
        using var source = new GuardedArray<byte>(sourceLength * size);
        using var target = new GuardedArray<byte>(targetLength * size);
        random.NextBytes(source.Span);
        target.Span.Fill(0x5A);
        var expected = target.Span.ToArray();
        var count = d.Dims.Aggregate(1L, (a, b) => a * b);
        for (long n = 0; n < count; n++)
        {
            long rest = n, s = sourceStart, t = targetStart;
            for (var k = d.Dims.Length - 1; k >= 0; k--)
            {
                var i = rest % d.Dims[k];
                rest /= d.Dims[k];
                s += i * d.SourceStrides[k];
                t += i * d.TargetStrides[k];
            }
            source.Span.Slice((int)(s * size), size).CopyTo(expected.AsSpan((int)(t * size)));
        }
        var plan = new CopyPlan(d, machine);
        Sweep.Scattered(plan.Tasks, (first, end) => plan.Run(source.Pointer + sourceStart * size, target.Pointer + targetStart * size, first, end));
        Assert.True(target.Span.SequenceEqual(expected), $"[{string.Join(',', d.Dims)}] {string.Join(',', d.SourceStrides)} -> {string.Join(',', d.TargetStrides)} size {size} {plan.Kernel.Name}");
    }
}
