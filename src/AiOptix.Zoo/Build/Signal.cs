using AiOptix.Graphs;

namespace AiOptix.Zoo;

/// <summary>
/// An activation with what its channels look like over the inputs: mean and variance, followed by formula from layer to layer (independent, roughly normal
/// elements). Running statistics of normalisations are made from them, so that random networks are as well scaled as trained ones. The moments of a
/// rectified normal number need its distribution function; the algebraic forms here agree with them at mean 0 and far from it, and need square roots only.
/// </summary>
internal sealed record Signal(Value Value, double[] Mean, double[] Variance, bool IsRectified = false)
{
    /// <summary>How many channels there are.</summary>
    public int Channels => Mean.Length;

    /// <summary>A network's input: every channel with mean 0 and variance 1.</summary>
    public static Signal Input(Value value, int channels) => new(value, new double[channels], [.. Enumerable.Repeat(1.0, channels)]);

    /// <summary>The statistics after a rectifier.</summary>
    public Signal Rectified(Value value) => Rectified(value, i => Rectify(Mean[i], Variance[i]));

    /// <summary>
    /// The statistics of a rectified sum with a branch. When this signal is rectified itself it is far from normal: zero in some cases, and otherwise spread like
    /// the positive half of a normal number, whose second moment is π/2 times its squared mean.
    /// </summary>
    public Signal RectifiedSum(Signal branch, Value value) => Rectified(value, i =>
    {
        var (m, v) = (Mean[i], Variance[i]);
        var (n, w) = (branch.Mean[i], branch.Variance[i]);
        if (!IsRectified) return Rectify(m + n, v + w);
        var second = v + m * m;
        var positive = Math.Min(1, Math.PI / 2 * m * m / second);
        var above = Rectify(m / positive + n, Math.Max(0, second / positive - m * m / (positive * positive)) + w);
        var zero = Rectify(n, w);
        return (positive * above.Mean + (1 - positive) * zero.Mean, positive * above.Second + (1 - positive) * zero.Second);
    });

    private static (double Mean, double Second) Rectify(double m, double v) =>
        ((m + Math.Sqrt(m * m + 2 * v / Math.PI)) / 2, (m * m + v + m * Math.Sqrt(m * m + 8 * v / Math.PI)) / 2);

    private Signal Rectified(Value value, Func<int, (double Mean, double Second)> moments)
    {
        var all = Enumerable.Range(0, Channels).Select(moments).ToArray();
        return new(value, [.. all.Select(p => p.Mean)], [.. all.Select(p => Math.Max(p.Second - p.Mean * p.Mean, 0.05 * p.Second))], IsRectified: true);
    }
}
