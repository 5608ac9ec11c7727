namespace AiOptix.Bench.Compare;

/// <summary>A median with the interval that holds the true one in at least 95 of 100 cases.</summary>
internal readonly record struct Estimate(double Median, double Low, double High);

/// <summary>Medians and what can be said of them without assuming a distribution.</summary>
internal static class Statistics
{
    /// <summary>The fewest samples that give a 95 % interval.</summary>
    internal const int FewestSamples = 6;

    /// <summary>The middle value, or the mean of the two middle ones.</summary>
    internal static double Median(IEnumerable<double> samples)
    {
        double[] sorted = [.. samples.Order()];
        return sorted.Length % 2 == 1 ? sorted[sorted.Length / 2] : (sorted[sorted.Length / 2 - 1] + sorted[sorted.Length / 2]) / 2;
    }

    /// <summary>The median and its interval between order statistics: the k-th smallest to the k-th largest sample, k by the binomial distribution.</summary>
    /// <exception cref="ArgumentException">There are fewer than <see cref="FewestSamples"/>.</exception>
    internal static Estimate OfMedian(IReadOnlyCollection<double> samples)
    {
        var n = samples.Count;
        if (n < FewestSamples) throw new ArgumentException($"{n} samples give no 95 % interval; {FewestSamples} are needed", nameof(samples));
        double[] sorted = [.. samples.Order()];
        var below = 0;
        var probability = Math.Pow(0.5, n);
        for (var outside = probability; outside <= 0.025; outside += probability)
        {
            below++;
            probability *= (double)(n - below + 1) / below;
        }
        return new(Median(sorted), sorted[below - 1], sorted[n - below]);
    }

    /// <summary>The geometric mean.</summary>
    internal static double GeometricMean(IEnumerable<double> values) => Math.Exp(values.Average(Math.Log));
}
