using AiOptix.Tensors;

namespace AiOptix.Kernels.Choice;

/// <summary>How much a kernel does for a problem, counted from the shape: what the cost of a candidate is reckoned from.</summary>
/// <param name="Tasks">Shares that the work is cut into.</param>
/// <param name="Tiles">Tiles of sums that are computed, a block of their terms each.</param>
/// <param name="Products">Multiplications of a vector.</param>
/// <param name="Steps">Steps of a tile's sums: each loads weights and waits for the sums of the step before.</param>
/// <param name="Weights">Bytes of weights as the kernel reads them, what fills up panels included; those that outgrow the second-level cache as often as they are gone through.</param>
/// <param name="Streamed">Bytes of input and output, where these outgrow the second-level cache.</param>
/// <param name="Copied">Elements that are copied, packed or transformed before they are multiplied.</param>
/// <param name="Stored">Vectors of sums that are stored, as often as they are.</param>
public readonly record struct KernelWork(double Tasks, double Tiles, double Products, double Steps, double Weights, double Streamed, double Copied, double Stored)
{
    /// <summary>Figures of a work and of a cost, the call itself included.</summary>
    public const int Figures = 9;

    /// <summary>The figures; the first one stands for the call.</summary>
    public double this[int figure] => figure switch
    {
        0 => 1,
        1 => Tasks,
        2 => Tiles,
        3 => Products,
        4 => Steps,
        5 => Weights,
        6 => Streamed,
        7 => Copied,
        _ => Stored,
    };

    // Weights of some part of the last-level cache come from memory, for the rest of a model has gone through it since; how many times as long that takes.
    private const double FarPart = 1 / 8.0, Far = 3;

    /// <summary>
    /// Bytes moved by operands that are gone through several times: those that outgrow half of the second-level cache come again each time, and those that outgrow an eighth of the last-level one do so
    /// from memory.
    /// </summary>
    internal static double Passes(double bytes, double times, Target target)
    {
        if (bytes <= target.L2Bytes / 2.0) return bytes;
        return bytes * Math.Max(1, times) * (bytes > target.L3Bytes * FarPart ? Far : 1);
    }

    /// <summary>Bytes of input and output that do not stay in the second-level cache.</summary>
    internal static double Beyond(double bytes, int cacheBytes) => bytes > cacheBytes / 2.0 ? bytes : 0;
}
