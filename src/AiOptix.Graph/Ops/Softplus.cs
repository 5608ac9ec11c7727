using AiOptix.Graphs.Evaluate;

namespace AiOptix.Graphs.Ops;

/// <summary>ONNX Softplus: log(1 + exp(x)).</summary>
public sealed record Softplus : UnaryFloat
{
    /// <inheritdoc/>
    protected override double Apply(double x) => SpecialFunctions.Softplus(x);
}
