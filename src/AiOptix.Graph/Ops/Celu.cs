using AiOptix.Graphs.Evaluate;

namespace AiOptix.Graphs.Ops;

/// <summary>ONNX Celu: max(0, x) + min(0, alpha (exp(x / alpha) - 1)).</summary>
/// <param name="Alpha">The negative of the limit below.</param>
public sealed record Celu(float Alpha = 1) : UnaryFloat
{
    /// <inheritdoc/>
    protected override double Apply(double x) => Math.Max(0, x) + Math.Min(0, Alpha * SpecialFunctions.ExpM1(x / Alpha));
}
