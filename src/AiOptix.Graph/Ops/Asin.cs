namespace AiOptix.Graphs.Ops;

/// <summary>ONNX Asin: the inverse sine.</summary>
public sealed record Asin : UnaryFloat
{
    /// <inheritdoc/>
    protected override double Apply(double x) => Math.Asin(x);
}
