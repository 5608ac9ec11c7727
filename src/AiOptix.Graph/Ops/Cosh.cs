namespace AiOptix.Graphs.Ops;

/// <summary>ONNX Cosh: the hyperbolic cosine.</summary>
public sealed record Cosh : UnaryFloat
{
    /// <inheritdoc/>
    protected override double Apply(double x) => Math.Cosh(x);
}
