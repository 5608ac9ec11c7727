namespace AiOptix.Graphs.Ops;

/// <summary>ONNX HardSigmoid: max(0, min(1, alpha x + beta)).</summary>
/// <param name="Alpha">The slope.</param>
/// <param name="Beta">The value at 0.</param>
public sealed record HardSigmoid(float Alpha = 0.2f, float Beta = 0.5f) : UnaryFloat
{
    /// <inheritdoc/>
    protected override double Apply(double x) => Math.Clamp(Alpha * x + Beta, 0, 1);
}
