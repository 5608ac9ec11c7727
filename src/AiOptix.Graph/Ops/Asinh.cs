namespace AiOptix.Graphs.Ops;

/// <summary>ONNX Asinh: the inverse hyperbolic sine.</summary>
public sealed record Asinh : UnaryFloat
{
    /// <inheritdoc/>
    protected override double Apply(double x) => Math.Asinh(x);
}
