using AiOptix.Tensors;

namespace AiOptix.Graphs.Ops;

/// <summary>ONNX SequenceConstruct: a sequence of the inputs.</summary>
public sealed record SequenceConstruct : Operator
{
    /// <inheritdoc/>
    public override void Infer(InferenceContext context)
    {
        if (context.InputCount == 0) throw context.Error("at least one input is required");
        context.Set(0, new SequenceType(Enumerable.Range(0, context.InputCount).Select(context.Type).Aggregate(context.Both)));
    }

    /// <inheritdoc/>
    public override void Evaluate(EvaluationContext context) =>
        context.Set(0, new SequenceValue([.. Enumerable.Range(0, context.InputCount).Select(i => context.Value(i).Share())]));
}
