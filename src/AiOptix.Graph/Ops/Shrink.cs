using AiOptix.Tensors;
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

    /// <inheritdoc/>
    public override bool Compose(Composition to)
    {
        if (!to.IsSingle || to[0].DType != DType.Float32) return false;
        var above = to.Add(new Where(), to.Add(new Greater(), to[0], to.Scalar(Lambda)), to.Add(new Sub(), to[0], to.Scalar(Bias)), to.Scalar(0));
        return to.Set(0, to.Add(new Where(), to.Add(new Less(), to[0], to.Scalar(-Lambda)), to.Add(new Add(), to[0], to.Scalar(Bias)), above));
    }
}
