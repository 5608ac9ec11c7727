namespace AiOptix.Graphs.Ops;

/// <summary>ONNX Sin: the sine; radians.</summary>
public sealed record Sin : UnaryFloat
{
    /// <inheritdoc/>
    protected override double Apply(double x) => Math.Sin(x);
}
