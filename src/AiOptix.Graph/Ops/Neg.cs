namespace AiOptix.Graphs.Ops;

/// <summary>ONNX Neg: the negative.</summary>
public sealed record Neg : UnaryNumeric
{
    /// <inheritdoc/>
    protected override double Apply(double x) => -x;

    /// <inheritdoc/>
    protected override long Apply(long x) => unchecked(-x);

    /// <inheritdoc/>
    protected override Dim? Follow(Dim x) => x * -1L;
}
