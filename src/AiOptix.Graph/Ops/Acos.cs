namespace AiOptix.Graphs.Ops;

/// <summary>ONNX Acos: the inverse cosine.</summary>
public sealed record Acos : UnaryFloat
{
    /// <inheritdoc/>
    protected override double Apply(double x) => Math.Acos(x);
}
