namespace AiOptix.Graphs.Ops;

/// <summary>ONNX Tanh: the hyperbolic tangent.</summary>
public sealed record Tanh : UnaryFloat
{
    /// <inheritdoc/>
    protected override double Apply(double x) => Math.Tanh(x);
}
