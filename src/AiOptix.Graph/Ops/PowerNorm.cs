namespace AiOptix.Graphs.Ops;

/// <summary>p-norms in more basic operators.</summary>
internal static class PowerNorm
{
    /// <summary>What the p-th power of a norm sums up.</summary>
    public static Value Terms(Composition to, Value x, long p) => p switch
    {
        1 => to.Add(new Abs(), x),
        2 => to.Add(new Mul(), x, x),
        _ => to.Add(new Pow(), to.Add(new Abs(), x), to.Scalar(p)),
    };

    /// <summary>The norm of a sum of such terms.</summary>
    public static Value Root(Composition to, Value sum, long p) => p switch
    {
        1 => sum,
        2 => to.Add(new Sqrt(), sum),
        _ => to.Add(new Pow(), sum, to.Scalar(1.0 / p)),
    };

    /// <summary>Elements over their norm; where that is 0 they stay.</summary>
    public static Value Over(Composition to, Value x, Value norm) =>
        to.Add(new Div(), x, to.Add(new Where(), to.Add(new Equal(), norm, to.Scalar(0)), to.Scalar(1), norm));
}
