namespace AiOptix.Graphs.Ops;

/// <summary>ONNX Ceil: the smallest integer that is not less.</summary>
public sealed record Ceil : UnaryFloat
{
    /// <inheritdoc/>
    protected override double Apply(double x) => Math.Ceiling(x);
}
