using AiOptix.Graphs.Ops;
using AiOptix.Tensors;

namespace AiOptix.Graphs.Tests.Ops;

public class VisionAndTextTests
{
    [Theory]
    [InlineData(@"\d+", "12", true)]
    [InlineData(@"\d+", "١٢", false)]
    [InlineData("[[:alpha:]_]+", "a_b", true)]
    [InlineData("[^]a]+", "b]", false)]
    [InlineData(@"(?P<x>a|b)\Q.*\E", "b.*", true)]
    [InlineData("a$", "a\n", false)]
    [InlineData("ab|abc", "abc", true)]
    public void Patterns_follow_re2_and_match_the_whole(string pattern, string text, bool matches) =>
        Assert.Equal([matches], Run.Flags(new RegexFullMatch(pattern), Tensor.FromStrings([text], new Shape(1))));

    [Fact]
    public void A_broken_pattern_is_refused() => Assert.Throws<InvalidGraphException>(() => Run.One(new RegexFullMatch("("), Tensor.FromStrings(["a"], new Shape(1))));

    [Fact]
    public void A_seed_gives_the_same_values()
    {
        var x = Tensor.Vector(0.2f, 0.8f, 0.5f, 0.5f);
        Assert.Equal(Run.Floats(new Bernoulli(Seed: 3), x), Run.Floats(new Bernoulli(Seed: 3), x));
        Assert.Equal(Run.Floats(new RandomTensor(new(true, 1, 2), [9], Seed: 4)), Run.Floats(new RandomTensor(new(true, 1, 2), [9], Seed: 4)));
        Assert.All(Run.Floats(new RandomLike(new(false, 2, 3), Seed: 1), x), v => Assert.InRange(v, 2, 3));
        Assert.All(Run.Elements<int>(new Multinomial(20, Seed: 1), Tensor.From<float>([float.NegativeInfinity, 0], new Shape(1, 2))), v => Assert.Equal(1, v));
    }

    [Fact]
    public void Weights_scale_the_counts_of_terms()
    {
        var x = Tensor.Vector(1L, 2, 1);
        TfIdfVectorizer Of(TermWeighting weighting) => new([1, 2, 1, 2], [], [0, 2], [0, 1, 2], [0.5f, 2, 3], 1, 2, 0, weighting);
        Assert.Equal([2f, 1, 1], Run.Floats(Of(TermWeighting.Frequency), x));
        Assert.Equal([0.5f, 2, 3], Run.Floats(Of(TermWeighting.InverseFrequency), x));
        Assert.Equal([1f, 2, 3], Run.Floats(Of(TermWeighting.Both), x));
    }

    [Fact]
    public void Regions_are_pooled()
    {
        var x = Tensor.From<float>([.. Enumerable.Range(0, 16).Select(i => (float)i)], new Shape(1, 1, 4, 4));
        Assert.Equal([5f, 7, 13, 15], Run.Floats(new MaxRoiPool(2, 2), x, Tensor.From<float>([0, 0, 0, 3, 3], new Shape(1, 5))));
        Assert.Equal([7.5f], Run.Floats(new RoiAlign(1, 1, 1, 2, HalfPixel: true), x, Tensor.From<float>([0, 0, 4, 4], new Shape(1, 4)), Tensor.Vector(0L)));
        Assert.Throws<InvalidInputException>(() => Run.One(new MaxRoiPool(1, 1), x, Tensor.From<float>([1, 0, 0, 3, 3], new Shape(1, 5))));
    }

    [Fact]
    public void Grids_read_along_one_axis_and_outside()
    {
        var x = Tensor.From<float>([0, 10, 20], new Shape(1, 1, 3));
        var grid = Tensor.From<float>([-1, 0, 0.5f, 3], new Shape(1, 4, 1));
        Assert.Equal([0f, 10, 15, 0], Run.Floats(new GridSample(AlignCorners: true), x, grid));
        Assert.Equal([0f, 10, 15, 20], Run.Floats(new GridSample(Padding: GridPadding.Border, AlignCorners: true), x, grid));
        Assert.Equal([0f, 10, 15, 0], Run.Floats(new GridSample(Padding: GridPadding.Reflection, AlignCorners: true), x, grid));
    }

    [Fact]
    public void Transforms_of_any_length_come_back()
    {
        foreach (var n in new[] { 1, 7, 12, 64 })
        {
            var x = Tensor.From<double>([.. Enumerable.Range(0, n).Select(i => Math.Sin(i * i))], new Shape(n, 1));
            var whole = Run.One(new DFT(true), Run.One(new DFT(), x));
            for (var i = 0; i < n; i++) Assert.Equal(x.Span<double>()[i], whole.Span<double>()[2 * i], 1e-9);
            GC.KeepAlive(whole);
        }
    }

    [Fact]
    public void Losses_leave_out_a_class_that_is_ignored()
    {
        var x = Tensor.From<float>([-1, -2, -3, -4], new Shape(2, 2));
        Assert.Equal([1f], Run.Floats(new NegativeLogLikelihoodLoss(IgnoreIndex: 9), x, Tensor.Vector(0L, 9)));
        Assert.Equal([1f, 0], Run.Floats(new NegativeLogLikelihoodLoss(LossReduction.None, 9), x, Tensor.Vector(0L, 9)));
        Assert.Throws<InvalidInputException>(() => Run.One(new NegativeLogLikelihoodLoss(), x, Tensor.Vector(0L, 9)));
    }
}
