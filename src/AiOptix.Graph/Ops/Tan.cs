namespace AiOptix.Graphs.Ops;

/// <summary>ONNX Tan: the tangent; radians.</summary>
public sealed record Tan : UnaryFloat
{
    /// <inheritdoc/>
    protected override double Apply(double x) => Math.Tan(x);
}
