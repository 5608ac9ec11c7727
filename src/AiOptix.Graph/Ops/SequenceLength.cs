using AiOptix.Tensors;

namespace AiOptix.Graphs.Ops;

/// <summary>ONNX SequenceLength: the number of items, a scalar of int64.</summary>
public sealed record SequenceLength : Operator
{
    /// <inheritdoc/>
    public override void Infer(InferenceContext context)
    {
        context.Element(0);
        context.Set(0, DType.Int64, new SymbolicShape());
    }

    /// <inheritdoc/>
    public override void Evaluate(EvaluationContext context) => context.Set(0, Tensor.Scalar((long)context.Items(0).Count));
}
