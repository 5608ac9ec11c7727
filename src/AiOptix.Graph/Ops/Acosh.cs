namespace AiOptix.Graphs.Ops;

/// <summary>ONNX Acosh: the inverse hyperbolic cosine.</summary>
public sealed record Acosh : UnaryFloat
{
    /// <inheritdoc/>
    protected override double Apply(double x) => Math.Acosh(x);
}
