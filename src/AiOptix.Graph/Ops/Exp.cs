namespace AiOptix.Graphs.Ops;

/// <summary>ONNX Exp: e to the power of x.</summary>
public sealed record Exp : UnaryFloat
{
    /// <inheritdoc/>
    protected override double Apply(double x) => Math.Exp(x);
}
