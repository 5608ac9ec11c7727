namespace AiOptix.Graphs.Ops;

/// <summary>ONNX HardSwish: x times max(0, min(1, x / 6 + 0.5)).</summary>
public sealed record HardSwish : UnaryFloat
{
    /// <inheritdoc/>
    protected override double Apply(double x) => x * Math.Clamp(x / 6 + 0.5, 0, 1);
}
