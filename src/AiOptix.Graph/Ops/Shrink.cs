namespace AiOptix.Graphs.Ops;

/// <summary>ONNX Shrink: x + bias below -lambda, x - bias above lambda, 0 between.</summary>
/// <param name="Bias">How far values move toward 0.</param>
/// <param name="Lambda">The threshold.</param>
public sealed record Shrink(float Bias = 0, float Lambda = 0.5f) : UnaryNumeric
{
    /// <inheritdoc/>
    protected override double Apply(double x) => x < -Lambda ? x + Bias : x > Lambda ? x - Bias : 0;

    /// <inheritdoc/>
    protected override long Apply(long x) => (long)Apply((double)x);

    /// <inheritdoc/>
    protected override ulong ApplyUnsigned(ulong x) => (ulong)Apply((double)x);
}
