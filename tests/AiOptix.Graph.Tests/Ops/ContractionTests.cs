using AiOptix.Graphs.Ops;
using AiOptix.Tensors;

namespace AiOptix.Graphs.Tests.Ops;

/// <summary>Products, convolutions, pools and attention against independent formulations.</summary>
public class ContractionTests
{
    [Theory]
    [InlineData(1, 1, 0, 1)]
    [InlineData(2, 1, 1, 1)]
    [InlineData(1, 2, 2, 2)]
    [InlineData(3, 1, 1, 4)]
    public void A_convolution_is_its_definition(long stride, long dilation, long pad, long group)
    {
        var x = Build.Random(1, 2, 4, 9, 11);
        var w = Build.Random(2, 8, 4 / group, 3, 2);
        var b = Build.Random(3, 8);
        var y = Build.Run(new Conv([stride, stride], [pad, pad, pad, pad], [dilation, dilation], group), x, w, b);
        var expected = Tensor.Allocate(DType.Float32, y.Shape);
        var (xs, ws, bs) = (x.Floats(), w.Floats(), b.Floats());
        var at = 0;
        for (long n = 0; n < 2; n++)
            for (long m = 0; m < 8; m++)
                for (long i = 0; i < y.Shape[2]; i++)
                    for (long j = 0; j < y.Shape[3]; j++, at++)
                    {
                        double sum = bs[m];
                        for (long c = 0; c < 4 / group; c++)
                            for (long p = 0; p < 3; p++)
                                for (long q = 0; q < 2; q++)
                                {
                                    var (r, s) = (i * stride + p * dilation - pad, j * stride + q * dilation - pad);
                                    if (r < 0 || r >= 9 || s < 0 || s >= 11) continue;
                                    sum += (double)xs[((n * 4 + m / (8 / group) * (4 / group) + c) * 9 + r) * 11 + s] * ws[((m * (4 / group) + c) * 3 + p) * 2 + q];
                                }
                        expected.Span<float>()[at] = (float)sum;
                    }
        Build.Near(expected, y, 1e-6);
    }

    [Fact]
    public void A_transposed_convolution_is_the_adjoint_of_the_convolution()
    {
        var w = Build.Random(4, 6, 2, 3, 3);
        var x = Build.Random(5, 1, 4, 8, 7);
        var y = Build.Random(6, 1, 6, 4, 4);
        var forward = Build.Run(new Conv([2, 2], [1, 1, 1, 1], default, 2), x, w).Floats();
        var back = Build.Run(new ConvTranspose([2, 2], [1, 1, 1, 1], default, 2, [1, 0]), y, w).Floats();
        var (xs, ys) = (x.Floats(), y.Floats());
        Assert.Equal(forward.Zip(ys, (a, b) => (double)a * b).Sum(), back.Zip(xs, (a, b) => (double)a * b).Sum(), 4);
    }

    [Fact]
    public void Same_padding_puts_an_odd_pad_where_it_says()
    {
        var x = Build.Counting(1, 1, 4);
        var w = Tensor.From<float>([1, 0], new Shape(1, 1, 2));
        Assert.Equal([0f, 1, 2, 3], Build.Run(new Conv(AutoPad: AutoPad.SameUpper), x, w).Floats());
        Assert.Equal([0f, 0, 1, 2], Build.Run(new Conv(AutoPad: AutoPad.SameLower), x, w).Floats());
    }

    [Fact]
    public void The_mean_counts_padding_only_when_asked_and_never_what_hangs_over()
    {
        var x = Tensor.From<float>([1, 2, 3, 4, 5], new Shape(1, 1, 5));
        Assert.Equal([1.5f, 3, 4.5f], Build.Run(new AveragePool([3], [2], [1, 1]), x).Floats());
        Assert.Equal([1f, 3, 3], Build.Run(new AveragePool([3], [2], [1, 1], CountIncludePad: true), x).Floats());
        Assert.Equal([2f, 4.5f], Build.Run(new AveragePool([3], [3], CeilMode: true, CountIncludePad: true), x).Floats());
    }

    [Fact]
    public void Positions_of_maxima_count_the_whole_input()
    {
        var x = Build.Counting(1, 2, 2, 3);
        Assert.Equal([5L, 11], Build.Run(new MaxPool([2, 3]), 2, x)[1].ToInt64());
        Assert.Equal([4L, 5, 10, 11], Build.Run(new MaxPool([2, 2]), 2, x)[1].ToInt64());
        Assert.Equal([3L, 5, 9, 11], Build.Run(new MaxPool([2, 2], ColumnMajor: true), 2, x)[1].ToInt64());
    }

    [Fact]
    public void Integer_products_wrap()
    {
        var a = Tensor.From<int>([int.MaxValue, 2], new Shape(1, 2));
        Assert.Equal([unchecked(int.MaxValue * 3 + 10)], Build.Run(new MatMul(), a, Tensor.From<int>([3, 5], new Shape(2, 1))).ToInt64());
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Attention_is_softmax_between_two_products(bool causal)
    {
        var (q, k, v) = (Build.Random(7, 2, 4, 3, 8), Build.Random(8, 2, 2, 5, 8), Build.Random(9, 2, 2, 5, 6));
        var mask = causal ? Tensor.From<float>([.. Enumerable.Range(0, 15).Select(i => i % 5 <= i / 5 ? 0 : float.NegativeInfinity)], new Shape(3, 5)) : Build.Random(10, 3, 5);
        var y = causal ? Build.Run(new Attention(IsCausal: true), q, k, v) : Build.Run(new Attention(), q, k, v, mask);
        Tensor Repeated(Tensor t) => Build.Run(new Gather(1), t, Tensor.Vector<long>(0, 0, 1, 1));
        var scores = Build.Run(new MatMul(), q, Build.Run(new Transpose([0, 1, 3, 2]), Repeated(k)));
        var scaled = Build.Run(new Add(), Build.Run(new Mul(), scores, Tensor.Scalar((float)(1 / Math.Sqrt(8)))), mask);
        Build.Near(Build.Run(new MatMul(), Build.Run(new Softmax(), scaled), Repeated(v)), y);
    }

    [Fact]
    public void A_cache_gives_what_the_whole_sequence_gives()
    {
        var (q, k, v) = (Build.Random(11, 1, 6, 8), Build.Random(12, 1, 6, 8), Build.Random(13, 1, 6, 8));
        Tensor Part(Tensor t, long from, long to, long axis = 1) => Build.Run(new Slice(), t, Tensor.Vector(from), Tensor.Vector(to), Tensor.Vector(axis));
        var op = new Attention(IsCausal: true, QueryHeads: 2, KeyHeads: 2);
        var whole = Build.Run(op, 3, q, k, v);
        var first = Build.Run(op, 3, Part(q, 0, 4), Part(k, 0, 4), Part(v, 0, 4));
        var second = Build.Run(op, 3, Part(q, 4, 6), Part(k, 4, 6), Part(v, 4, 6), null, first[1], first[2]);
        Build.Near(Part(whole[0], 4, 6), second[0]);
        Build.Near(whole[1], second[1], 0);
    }

    [Fact]
    public void A_query_that_may_attend_nothing_gives_zeros()
    {
        var mask = Tensor.From<bool>([false, false, true, true], new Shape(2, 2));
        var y = Build.Run(new Attention(), Build.Random(1, 1, 1, 2, 4), Build.Random(2, 1, 1, 2, 4), Build.Random(3, 1, 1, 2, 4), mask).Floats();
        Assert.All(y[..4], v => Assert.Equal(0, v));
        Assert.Contains(y[4..], v => v != 0);
    }
}
