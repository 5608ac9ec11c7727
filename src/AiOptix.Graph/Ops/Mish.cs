using AiOptix.Graphs.Evaluate;

namespace AiOptix.Graphs.Ops;

/// <summary>ONNX Mish: x tanh(softplus(x)).</summary>
public sealed record Mish : UnaryFloat
{
    /// <inheritdoc/>
    protected override double Apply(double x) => x * Math.Tanh(SpecialFunctions.Softplus(x));
}
