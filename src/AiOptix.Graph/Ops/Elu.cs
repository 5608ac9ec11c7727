using AiOptix.Graphs.Evaluate;

namespace AiOptix.Graphs.Ops;

/// <summary>ONNX Elu: x, or alpha (exp(x) - 1) where x is negative.</summary>
/// <param name="Alpha">The negative of the limit below.</param>
public sealed record Elu(float Alpha = 1) : UnaryFloat
{
    /// <inheritdoc/>
    protected override double Apply(double x) => x < 0 ? Alpha * SpecialFunctions.ExpM1(x) : x;
}
