namespace AiOptix.Kernels.Pool;

/// <summary>
/// The contract of max and average pooling over a dense float tensor [planes, spatial…, channels] with one to three spatial axes. Pads and output sizes
/// are resolved by the caller (auto_pad, ceil mode). A window may reach beyond the end pad (ceil mode); what lies there counts neither as a
/// value nor in the divisor. Every array has one entry a spatial axis, outermost first.
/// </summary>
/// <param name="Max">True for max, false for average.</param>
/// <param name="Planes">Product of the batch and, unless they lie last, channel sizes.</param>
/// <param name="Input">Input sizes.</param>
/// <param name="Output">Output sizes.</param>
/// <param name="Kernel">Window sizes.</param>
/// <param name="Stride">Window steps.</param>
/// <param name="Dilation">Distances between elements of a window.</param>
/// <param name="PadBegin">Padding before the first element, not negative.</param>
/// <param name="PadEnd">Padding behind the last element, not negative.</param>
/// <param name="CountIncludePad">Average: whether padding counts in the divisor.</param>
/// <param name="Channels">Channels that lie last; 1 where they lie before the spatial axes.</param>
/// <param name="XPitch">With channels last: elements from a pixel of the argument to the next; 0 when it is dense.</param>
/// <param name="YPitch">The same of the result.</param>
public sealed record PoolDescriptor(bool Max, long Planes, long[] Input, long[] Output, long[] Kernel, long[] Stride, long[] Dilation, long[] PadBegin, long[] PadEnd,
    bool CountIncludePad, long Channels = 1, long XPitch = 0, long YPitch = 0);

/// <summary>What a pooling kernel needs for one output line.</summary>
public unsafe struct PoolLine
{
    /// <summary>The first valid input line of the window.</summary>
    public float* X;
    /// <summary>The output line.</summary>
    public float* Y;
    /// <summary>Scratch: the joined line, its even and its odd elements, each of <see cref="LineLength"/> floats.</summary>
    public float* Scratch;
    /// <summary>Per output column, the divisor's share of columns; null for max.</summary>
    public float* ColumnCounts;
    /// <summary>The divisor's share of lines.</summary>
    public float LineCount;
    /// <summary>Valid window entries along depth.</summary>
    public long Depths;
    /// <summary>Their distance in elements.</summary>
    public long DepthStride;
    /// <summary>Valid window entries along height.</summary>
    public long Heights;
    /// <summary>Their distance in elements.</summary>
    public long HeightStride;
    /// <summary>Input elements of a line that any window touches.</summary>
    public long Width;
    /// <summary>Padding before the line.</summary>
    public long Pad;
    /// <summary>Length of the padded line that windows touch.</summary>
    public long LineLength;
    /// <summary>Output columns.</summary>
    public long Columns;
    /// <summary>Window width.</summary>
    public long Kernel;
    /// <summary>Window step.</summary>
    public long Stride;
    /// <summary>Distance between window elements.</summary>
    public long Dilation;
}
