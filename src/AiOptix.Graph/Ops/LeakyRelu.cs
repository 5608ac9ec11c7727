namespace AiOptix.Graphs.Ops;

/// <summary>ONNX LeakyRelu: x, or alpha x where x is negative.</summary>
/// <param name="Alpha">The slope below 0.</param>
public sealed record LeakyRelu(float Alpha = 0.01f) : UnaryFloat
{
    /// <inheritdoc/>
    protected override double Apply(double x) => x < 0 ? Alpha * x : x;
}
