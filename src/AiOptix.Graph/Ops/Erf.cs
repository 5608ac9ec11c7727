using AiOptix.Graphs.Evaluate;

namespace AiOptix.Graphs.Ops;

/// <summary>ONNX Erf: the error function.</summary>
public sealed record Erf : UnaryFloat
{
    /// <inheritdoc/>
    protected override double Apply(double x) => SpecialFunctions.Erf(x);
}
