namespace AiOptix.Graphs.Ops;

/// <summary>ONNX Or: whether at least one of the operands is true.</summary>
public sealed record Or : Logical
{
    /// <inheritdoc/>
    protected override bool Apply(bool a, bool b) => a || b;
}
