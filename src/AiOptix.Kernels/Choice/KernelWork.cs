namespace AiOptix.Kernels.Choice;

/// <summary>How much a kernel does for a problem, counted from the shape: what the cost of a candidate is reckoned from.</summary>
/// <param name="Tasks">Shares that the work is cut into.</param>
/// <param name="Products">Multiplications of a vector.</param>
/// <param name="Steps">Steps of a tile's sums: each loads weights and waits for the sums of the step before.</param>
/// <param name="Bytes">Bytes that come from or go beyond the second-level cache.</param>
/// <param name="Copied">Elements that are copied, packed or transformed before they are multiplied.</param>
/// <param name="Stored">Elements of sums that are stored, as often as they are.</param>
public readonly record struct KernelWork(double Tasks, double Products, double Steps, double Bytes, double Copied, double Stored)
{
    /// <summary>Figures of a work and of a cost, the call itself included.</summary>
    public const int Figures = 7;

    /// <summary>The figures; the first one stands for the call.</summary>
    public double this[int figure] => figure switch
    {
        0 => 1,
        1 => Tasks,
        2 => Products,
        3 => Steps,
        4 => Bytes,
        5 => Copied,
        _ => Stored,
    };

    /// <summary>Bytes moved by operands that are gone through several times: those that outgrow half of the second-level cache come again each time.</summary>
    internal static double Passes(double bytes, double times, int cacheBytes) => bytes > cacheBytes / 2.0 ? bytes * Math.Max(1, times) : bytes;
}
