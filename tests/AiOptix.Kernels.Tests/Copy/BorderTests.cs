using AiOptix.Kernels.Copy;
using AiOptix.Tensors;

namespace AiOptix.Kernels.Tests.Copy;

public unsafe class BorderTests
{
    [Theory]
    [InlineData(BorderMode.Reflect)]
    [InlineData(BorderMode.Edge)]
    [InlineData(BorderMode.Wrap)]
    public void Every_position_shows_the_element_that_the_mode_says(BorderMode mode)
    {
        var random = new Random((int)mode);
        for (var trial = 0; trial < 200; trial++)
        {
            var size = 1 << random.Next(4);
            var rank = random.Next(1, 5);
            long[] dims = [.. Enumerable.Range(0, rank).Select(_ => random.NextInt64(1, trial % 50 == 0 ? 80 : 7))];
            long[] begin = [.. Enumerable.Range(0, rank).Select(_ => random.NextInt64(0, 9))], end = [.. begin.Select(_ => random.NextInt64(0, 9))];
            var cropped = random.Next(rank);
            if (random.Next(3) == 0 && dims[cropped] > 2) (begin[cropped], end[cropped]) = (-1, random.NextInt64(-1, 5));
            long[] kept = [.. Enumerable.Range(0, rank).Select(a => dims[a] + Math.Min(0, begin[a]) + Math.Min(0, end[a]))];
            long[] results = [.. Enumerable.Range(0, rank).Select(a => dims[a] + begin[a] + end[a])];
            using var x = new GuardedArray<byte>(new Shape(dims).Count * size);
            using var y = new GuardedArray<byte>(new Shape(results).Count * size);
            random.NextBytes(x.Span);
            var plan = new BorderPlan(new(size, dims, begin, end, mode));
            Sweep.Scattered(plan.Tasks, (first, last) => plan.Run(x.Pointer, y.Pointer, first, last));
            for (long n = 0; n < new Shape(results).Count; n++)
            {
                long at = 0, rest = n, stride = 1;
                for (var a = rank - 1; a >= 0; a--)
                {
                    (rest, var i) = Math.DivRem(rest, results[a]);
                    at += (Source(i - Math.Max(0, begin[a]), kept[a]) + Math.Max(0, -begin[a])) * stride;
                    stride *= dims[a];
                }
                Assert.True(y.Span.Slice((int)n * size, size).SequenceEqual(x.Span.Slice((int)at * size, size)), $"{mode} [{string.Join(",", dims)}] [{string.Join(",", begin)}] [{string.Join(",", end)}] element {n}");
            }
        }

        // One step at a time, turning round or jumping at the ends.
        long Source(long i, long extent)
        {
            if (mode == BorderMode.Edge) return Math.Clamp(i, 0, extent - 1);
            long at = 0, step = 1;
            if (i < 0 && mode == BorderMode.Wrap)
            {
                while (i < 0) i += extent;
            }
            for (var n = Math.Abs(i); n > 0; n--)
            {
                if (mode == BorderMode.Wrap) at = (at + 1) % extent;
                else if (extent > 1)
                {
                    if (at + step < 0 || at + step >= extent) step = -step;
                    at += step;
                }
            }
            return at;
        }
    }

    [Fact]
    public void What_cannot_be_repeated_is_refused()
    {
        Assert.Throws<InvalidInputException>(() => new BorderPlan(new(4, [2], [-2], [1], BorderMode.Edge)));
        Assert.Throws<InvalidInputException>(() => new BorderPlan(new(4, [2], [-2], [-1], BorderMode.Wrap)));
        Assert.Equal(0, new BorderPlan(new(4, [0, 3], [0, 1], [0, 1], BorderMode.Reflect)).Tasks);
    }
}
