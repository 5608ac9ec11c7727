using AiOptix.Bench.Compare;

namespace AiOptix.Bench.Tests;

public class StatisticsTests
{
    /// <summary>Ranks from tables of the sign test's 95 % interval for a median.</summary>
    [Theory]
    [InlineData(6, 1, 6)]
    [InlineData(8, 1, 8)]
    [InlineData(9, 2, 8)]
    [InlineData(15, 4, 12)]
    [InlineData(25, 8, 18)]
    public void TheIntervalLiesBetweenTheRanksOfTheSignTest(int samples, int low, int high)
    {
        var e = Statistics.OfMedian([.. Enumerable.Range(1, samples).Select(i => (double)i).Reverse()]);
        Assert.Equal((low, high), (e.Low, e.High));
        Assert.Equal((samples + 1) / 2.0, e.Median);
    }

    [Fact]
    public void TooFewSamplesAreRefused() => Assert.Throws<ArgumentException>(() => Statistics.OfMedian([1, 2, 3, 4, 5]));

    [Fact]
    public void TheIntervalHoldsTheMedianInNineteenOfTwentyCases()
    {
        var random = new Random(1);
        var held = 0;
        for (var trial = 0; trial < 2000; trial++)
        {
            var e = Statistics.OfMedian([.. Enumerable.Range(0, 15).Select(_ => random.NextDouble())]);
            if (e.Low <= 0.5 && e.High >= 0.5) held++;
        }
        Assert.InRange(held, 1900, 1960);
    }

    [Fact]
    public void TwiceAsFastAndTwiceAsSlowCancelOut() => Assert.Equal(1, Statistics.GeometricMean([2, 0.5]), 12);
}
