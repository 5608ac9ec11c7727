namespace AiOptix.Graphs.Ops;

/// <summary>ONNX Cos: the cosine; radians.</summary>
public sealed record Cos : UnaryFloat
{
    /// <inheritdoc/>
    protected override double Apply(double x) => Math.Cos(x);
}
