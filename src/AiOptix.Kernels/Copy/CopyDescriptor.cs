namespace AiOptix.Kernels.Copy;

/// <summary>
/// The contract of a strided copy: <c>target[Σ iₖ·TargetStrides[k]] = source[Σ iₖ·SourceStrides[k]]</c> for every index within
/// <paramref name="Dims"/>. It covers Transpose, Slice (negative strides), Concat and Pad (a window of the target), Split, Expand (source
/// stride 0) and Tile. Source and target must not overlap and no two indices may name the same target element.
/// </summary>
/// <param name="ElementSize">Bytes of one element: 1, 2, 4, 8 or 16.</param>
/// <param name="Dims">Sizes, outermost first.</param>
/// <param name="SourceStrides">Distances in elements; any sign, 0 repeats.</param>
/// <param name="TargetStrides">Distances in elements; any sign.</param>
public sealed record CopyDescriptor(int ElementSize, long[] Dims, long[] SourceStrides, long[] TargetStrides);

/// <summary>What the innermost two axes of a normalised copy look like.</summary>
public enum CopyForm
{
    /// <summary>Rows of adjacent elements on both sides.</summary>
    Runs,
    /// <summary>Rows of adjacent target elements, all of one source element.</summary>
    Fill,
    /// <summary>Source elements adjacent along rows, target elements adjacent along columns.</summary>
    Transpose,
    /// <summary>Anything else.</summary>
    Strided,
}

/// <summary>A rectangle of a copy; strides are in bytes.</summary>
public struct CopyTile
{
    /// <summary>Rectangle height.</summary>
    public long Rows;
    /// <summary>Rectangle width.</summary>
    public long Columns;
    /// <summary>Source distance from row to row.</summary>
    public long SourceRow;
    /// <summary>Source distance from column to column.</summary>
    public long SourceColumn;
    /// <summary>Target distance from row to row.</summary>
    public long TargetRow;
    /// <summary>Target distance from column to column.</summary>
    public long TargetColumn;
    /// <summary>Bytes of one element.</summary>
    public long ElementSize;
}
