namespace AiOptix.Kernels.Resize;

/// <summary>One axis of a resize: every output position is a weighted sum of neighbouring input positions.</summary>
/// <param name="Input">Input positions.</param>
/// <param name="Output">Output positions.</param>
/// <param name="Taps">Input positions that an output position is made of; 0 for an axis that stays as it is.</param>
/// <param name="Positions"><paramref name="Taps"/> input positions an output position, ascending by at most one, within the input.</param>
/// <param name="Weights">Their weights.</param>
public sealed record ResizeTaps(int Input, int Output, int Taps, int[] Positions, double[] Weights)
{
    /// <summary>An axis that stays as it is.</summary>
    public static ResizeTaps Identity(int extent) => new(extent, extent, 0, [], []);

    /// <summary>True when output positions are input positions.</summary>
    public bool IsIdentity => Taps == 0;
}

/// <summary>The contract of a resize over floats: a dense [outer, rows, columns, inner] tensor of which rows and columns change.</summary>
/// <param name="Outer">Product of the extents before the rows.</param>
/// <param name="Rows">The rows.</param>
/// <param name="Columns">The columns.</param>
/// <param name="Inner">Product of the extents behind the columns.</param>
public sealed record ResizeDescriptor(long Outer, ResizeTaps Rows, ResizeTaps Columns, long Inner);
