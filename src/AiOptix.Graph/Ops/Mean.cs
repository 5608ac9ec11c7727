using AiOptix.Graphs.Evaluate;
using AiOptix.Tensors;

namespace AiOptix.Graphs.Ops;

/// <summary>ONNX Mean: the mean of one or more floats.</summary>
public sealed record Mean : Variadic
{
    /// <inheritdoc/>
    protected override bool Allows(DType type) => NumericTypes.IsFloat(type);

    /// <inheritdoc/>
    protected override Tensor Evaluate(IReadOnlyList<Tensor> operands, Shape shape) => Total(operands, shape, 1.0 / operands.Count);
}
