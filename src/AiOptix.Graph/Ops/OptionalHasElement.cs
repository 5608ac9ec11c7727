using AiOptix.Tensors;

namespace AiOptix.Graphs.Ops;

/// <summary>ONNX OptionalHasElement: whether an optional holds something, one bool. A tensor or sequence stands for an optional that holds it, no input for an empty one.</summary>
public sealed record OptionalHasElement : Operator
{
    /// <inheritdoc/>
    public override void Infer(InferenceContext context) => context.Set(0, DType.Bool, new SymbolicShape());

    /// <inheritdoc/>
    public override void Evaluate(EvaluationContext context) =>
        context.Set(0, Tensor.Scalar(context.Has(0) && context.Value(0) is not OptionalValue { Content: null }));
}
