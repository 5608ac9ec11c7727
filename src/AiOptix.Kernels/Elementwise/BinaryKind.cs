using AiOptix.Tensors;

namespace AiOptix.Kernels.Elementwise;

/// <summary>Functions of two arguments. Integers wrap around; nothing faults.</summary>
public enum BinaryKind
{
    /// <summary>a + b.</summary>
    Add,
    /// <summary>a − b.</summary>
    Sub,
    /// <summary>a·b.</summary>
    Mul,
    /// <summary>a / b; integers truncate, and division by zero gives 0.</summary>
    Div,
    /// <summary>The smaller; NaN when either is NaN.</summary>
    Min,
    /// <summary>The larger; NaN when either is NaN.</summary>
    Max,
    /// <summary>a to the power of b; integers of a negative power truncate towards zero.</summary>
    Pow,
    /// <summary>The remainder with the sign of b; 0 for integers when b is 0.</summary>
    Mod,
    /// <summary>The remainder with the sign of a; 0 for integers when b is 0.</summary>
    FMod,
    /// <summary>a where a ≥ 0, otherwise a·b.</summary>
    PRelu,
    /// <summary>Bitwise and; logical for booleans.</summary>
    And,
    /// <summary>Bitwise or; logical for booleans.</summary>
    Or,
    /// <summary>Bitwise exclusive or; logical for booleans.</summary>
    Xor,
    /// <summary>a shifted left by b; 0 when b is the width or more.</summary>
    ShiftLeft,
    /// <summary>a shifted right by b; 0 when b is the width or more.</summary>
    ShiftRight,
    /// <summary>a = b as a boolean; false with NaN.</summary>
    Equal,
    /// <summary>a ≠ b as a boolean; true with NaN.</summary>
    NotEqual,
    /// <summary>a &lt; b as a boolean.</summary>
    Less,
    /// <summary>a ≤ b as a boolean.</summary>
    LessOrEqual,
    /// <summary>a &gt; b as a boolean.</summary>
    Greater,
    /// <summary>a ≥ b as a boolean.</summary>
    GreaterOrEqual,
}

/// <summary>The contract of a binary operation with broadcasting: the result is dense and row-major over <paramref name="Dims"/>.</summary>
/// <param name="Kind">The function.</param>
/// <param name="Type">The element type of both arguments; comparisons give booleans, all else gives this type.</param>
/// <param name="Dims">Sizes of the result.</param>
/// <param name="AStrides">Distances in elements in the first argument, one an axis of the result; 0 stretches.</param>
/// <param name="BStrides">Distances in elements in the second argument.</param>
public sealed record BinaryDescriptor(BinaryKind Kind, DType Type, long[] Dims, long[] AStrides, long[] BStrides)
{
    /// <summary>True when the result is boolean.</summary>
    public bool Compares => Kind >= BinaryKind.Equal;
}

/// <summary>A rectangle of a binary operation; strides are in bytes, the result is dense along columns.</summary>
public struct BinaryTile
{
    /// <summary>Rectangle height.</summary>
    public long Rows;
    /// <summary>Rectangle width.</summary>
    public long Columns;
    /// <summary>First argument, from row to row.</summary>
    public long ARow;
    /// <summary>First argument, from column to column.</summary>
    public long AColumn;
    /// <summary>Second argument, from row to row.</summary>
    public long BRow;
    /// <summary>Second argument, from column to column.</summary>
    public long BColumn;
    /// <summary>Result, from row to row.</summary>
    public long YRow;
}
