namespace AiOptix.Graphs.Ops;

/// <summary>ONNX ThresholdedRelu: x where it is greater than alpha, otherwise 0.</summary>
/// <param name="Alpha">The threshold.</param>
public sealed record ThresholdedRelu(float Alpha = 1) : UnaryFloat
{
    /// <inheritdoc/>
    protected override double Apply(double x) => x > Alpha || double.IsNaN(x) ? x : 0;
}
