namespace AiOptix.Graphs.Ops;

/// <summary>ONNX Reciprocal: 1 / x.</summary>
public sealed record Reciprocal : UnaryFloat
{
    /// <inheritdoc/>
    protected override double Apply(double x) => 1 / x;
}
