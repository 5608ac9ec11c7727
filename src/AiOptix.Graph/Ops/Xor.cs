namespace AiOptix.Graphs.Ops;

/// <summary>ONNX Xor: whether exactly one of the operands is true.</summary>
public sealed record Xor : Logical
{
    /// <inheritdoc/>
    protected override bool Apply(bool a, bool b) => a != b;
}
