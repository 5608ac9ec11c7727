using AiOptix.Kernels.Resize;

namespace AiOptix.Kernels.Tests.Resize;

/// <summary>Rows and columns picked from elements of any size.</summary>
public unsafe class PickTests
{
    [Theory]
    [InlineData(1, 1)]
    [InlineData(1, 5)]
    [InlineData(2, 3)]
    [InlineData(8, 1)]
    public void Elements_come_from_their_positions(int size, int inner)
    {
        foreach (var rows in new[] { Taps(4, 7), ResizeTaps.Identity(3), Taps(5, 2) })
            foreach (var columns in new[] { Taps(6, 11), ResizeTaps.Identity(4), Taps(3, 0) })
            {
                var descriptor = new ResizeDescriptor(2, rows, columns, inner);
                Assert.True(PickPlan.Suits(descriptor));
                int pixel = inner * size;
                using var x = new GuardedArray<byte>(2L * rows.Input * columns.Input * pixel);
                using var y = new GuardedArray<byte>(2L * rows.Output * columns.Output * pixel);
                new Random(3).NextBytes(x.Span);
                var plan = new PickPlan(descriptor, size);
                Sweep.Scattered(plan.Tasks, (from, to) => plan.Run(x.Pointer, y.Pointer, from, to));
                for (var o = 0; o < 2; o++)
                    for (var r = 0; r < rows.Output; r++)
                        for (var c = 0; c < columns.Output; c++)
                        {
                            int from = (o * rows.Input + Position(rows, r)) * columns.Input + Position(columns, c), to = (o * rows.Output + r) * columns.Output + c;
                            Assert.True(x.Span.Slice(from * pixel, pixel).SequenceEqual(y.Span.Slice(to * pixel, pixel)));
                        }
            }
        PickPlan.Rehearse();
    }

    [Fact]
    public void Sums_are_not_picked() => Assert.False(PickPlan.Suits(new(1, new ResizeTaps(2, 2, 2, [0, 1, 0, 1], [0.5, 0.5, 0.5, 0.5]), ResizeTaps.Identity(3), 1)));

    private static ResizeTaps Taps(int input, int output) => new(input, output, 1, [.. Enumerable.Range(0, output).Select(i => i * input / output)], [.. Enumerable.Repeat(1.0, output)]);

    private static int Position(ResizeTaps taps, int at) => taps.IsIdentity ? at : taps.Positions[at];
}
