using AiOptix.Tensors;

namespace AiOptix.Graphs;

/// <summary>A tensor as an attribute of an operator: equal to another of the same type, shape and bits.</summary>
public sealed class TensorAttribute : IEquatable<TensorAttribute>
{
    /// <summary>Takes the tensor over; it must not change afterwards.</summary>
    public TensorAttribute(Tensor tensor) => Tensor = tensor;

    /// <summary>The tensor. Never written to.</summary>
    public Tensor Tensor { get; }

    /// <summary>A tensor as an attribute.</summary>
    public static implicit operator TensorAttribute(Tensor tensor) => new(tensor);

    /// <inheritdoc/>
    public bool Equals(TensorAttribute? other) => other is not null && Tensor.BitEquals(other.Tensor);

    /// <inheritdoc/>
    public override bool Equals(object? obj) => Equals(obj as TensorAttribute);

    /// <inheritdoc/>
    public override int GetHashCode() => HashCode.Combine(Tensor.DType, Tensor.Shape);

    /// <summary><c>float32[1]</c></summary>
    public override string ToString() => Tensor.ToString();
}
