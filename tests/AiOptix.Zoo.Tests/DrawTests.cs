using AiOptix.Tensors;

namespace AiOptix.Zoo.Tests;

public class DrawTests
{
    [Fact]
    public void NumbersAreTheSameOnEveryMachine()
    {
        var draw = new Draw(1, "a.weight");
        Assert.Equal(new ulong[] { 0x3198B53ED91CA2AA, 0x1B48F75465466E37 }, new ulong[] { draw.Next(), draw.Next() });
        using var t = new Draw(1, "a.weight").Normal(new Shape(3), 0, 0.02);
        Assert.Equal(new uint[] { 0x3C5AA304, 0xBB65A2A3, 0xBC1AE147 }, t.Span<float>().ToArray().Select(BitConverter.SingleToUInt32Bits));
    }

    [Fact]
    public void TheyHaveTheMeanAndDeviationAskedFor()
    {
        using var drawn = new Draw(7, "w").Normal(new Shape(1_000_000), 0.5, 2);
        var x = drawn.Span<float>().ToArray();
        Assert.Equal(0.5, x.Average(v => (double)v), 0.01);
        Assert.Equal(2, Activations.Deviation(x), 0.01);
        Assert.True(x.Max() > 0.5 + 2 * 3.2);
    }

    [Fact]
    public void StreamsOfDifferentNamesAndSeedsDiffer()
    {
        ulong[] firsts = [.. from seed in Enumerable.Range(0, 30) from name in new[] { "a", "b", "layer.0.weight", "layer.1.weight" } select new Draw(seed, name).Next()];
        Assert.Distinct(firsts);
    }

    [Fact]
    public void IntegersStayBelowTheirLimitAndReachItsEnds()
    {
        var draws = new Draw(3, "ids").Below(new Shape(10_000), 10).ToInt64();
        Assert.Equal(Enumerable.Range(0, 10).Select(i => (long)i), draws.Distinct().Order());
    }
}
