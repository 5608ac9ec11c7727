using AiOptix.Graphs.Evaluate;

namespace AiOptix.Graphs.Ops;

/// <summary>ONNX Sigmoid: 1 / (1 + exp(-x)).</summary>
public sealed record Sigmoid : UnaryFloat
{
    /// <inheritdoc/>
    protected override double Apply(double x) => SpecialFunctions.Sigmoid(x);
}
