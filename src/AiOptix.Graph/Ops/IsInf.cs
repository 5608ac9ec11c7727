namespace AiOptix.Graphs.Ops;

/// <summary>ONNX IsInf: true where an element is infinite.</summary>
/// <param name="DetectNegative">Whether negative infinity counts.</param>
/// <param name="DetectPositive">Whether positive infinity counts.</param>
public sealed record IsInf(bool DetectNegative = true, bool DetectPositive = true) : FloatTest
{
    /// <inheritdoc/>
    protected override bool Holds(double x) => (DetectNegative && double.IsNegativeInfinity(x)) || (DetectPositive && double.IsPositiveInfinity(x));
}
