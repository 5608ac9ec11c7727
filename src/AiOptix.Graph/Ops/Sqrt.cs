namespace AiOptix.Graphs.Ops;

/// <summary>ONNX Sqrt: the square root; NaN for negative numbers.</summary>
public sealed record Sqrt : UnaryFloat
{
    /// <inheritdoc/>
    protected override double Apply(double x) => Math.Sqrt(x);
}
