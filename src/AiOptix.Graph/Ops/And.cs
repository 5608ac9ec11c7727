namespace AiOptix.Graphs.Ops;

/// <summary>ONNX And: whether both operands are true.</summary>
public sealed record And : Logical
{
    /// <inheritdoc/>
    protected override bool Apply(bool a, bool b) => a && b;
}
