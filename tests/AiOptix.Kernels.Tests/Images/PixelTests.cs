using AiOptix.Kernels.Images;
using AiOptix.Tensors;

namespace AiOptix.Kernels.Tests.Images;

public unsafe class PixelTests
{
    public static TheoryData<string> Names => [.. PixelTable.Rows.Select(r => r.Name)];

    [SkippableTheory]
    [MemberData(nameof(Names))]
    public void Row_resizes_as_the_filter_says(string name)
    {
        var row = Row(name);
        var random = new Random(5);
        for (var trial = 0; trial < 120; trial++)
        {
            var channels = random.Next(1, 6);
            var (inputRows, inputColumns) = (random.Next(1, 50), random.Next(1, 70));
            var (height, width) = (random.Next(1, 60), random.Next(1, 60));
            var (rows, columns) = (random.Next(1, height + 1), random.Next(1, width + 1));
            var (top, left) = (random.Next(0, height - rows + 1), random.Next(0, width - columns + 1));
            using var x = new GuardedArray<byte>(inputRows * inputColumns * channels);
            random.NextBytes(x.Span);
            using var y = new GuardedArray<byte>(rows * columns * channels);
            using var image = Tensor.Borrow(x.Pointer, DType.UInt8, new Shape(inputRows, inputColumns, channels));
            using var window = Tensor.Borrow(y.Pointer, DType.UInt8, new Shape(rows, columns, channels));
            PixelResize.Run(image, height, width, top, left, window, row);
            for (var r = 0; r < rows; r++)
                for (var c = 0; c < columns; c++)
                    for (var k = 0; k < channels; k++)
                    {
                        var exact = 0.0;
                        foreach (var (i, u) in Taps(inputRows, height, top + r))
                            foreach (var (j, v) in Taps(inputColumns, width, left + c)) exact += u * v * x.Span[(i * inputColumns + j) * channels + k];
                        Assert.InRange(y.Span[(r * columns + c) * channels + k], exact - 0.501, exact + 0.501);
                    }
        }
    }

    [Fact]
    public void A_resize_to_the_same_size_changes_nothing_and_a_constant_stays_one()
    {
        var random = new Random(1);
        using var x = Tensor.Allocate(DType.UInt8, new Shape(13, 17, 3));
        random.NextBytes(x.Bytes);
        using var same = Tensor.Allocate(DType.UInt8, x.Shape);
        PixelResize.Run(x, 13, 17, 0, 0, same);
        Assert.True(same.BitEquals(x));
        x.Bytes.Fill(255);
        using var small = Tensor.Allocate(DType.UInt8, new Shape(5, 40, 3));
        PixelResize.Run(x, 5, 40, 0, 0, small);
        Assert.DoesNotContain(small.Bytes.ToArray(), b => b != 255);
    }

    [SkippableTheory]
    [MemberData(nameof(Names))]
    public void Row_normalises_within_its_buffers(string name)
    {
        var row = Row(name);
        var random = new Random(6);
        for (var trial = 0; trial < 200; trial++)
        {
            var (rows, columns, channels) = (random.Next(0, 9), random.Next(0, 40), random.Next(1, 20));
            if (trial % 2 == 0) channels = 3;
            using var x = new GuardedArray<byte>(rows * columns * channels);
            random.NextBytes(x.Span);
            using var y = new GuardedArray<float>(x.Length);
            using var image = Tensor.Borrow(x.Pointer, DType.UInt8, new Shape(rows, columns, channels));
            float[] affine = [.. Enumerable.Range(0, 2 * channels).Select(_ => random.NextSingle() * 4 - 2)];
            foreach (var first in new[] { false, true })
            {
                y.Span.Fill(float.NaN);
                using var result = Tensor.Borrow(y.Pointer, DType.Float32, first ? new Shape(channels, rows, columns) : image.Shape);
                PixelNormalize.Run(image, affine, result, first, row);
                for (var i = 0; i < x.Length; i++)
                {
                    var (pixel, c) = Math.DivRem(i, channels);
                    var exact = (double)x.Span[i] * affine[2 * c] + affine[2 * c + 1];
                    Assert.InRange(y.Span[first ? c * rows * columns + pixel : i], exact - 1e-4, exact + 1e-4);
                }
            }
        }
    }

    [Fact]
    public void Floats_of_any_length_are_scaled_in_runs_of_channels()
    {
        foreach (var (count, channels, inner) in new[] { (0, 1, 1L), (7, 1, 1L), (33, 1, 1L), (24, 3, 8L), (24, 3, 1L), (40, 2, 5L) })
        {
            using var x = new GuardedArray<float>(Sweep.Floats(new Random(count), count));
            using var y = new GuardedArray<float>(count);
            using var input = Tensor.Borrow(x.Pointer, DType.Float32, new Shape(count));
            using var result = Tensor.Borrow(y.Pointer, DType.Float32, new Shape(count));
            float[] affine = [.. Enumerable.Range(0, 2 * channels).Select(i => i + 0.5f)];
            PixelNormalize.Run(input, affine, result, inner);
            for (var i = 0; i < count; i++)
            {
                var c = (int)(i / inner % channels);
                Assert.Equal(MathF.FusedMultiplyAdd(x.Span[i], affine[2 * c], affine[2 * c + 1]), y.Span[i]);
            }
        }
    }

    [Fact]
    public void What_does_not_fit_is_refused()
    {
        using var image = Tensor.Allocate(DType.UInt8, new Shape(4, 4, 3));
        using var window = Tensor.Allocate(DType.UInt8, new Shape(2, 2, 3));
        Assert.Throws<ArgumentException>(() => PixelResize.Run(image, 2, 2, 1, 0, window));
        Assert.Throws<ArgumentException>(() => PixelResize.Run(image, 2, 2, -1, 0, window));
        using var floats = Tensor.Allocate(DType.Float32, new Shape(4, 4, 3));
        Assert.Throws<ArgumentException>(() => PixelResize.Run(floats, 4, 4, 0, 0, image));
        Assert.Throws<ArgumentException>(() => PixelNormalize.Run(image, new float[4], floats, channelsFirst: true));
        using var none = Tensor.Allocate(DType.UInt8, new Shape(0, 4, 3));
        Assert.Throws<ArgumentException>(() => PixelResize.Run(none, 2, 2, 0, 0, window));
    }

    private static PixelKernel Row(string name)
    {
        var row = PixelTable.Rows.Single(r => r.Name == name);
        Sweep.Require(row.Needs);
        return row;
    }

    private static IEnumerable<(int Position, double Weight)> Taps(int input, int output, int at)
    {
        var scale = (double)input / output;
        var support = Math.Max(1, scale);
        var centre = (at + 0.5) * scale;
        var taps = Enumerable.Range(0, input).Select(i => (i, Math.Max(0, 1 - Math.Abs((i + 0.5 - centre) / support)))).Where(t => t.Item2 > 0).ToArray();
        var sum = taps.Sum(t => t.Item2);
        return taps.Select(t => (t.i, t.Item2 / sum));
    }
}
