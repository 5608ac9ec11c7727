namespace AiOptix.Optimization;

/// <summary>
/// The worse end of the loss between two models that answered the same questions, one-sided. Answers that are right or wrong: as long as fewer than 25 differ, the exact limit
/// (Clopper and Pearson, 1934) of the share that became wrong, with nothing set off by those that became right; from there on the score interval for paired shares
/// (Tango, 1998). Scores that are numbers: the bootstrap of the mean difference (Efron and Tibshirani, 1993, percentiles of 10 000 seeded resamples).
/// </summary>
public static class PairedDrop
{
    /// <summary>Below so many answers that differ the exact limit is used.</summary>
    public const int FewDiffer = 25;

    /// <summary>The least number of scores that the bootstrap may speak for.</summary>
    public const int LeastScores = 30;

    private const int Resamples = 10_000;

    /// <summary>The worse end for answers that are right or wrong.</summary>
    /// <param name="lost">Right before, wrong now.</param>
    /// <param name="gained">Wrong before, right now.</param>
    /// <param name="count">All.</param>
    /// <param name="confidence">Such as 0.95.</param>
    public static double WorseEnd(long lost, long gained, long count, double confidence)
    {
        if (count == 0) return 1;
        return lost + gained < FewDiffer ? Binomial.UpperLimit(lost, count, confidence) : Tango(lost, gained, count, NormalQuantile(confidence));
    }

    /// <summary>The worse end of the mean of differences, each that of the first model's score less the second's.</summary>
    /// <param name="differences">One for each sample.</param>
    /// <param name="confidence">Such as 0.95.</param>
    /// <param name="seed">Of the resampling.</param>
    public static double WorseEnd(ReadOnlySpan<double> differences, double confidence, int seed)
    {
        var n = differences.Length;
        if (n == 0) return double.PositiveInfinity;
        var random = new Random(seed);
        var means = new double[Resamples];
        for (var r = 0; r < Resamples; r++)
        {
            double sum = 0;
            for (var i = 0; i < n; i++) sum += differences[random.Next(n)];
            means[r] = sum / n;
        }
        Array.Sort(means);
        return means[Math.Min(Resamples - 1, (int)Math.Ceiling(confidence * Resamples))];
    }

    /// <summary>The drop at which the score statistic reaches the quantile.</summary>
    private static double Tango(double lost, double gained, double count, double z)
    {
        double low = (lost - gained) / count, high = 1;
        for (var i = 0; i < 100; i++)
        {
            var drop = (low + high) / 2;
            var (a, b, c) = (2 * count, -lost - gained + (2 * count - lost + gained) * drop, -gained * drop * (1 - drop));
            var share = (Math.Sqrt(Math.Max(0, b * b - 4 * a * c)) - b) / (2 * a);
            var deviation = Math.Sqrt(Math.Max(1e-300, count * (2 * share + drop * (1 - drop))));
            if ((count * drop - (lost - gained)) / deviation < z) low = drop;
            else high = drop;
        }
        return high;
    }

    /// <summary>The standard normal quantile, by bisection of the distribution's series.</summary>
    private static double NormalQuantile(double p)
    {
        double low = -10, high = 10;
        for (var i = 0; i < 100; i++)
        {
            var middle = (low + high) / 2;
            if (Normal(middle) < p) low = middle;
            else high = middle;
        }
        return low;
    }

    private static double Normal(double x)
    {
        if (Math.Abs(x) > 8) return x > 0 ? 1 : 0;
        double term = x, sum = x;
        for (var k = 1; Math.Abs(term) > 1e-17 * Math.Abs(sum) && k < 500; k++) sum += term *= x * x / (2 * k + 1);
        return 0.5 + sum * Math.Exp(-x * x / 2) / Math.Sqrt(2 * Math.PI);
    }
}
