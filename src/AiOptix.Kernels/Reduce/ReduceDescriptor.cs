namespace AiOptix.Kernels.Reduce;

/// <summary>What a reduction over floats computes.</summary>
public enum ReduceKind
{
    /// <summary>Σx.</summary>
    Sum,
    /// <summary>Σx / n.</summary>
    Mean,
    /// <summary>The largest; NaN when any is NaN; −∞ of nothing.</summary>
    Max,
    /// <summary>The smallest; NaN when any is NaN; +∞ of nothing.</summary>
    Min,
    /// <summary>Πx.</summary>
    Prod,
    /// <summary>Σx².</summary>
    SumSquare,
    /// <summary>Σ|x|.</summary>
    L1,
    /// <summary>√Σx².</summary>
    L2,
    /// <summary>log Σx.</summary>
    LogSum,
}

/// <summary>The contract of a reduction: a dense row-major float tensor of <paramref name="Dims"/>, reduced over the marked axes to a dense one of the rest.</summary>
/// <param name="Kind">What is computed.</param>
/// <param name="Dims">Sizes of the argument.</param>
/// <param name="Reduced">Which axes are reduced, one flag an axis.</param>
public sealed record ReduceDescriptor(ReduceKind Kind, long[] Dims, bool[] Reduced);

/// <summary>One line of a reduction: outputs along the innermost kept axis, each over all reduced axes. Strides are in elements.</summary>
public unsafe struct ReduceLine
{
    /// <summary>Reduced axes outside the innermost one, at most.</summary>
    public const int MostRunAxes = 16;

    /// <summary>Distance from output to output; 1 in the form that is vectorised over outputs.</summary>
    public long OutputStride;
    /// <summary>Length of the innermost reduced axis.</summary>
    public long Length;
    /// <summary>Its stride; 1 in the form that is vectorised along it.</summary>
    public long Stride;
    /// <summary>How often that axis is walked: the product of the outer reduced axes.</summary>
    public long Runs;
    /// <summary>Outer reduced axes.</summary>
    public int RunAxes;
    /// <summary>Their sizes, outermost first.</summary>
    public fixed long RunDim[MostRunAxes];
    /// <summary>Their strides.</summary>
    public fixed long RunStride[MostRunAxes];

    internal readonly long RunOffset(long run)
    {
        long offset = 0;
        for (var k = RunAxes - 1; k >= 0; k--)
        {
            offset += run % RunDim[k] * RunStride[k];
            run /= RunDim[k];
        }
        return offset;
    }
}
