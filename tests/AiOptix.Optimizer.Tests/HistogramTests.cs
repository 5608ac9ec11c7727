using AiOptix.Optimization.Calibrate;
using AiOptix.Passes.Quantize;

namespace AiOptix.Optimizer.Tests;

public class HistogramTests
{
    private static readonly CalibrationMethod[] methods = Enum.GetValues<CalibrationMethod>();

    [Fact]
    public void TheOrderOfTheNumbersDoesNotMatter()
    {
        var values = Bell(10_000, 3).Concat([900f, -0.0001f]).ToArray();
        var (forth, back) = (Of(values, 100), Of([.. values.Reverse()], 7));
        Assert.Equal(methods.Select(forth.Range), methods.Select(back.Range));
        Assert.Equal(values.Length, forth.Count);
    }

    [Fact]
    public void MinMaxIsAllThatWasSeenAndHoldsZero()
    {
        Assert.Equal(new ActivationRange(-3, 5), Of([1, -3, 5], 3).Range(CalibrationMethod.MinMax));
        Assert.Equal(new ActivationRange(0, 5), Of([2, 5], 1).Range(CalibrationMethod.MinMax));
        Assert.Equal(new ActivationRange(-5, 0), Of([-2, -5], 1).Range(CalibrationMethod.MinMax));
    }

    [Fact]
    public void WhatIsNotFiniteIsNotCounted()
    {
        var histogram = Of([1, float.NaN, float.PositiveInfinity, -2, float.NegativeInfinity], 2);
        Assert.Equal(2, histogram.Count);
        foreach (var method in methods) Assert.InRange(histogram.Range(method).High, 0.1f, 1);
    }

    [Theory]
    [InlineData(new float[0])]
    [InlineData(new[] { 0f, 0f })]
    [InlineData(new[] { float.NaN })]
    public void NothingGivesAnEmptyRange(float[] values)
    {
        foreach (var method in methods) Assert.Equal(new ActivationRange(0, 0), Of(values, 1).Range(method));
        Assert.Equal((1f, (byte)0), new ActivationRange(0, 0).ToBytes());
    }

    [Fact]
    public void AFewValuesThatAreStepsAlreadyKeepTheirRange()
    {
        // Sixteen grey levels, most of them white: nothing is lost by taking all, and much by leaving white out.
        var histogram = Of([.. Enumerable.Range(0, 5000).Select(i => i % 3 == 0 ? i / 3 % 17 / 16f : 1)], 500);
        foreach (var method in methods) Assert.Equal(1, histogram.Range(method).High, 2);
    }

    [Fact]
    public void AFewNumbersFarOutAreCutOff()
    {
        // One in 50 000: less than the percentile leaves out at an end.
        var values = Bell(100_000, 1).Concat([100f, 120f]).ToArray();
        var histogram = Of(values, 1000);
        Assert.Equal(120, histogram.Range(CalibrationMethod.MinMax).High);
        foreach (var method in methods.Where(m => m is CalibrationMethod.Percentile or CalibrationMethod.Entropy)) Assert.InRange(histogram.Range(method).High, 2, 60);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public void LeastSquaresHaveTheLeastSquares(int seed)
    {
        // Heavy tails, so that cutting off pays.
        var values = Bell(50_000, seed).Select(v => v * v * v).ToArray();
        var histogram = Of(values, 999);
        var errors = methods.ToDictionary(m => m, m => Error(values, histogram.Range(m)));
        Assert.True(errors[CalibrationMethod.SquaredError] < errors[CalibrationMethod.MinMax]);
        Assert.All(errors.Values, e => Assert.True(errors[CalibrationMethod.SquaredError] <= e * 1.02));
    }

    [Theory]
    [InlineData(0, 1)]
    [InlineData(-1, 1)]
    [InlineData(-3, 0.5)]
    [InlineData(-1e-6, 1e6)]
    [InlineData(2, 6)]
    public void ZeroIsAStepAndTheEndsAreAStepAway(double low, double high)
    {
        var (scale, zero) = new ActivationRange((float)low, (float)high).ToBytes();
        foreach (var x in new[] { Math.Min(low, 0), 0, high })
        {
            var back = (Math.Clamp(Math.Round(x / scale) + zero, 0, 255) - zero) * scale;
            Assert.InRange(Math.Abs(back - x), 0, x == 0 ? 0 : scale * 1.001);
        }
    }

    private static double Error(float[] values, ActivationRange range)
    {
        var (scale, zero) = range.ToBytes();
        return values.Average(v => Math.Pow((Math.Clamp(Math.Round(v / scale) + zero, 0, 255) - zero) * scale - v, 2));
    }

    private static Histogram Of(float[] values, int piece)
    {
        var histogram = new Histogram();
        foreach (var part in values.Chunk(piece)) histogram.Add(part);
        return histogram;
    }

    private static IEnumerable<float> Bell(int count, int seed)
    {
        var random = new Random(seed);
        for (var i = 0; i < count; i++) yield return (float)(Math.Sqrt(-2 * Math.Log(1 - random.NextDouble())) * Math.Cos(2 * Math.PI * random.NextDouble()));
    }
}
