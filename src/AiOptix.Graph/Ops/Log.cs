namespace AiOptix.Graphs.Ops;

/// <summary>ONNX Log: the natural logarithm; NaN for negative numbers.</summary>
public sealed record Log : UnaryFloat
{
    /// <inheritdoc/>
    protected override double Apply(double x) => Math.Log(x);
}
