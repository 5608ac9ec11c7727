using AiOptix.Passes.Quantize;

namespace AiOptix.Optimization.Calibrate;

/// <summary>
/// How often numbers occur, gathered as they come: equal bins around 0 whose width doubles, two bins becoming one, whenever a number lies outside. The outcome does not depend on the order of
/// the numbers, but for the sum's last bits. NaN is not counted, and infinities are not either.
/// </summary>
public sealed class Histogram
{
    private const int Half = 8192;
    private const int Levels = 256;
    private const int Shrinks = 100;

    private readonly long[] bins = new long[2 * Half];
    private double width;
    private long zeros;

    /// <summary>The least number; 0 when there was none.</summary>
    public float Low { get; private set; } = float.PositiveInfinity;

    /// <summary>The largest number.</summary>
    public float High { get; private set; } = float.NegativeInfinity;

    /// <summary>How many numbers were counted.</summary>
    public long Count { get; private set; }

    /// <summary>Counts numbers.</summary>
    public void Add(ReadOnlySpan<float> values)
    {
        float low = Low, high = High;
        foreach (var v in values)
        {
            if (!float.IsFinite(v)) continue;
            low = Math.Min(low, v);
            high = Math.Max(high, v);
        }
        if (low > high) return;
        (Low, High) = (low, high);
        Widen(Math.Max(Math.Abs((double)low), Math.Abs((double)high)));
        var scale = width > 0 ? 1 / width : 0;
        foreach (var v in values)
        {
            if (!float.IsFinite(v)) continue;
            bins[Math.Clamp((int)Math.Floor(v * scale) + Half, 0, bins.Length - 1)]++;
            if (v == 0) zeros++;
            Count++;
        }
    }

    /// <summary>The range that a method chooses; 0 is always inside.</summary>
    public ActivationRange Range(CalibrationMethod method)
    {
        if (Count == 0) return new(0, 0);
        var whole = new ActivationRange(Math.Min(Low, 0), Math.Max(High, 0));
        return method switch
        {
            CalibrationMethod.MinMax => whole,
            CalibrationMethod.Percentile => Percentile(whole, 1e-4 / 2),
            CalibrationMethod.Entropy => Best(whole, Divergence),
            CalibrationMethod.SquaredError => Best(whole, SquaredError),
            _ => throw new ArgumentOutOfRangeException(nameof(method)),
        };
    }

    private void Widen(double magnitude)
    {
        if (magnitude == 0) return;
        // Powers of two, so that the bins of any two histograms of the same numbers are the same.
        var needed = Math.ScaleB(1, Math.ILogB(magnitude) + 1) / Half;
        // Zeros that came before anything else stay in the bin that begins at 0.
        if (width == 0) width = needed;
        while (width < needed)
        {
            for (var i = 0; i < Half / 2; i++)
            {
                bins[Half + i] = bins[Half + 2 * i] + bins[Half + 2 * i + 1];
                bins[Half - 1 - i] = bins[Half - 1 - 2 * i] + bins[Half - 2 - 2 * i];
            }
            Array.Clear(bins, Half + Half / 2, Half / 2);
            Array.Clear(bins, 0, Half / 2);
            width *= 2;
        }
    }

    /// <summary>Leaves out a share of the numbers at each end.</summary>
    private ActivationRange Percentile(ActivationRange whole, double share)
    {
        var most = (long)(Count * share);
        var (first, last) = (0, bins.Length - 1);
        for (long left = 0; first < bins.Length && left + bins[first] <= most; first++) left += bins[first];
        for (long left = 0; last >= 0 && left + bins[last] <= most; last--) left += bins[last];
        return new((float)Math.Clamp((first - Half) * width, whole.Low, 0), (float)Math.Clamp((last + 1 - Half) * width, 0, whole.High));
    }

    /// <summary>The range, cut off at both sides at the magnitude that a loss likes best of those tried, step by step from the largest down.</summary>
    private ActivationRange Best(ActivationRange whole, Func<double, double, double> loss)
    {
        var best = (Loss: double.PositiveInfinity, Range: whole);
        double most = Math.Max(-whole.Low, whole.High);
        for (var i = Shrinks; i >= 2; i--)
        {
            var cut = most * i / Shrinks;
            var range = new ActivationRange((float)Math.Max(whole.Low, -cut), (float)Math.Min(whole.High, cut));
            var found = loss(range.Low, range.High);
            if (found < best.Loss) best = (found, range);
        }
        return best.Range;
    }

    /// <summary>The mean squared error of rounding to 256 steps and cutting off, a bin at its middle.</summary>
    private double SquaredError(double low, double high)
    {
        var step = (high - low) / (Levels - 1);
        if (step <= 0) return double.PositiveInfinity;
        double sum = 0;
        for (var i = 0; i < bins.Length; i++)
        {
            if (bins[i] == 0) continue;
            var x = (i + 0.5 - Half) * width;
            var rounded = Math.Clamp(Math.Round(x / step), Math.Round(low / step), Math.Round(high / step)) * step;
            // Where a bin is narrower than a step, its middle stands for the even spread of errors inside a step; a bin at 0 holds zeros, which are exact.
            var error = x > low && x < high ? Math.Min(Math.Pow(x - rounded, 2), step * step / 12) : Math.Pow(x - rounded, 2);
            sum += bins[i] * error;
        }
        return sum;
    }

    /// <summary>
    /// How much is lost of the distribution (Kullback-Leibler divergence, Migacz 2017): the counts with what is cut off put into the outermost bins, against the same in 256 steps. Zeros, which
    /// a Relu makes many of, do not count: they are exact in any range.
    /// </summary>
    private double Divergence(double low, double high)
    {
        var first = Math.Clamp((int)Math.Floor(low / width) + Half, 0, bins.Length - 1);
        var last = Math.Clamp((int)Math.Floor(high / width) + Half, first, bins.Length - 1);
        var n = last - first + 1;
        if (n < Levels / 2) return double.PositiveInfinity;
        var p = new double[n];
        for (var i = 0; i < n; i++) p[i] = bins[first + i];
        for (var i = 0; i < first; i++) p[0] += bins[i];
        for (var i = last + 1; i < bins.Length; i++) p[n - 1] += bins[i];
        double divergence = 0;
        var inside = bins.AsSpan(first, n).ToArray();
        if (Half - first is var middle && middle >= 0 && middle < n)
        {
            p[middle] -= zeros;
            inside[middle] -= zeros;
        }
        var total = Math.Max(1.0, Count - zeros);
        for (var level = 0; level < Levels; level++)
        {
            var (from, to) = ((int)((long)n * level / Levels), (int)((long)n * (level + 1) / Levels));
            double sum = 0;
            var filled = 0;
            for (var i = from; i < to; i++)
            {
                sum += inside[i];
                if (p[i] > 0) filled++;
            }
            if (filled == 0) continue;
            // What is cut off is in p but not in q: an outermost bin without counts of its own costs much, as it should.
            var q = Math.Max(sum / filled, 1e-3);
            for (var i = from; i < to; i++)
                if (p[i] > 0) divergence += p[i] / total * Math.Log(p[i] / q);
            // Counts scatter: bins of one rate differ by this much on average (Miller, 1955), which is no loss; without it few numbers would ask for small ranges.
            divergence -= (filled - 1) / (2 * total);
        }
        return divergence;
    }
}
