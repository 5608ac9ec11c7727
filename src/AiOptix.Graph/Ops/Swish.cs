using AiOptix.Graphs.Evaluate;

namespace AiOptix.Graphs.Ops;

/// <summary>ONNX Swish: x sigmoid(alpha x).</summary>
/// <param name="Alpha">The factor inside the sigmoid.</param>
public sealed record Swish(float Alpha = 1) : UnaryFloat
{
    /// <inheritdoc/>
    protected override double Apply(double x) => x * SpecialFunctions.Sigmoid(Alpha * x);
}
