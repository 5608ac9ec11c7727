using AiOptix.Tensors;

namespace AiOptix.Graphs;

/// <summary>The type of an edge of the graph.</summary>
public abstract record GraphType;

/// <summary>A tensor; the shape is null when not even the rank is known.</summary>
public sealed record TensorType(DType DType, SymbolicShape? Shape) : GraphType
{
    // By hand: comparers of enumerations are made by reflection when they are first met.
    /// <inheritdoc/>
    public bool Equals(TensorType? other) => ReferenceEquals(this, other) || (other is not null && DType == other.DType && (Shape is null ? other.Shape is null : Shape.Equals(other.Shape)));

    /// <inheritdoc/>
    public override int GetHashCode() => HashCode.Combine((int)DType, Shape);

    /// <inheritdoc/>
    public override string ToString() => DType.Name() + (Shape is null ? "[?]" : Shape.ToString());
}

/// <summary>A list of values of one type.</summary>
public sealed record SequenceType(GraphType Element) : GraphType
{
    /// <inheritdoc/>
    public override string ToString() => $"seq({Element})";
}

/// <summary>A value or nothing.</summary>
public sealed record OptionalType(GraphType Element) : GraphType
{
    /// <inheritdoc/>
    public override string ToString() => $"optional({Element})";
}

/// <summary>A dictionary.</summary>
public sealed record MapType(DType Key, GraphType Value) : GraphType
{
    /// <inheritdoc/>
    public override string ToString() => $"map({Key.Name()},{Value})";
}
