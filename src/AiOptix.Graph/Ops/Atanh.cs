namespace AiOptix.Graphs.Ops;

/// <summary>ONNX Atanh: the inverse hyperbolic tangent.</summary>
public sealed record Atanh : UnaryFloat
{
    /// <inheritdoc/>
    protected override double Apply(double x) => Math.Atanh(x);
}
