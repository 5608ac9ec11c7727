namespace AiOptix.Graphs.Ops;

/// <summary>ONNX Floor: the largest integer that is not greater.</summary>
public sealed record Floor : UnaryFloat
{
    /// <inheritdoc/>
    protected override double Apply(double x) => Math.Floor(x);
}
