using AiOptix.Graphs.Evaluate;

namespace AiOptix.Graphs.Ops;

/// <summary>ONNX Gelu: x times the normal distribution function, x (1 + erf(x / sqrt 2)) / 2, or its approximation x (1 + tanh(sqrt(2 / pi) (x + 0.044715 x^3))) / 2.</summary>
/// <param name="TanhApproximation">Use the approximation.</param>
public sealed record Gelu(bool TanhApproximation = false) : UnaryFloat
{
    /// <inheritdoc/>
    protected override double Apply(double x) => TanhApproximation
        ? 0.5 * x * (1 + Math.Tanh(Math.Sqrt(2 / Math.PI) * (x + 0.044715 * x * x * x)))
        : 0.5 * x * SpecialFunctions.Erfc(-x / Math.Sqrt(2));
}
