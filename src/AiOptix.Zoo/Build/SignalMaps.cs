using AiOptix.Graphs;

namespace AiOptix.Zoo;

/// <summary>The statistics of signals after functions and sums.</summary>
internal static class SignalMaps
{
    private const int Points = 33;

    /// <summary>Where a normal number lies, in deviations, and how likely: an even grid over ±4.</summary>
    private static readonly (double At, double Weight)[] grid = Grid();

    /// <summary>The statistics after an element-wise function of roughly normal elements, summed over a grid.</summary>
    public static Signal Mapped(this Signal x, Value value, Func<double, double> function)
    {
        var mean = new double[x.Channels];
        var variance = new double[x.Channels];
        for (var c = 0; c < x.Channels; c++)
        {
            var (m, deviation) = (x.Mean[c], Math.Sqrt(x.Variance[c]));
            var (first, second) = (0.0, 0.0);
            foreach (var (at, weight) in grid)
            {
                var y = function(m + deviation * at);
                first += weight * y;
                second += weight * y * y;
            }
            (mean[c], variance[c]) = (first, Math.Max(second - first * first, 1e-3 * second));
        }
        return new(value, mean, variance);
    }

    /// <summary>The sum of two signals that have nothing to do with each other.</summary>
    public static Signal Plus(this Signal a, Signal b, Value value) =>
        new(value, [.. a.Mean.Zip(b.Mean, (x, y) => x + y)], [.. a.Variance.Zip(b.Variance, (x, y) => x + y)]);

    /// <summary>The product of two signals that have nothing to do with each other.</summary>
    public static Signal Times(this Signal a, Signal b, Value value)
    {
        var channels = Enumerable.Range(0, a.Channels);
        return new(value, [.. channels.Select(i => a.Mean[i] * b.Mean[i])],
            [.. channels.Select(i => (a.Variance[i] + a.Mean[i] * a.Mean[i]) * (b.Variance[i] + b.Mean[i] * b.Mean[i]) - a.Mean[i] * a.Mean[i] * b.Mean[i] * b.Mean[i])]);
    }

    /// <summary>The channels of several signals, one after the other.</summary>
    public static Signal Joined(Value value, params ReadOnlySpan<Signal> parts)
    {
        var (mean, variance) = (new List<double>(), new List<double>());
        foreach (var p in parts)
        {
            mean.AddRange(p.Mean);
            variance.AddRange(p.Variance);
        }
        return new(value, [.. mean], [.. variance]);
    }

    /// <summary>The logistic function, by multiplication and division only, so that it has the same bits on every machine; within 1 % for arguments that occur here.</summary>
    public static double Sigmoid(double x) => 1 / (1 + Exp(-x));

    /// <summary>x · sigmoid(x).</summary>
    public static double Silu(double x) => x * Sigmoid(x);

    private static double Exp(double x)
    {
        var y = 1 + Math.Clamp(x, -30, 30) / 1024;
        for (var i = 0; i < 10; i++) y *= y;
        return y;
    }

    private static (double At, double Weight)[] Grid()
    {
        var points = Enumerable.Range(0, Points).Select(i => 8.0 * i / (Points - 1) - 4).ToArray();
        var sum = points.Sum(p => Exp(-p * p / 2));
        return [.. points.Select(p => (p, Exp(-p * p / 2) / sum))];
    }
}
