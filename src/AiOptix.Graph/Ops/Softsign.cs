namespace AiOptix.Graphs.Ops;

/// <summary>ONNX Softsign: x / (1 + |x|).</summary>
public sealed record Softsign : UnaryFloat
{
    /// <inheritdoc/>
    protected override double Apply(double x) => x / (1 + Math.Abs(x));
}
