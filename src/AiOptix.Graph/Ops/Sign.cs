namespace AiOptix.Graphs.Ops;

/// <summary>ONNX Sign: -1, 0 or 1; NaN stays NaN.</summary>
public sealed record Sign : UnaryNumeric
{
    /// <inheritdoc/>
    protected override double Apply(double x) => double.IsNaN(x) ? x : Math.Sign(x);

    /// <inheritdoc/>
    protected override long Apply(long x) => Math.Sign(x);

    /// <inheritdoc/>
    protected override ulong ApplyUnsigned(ulong x) => x == 0 ? 0UL : 1UL;
}
