using AiOptix.Tensors;

namespace AiOptix.Graphs.Ops;

/// <summary>ONNX SequenceEmpty: a sequence without items.</summary>
/// <param name="DType">The element type of tensors that it may come to hold.</param>
public sealed record SequenceEmpty(DType DType = DType.Float32) : Operator
{
    /// <inheritdoc/>
    public override void Infer(InferenceContext context) => context.Set(0, new SequenceType(new TensorType(DType, null)));

    /// <inheritdoc/>
    public override void Evaluate(EvaluationContext context) => context.Set(0, new SequenceValue([]));
}
