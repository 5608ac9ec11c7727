using System.Diagnostics;

namespace AiOptix.Optimization;

/// <summary>A speed ratio from interleaved runs.</summary>
/// <param name="BaselineSeconds">Median time of the baseline.</param>
/// <param name="CandidateSeconds">Median time of the candidate.</param>
/// <param name="Ratio">Median of the pairs' ratios, baseline over candidate: over 1, the candidate is faster.</param>
/// <param name="Low">Lower end of the ratio's 95 % interval.</param>
/// <param name="High">Upper end of the ratio's 95 % interval.</param>
/// <param name="Pairs">How many pairs were timed.</param>
public sealed record SpeedRatio(double BaselineSeconds, double CandidateSeconds, double Ratio, double Low, double High, int Pairs)
{
    /// <summary>True when the whole interval says that the candidate is faster.</summary>
    public bool IsFaster => Low > 1;

    /// <summary>True when the whole interval says that the candidate is slower.</summary>
    public bool IsSlower => High < 1;
}

/// <summary>Times two things in turn, A B B A, so that a drift of the machine's speed hits both; medians, and an interval for the median ratio from order statistics.</summary>
public static class PairedTiming
{
    /// <summary>Times a baseline and a candidate.</summary>
    /// <param name="baseline">One run of the baseline.</param>
    /// <param name="candidate">One run of the candidate.</param>
    /// <param name="time">How long to go on, both together; at least 9 and at most 400 pairs are timed.</param>
    /// <param name="cancellation">Ends it early.</param>
    public static SpeedRatio Measure(Action baseline, Action candidate, TimeSpan time, CancellationToken cancellation = default)
    {
        var (a, b) = Times(baseline, candidate, time, cancellation);
        return Of(a, b);
    }

    /// <summary>The times themselves, in seconds; those of one index were taken next to each other.</summary>
    /// <inheritdoc cref="Measure"/>
    public static (double[] Baseline, double[] Candidate) Times(Action baseline, Action candidate, TimeSpan time, CancellationToken cancellation = default)
    {
        var once = Math.Max(Warm(baseline), Warm(candidate));
        var repeats = Math.Clamp((int)(0.001 / once), 1, 10_000);
        var pairs = Math.Clamp((int)(time.TotalSeconds / (2 * repeats * once)), 9, 400);
        var a = new double[pairs];
        var b = new double[pairs];
        for (var i = 0; i < pairs; i++)
        {
            cancellation.ThrowIfCancellationRequested();
            if (i % 2 == 0)
            {
                a[i] = Time(baseline, repeats);
                b[i] = Time(candidate, repeats);
            }
            else
            {
                b[i] = Time(candidate, repeats);
                a[i] = Time(baseline, repeats);
            }
        }
        return (a, b);
    }

    /// <summary>The ratio of paired times, in seconds.</summary>
    public static SpeedRatio Of(ReadOnlySpan<double> baseline, ReadOnlySpan<double> candidate)
    {
        var n = baseline.Length;
        var ratios = new double[n];
        for (var i = 0; i < n; i++) ratios[i] = baseline[i] / candidate[i];
        Array.Sort(ratios);
        var (low, high) = MedianInterval(n);
        return new(Median(baseline), Median(candidate), Median(ratios), ratios[low], ratios[high], n);
    }

    /// <summary>The median; of an even number, the mean of the middle two.</summary>
    public static double Median(ReadOnlySpan<double> values)
    {
        var sorted = values.ToArray();
        Array.Sort(sorted);
        var n = sorted.Length;
        return n % 2 == 1 ? sorted[n / 2] : (sorted[n / 2 - 1] + sorted[n / 2]) / 2;
    }

    /// <summary>Ranks (from 0) whose order statistics enclose the median with at least 95 % probability, from the binomial distribution; the extremes for less than 6 values.</summary>
    public static (int Low, int High) MedianInterval(int n)
    {
        var low = 0;
        var term = Math.Pow(0.5, n);
        if (term == 0)
        {
            low = Math.Max(0, (int)Math.Floor(n / 2.0 - 0.98 * Math.Sqrt(n)) - 1);
            return (low, n - 1 - low);
        }
        for (double tail = term; 2 * tail <= 0.05 && low < n / 2; low++)
        {
            term *= (double)(n - low) / (low + 1);
            tail += term;
        }
        low = Math.Max(0, low - 1);
        return (low, n - 1 - low);
    }

    private static double Warm(Action action)
    {
        action();
        var begin = Stopwatch.GetTimestamp();
        var runs = 0;
        double least = double.MaxValue;
        do
        {
            least = Math.Min(least, Time(action, 1));
            runs++;
        }
        while (runs < 3 || (runs < 200 && Stopwatch.GetElapsedTime(begin).TotalSeconds < 0.2));
        return Math.Max(least, 1e-9);
    }

    private static double Time(Action action, int repeats)
    {
        var begin = Stopwatch.GetTimestamp();
        for (var i = 0; i < repeats; i++) action();
        return Stopwatch.GetElapsedTime(begin).TotalSeconds / repeats;
    }
}
