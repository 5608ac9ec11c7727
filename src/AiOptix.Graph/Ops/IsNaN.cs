namespace AiOptix.Graphs.Ops;

/// <summary>ONNX IsNaN: true where an element is not a number.</summary>
public sealed record IsNaN : FloatTest
{
    /// <inheritdoc/>
    protected override bool Holds(double x) => double.IsNaN(x);
}
