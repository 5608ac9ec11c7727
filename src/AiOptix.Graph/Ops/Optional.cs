using AiOptix.Tensors;

namespace AiOptix.Graphs.Ops;

/// <summary>ONNX Optional: an optional that holds the input, or an empty one when there is none.</summary>
/// <param name="Content">What an empty one would hold; null when there is an input.</param>
public sealed record Optional(GraphType? Content = null) : Operator
{
    /// <inheritdoc/>
    public override void Infer(InferenceContext context) =>
        context.Set(0, new OptionalType(context.Has(0) ? context.Type(0) : Content ?? throw context.Error("an optional without a content needs the attribute 'type'")));

    /// <inheritdoc/>
    public override void Evaluate(EvaluationContext context) => context.Set(0, new OptionalValue(context.Has(0) ? context.Value(0).Share() : null));
}
