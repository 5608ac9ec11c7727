namespace AiOptix.Graphs.Ops;

/// <summary>ONNX Abs: the magnitude.</summary>
public sealed record Abs : UnaryNumeric
{
    /// <inheritdoc/>
    protected override double Apply(double x) => Math.Abs(x);

    /// <inheritdoc/>
    protected override long Apply(long x) => x < 0 ? unchecked(-x) : x;

    /// <inheritdoc/>
    protected override ulong ApplyUnsigned(ulong x) => x;

    /// <inheritdoc/>
    protected override Dim? Follow(Dim x) => x.IsNonNegative ? x : null;
}
