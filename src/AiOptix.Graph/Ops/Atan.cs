namespace AiOptix.Graphs.Ops;

/// <summary>ONNX Atan: the inverse tangent.</summary>
public sealed record Atan : UnaryFloat
{
    /// <inheritdoc/>
    protected override double Apply(double x) => Math.Atan(x);
}
