namespace AiOptix.Optimization;

/// <summary>Exact limits for a share that was counted (Clopper and Pearson, 1934), and how much data a claim needs.</summary>
public static class Binomial
{
    /// <summary>The largest share that is not contradicted by seeing <paramref name="found"/> of <paramref name="count"/>, one-sided.</summary>
    /// <param name="found">How often it happened.</param>
    /// <param name="count">How often it could have.</param>
    /// <param name="confidence">Such as 0.95.</param>
    public static double UpperLimit(long found, long count, double confidence)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(found);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(found, count);
        if (found == count) return 1;
        if (found == 0) return 1 - Math.Pow(1 - confidence, 1.0 / count);
        double low = (double)found / count, high = 1;
        for (var i = 0; i < 100; i++)
        {
            var middle = (low + high) / 2;
            if (AtMost(found, count, middle) > 1 - confidence) low = middle;
            else high = middle;
        }
        return high;
    }

    /// <summary>The least number of trials, none of which may fail, that show a share to be at most <paramref name="most"/>.</summary>
    public static long Needed(double most, double confidence) => most >= 1 ? 1 : (long)Math.Ceiling(Math.Log(1 - confidence) / Math.Log(1 - most) - 1e-9);

    /// <summary>The chance of at most so many.</summary>
    private static double AtMost(long found, long count, double share)
    {
        var (odds, term) = (Math.Log(share) - Math.Log(1 - share), count * Math.Log(1 - share));
        double sum = 0;
        for (long k = 0; k <= found; k++)
        {
            sum += Math.Exp(term);
            term += Math.Log((double)(count - k) / (k + 1)) + odds;
        }
        return sum;
    }
}
