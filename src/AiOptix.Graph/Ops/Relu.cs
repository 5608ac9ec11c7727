namespace AiOptix.Graphs.Ops;

/// <summary>ONNX Relu: x where it is positive, otherwise 0.</summary>
public sealed record Relu : UnaryNumeric
{
    /// <inheritdoc/>
    protected override double Apply(double x) => Math.Max(x, 0);

    /// <inheritdoc/>
    protected override long Apply(long x) => Math.Max(x, 0);

    /// <inheritdoc/>
    protected override ulong ApplyUnsigned(ulong x) => x;

    /// <inheritdoc/>
    protected override Dim? Follow(Dim x) => Dim.Max(x, Dim.Zero);
}
