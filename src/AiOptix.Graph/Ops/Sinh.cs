namespace AiOptix.Graphs.Ops;

/// <summary>ONNX Sinh: the hyperbolic sine.</summary>
public sealed record Sinh : UnaryFloat
{
    /// <inheritdoc/>
    protected override double Apply(double x) => Math.Sinh(x);
}
