using AiOptix.Tensors;

namespace AiOptix.Graphs.Ops;

/// <summary>ONNX OptionalGetElement: what an optional holds. A tensor or sequence stands for an optional that holds it.</summary>
public sealed record OptionalGetElement : Operator
{
    /// <inheritdoc/>
    public override void Infer(InferenceContext context) => context.Set(0, context.Type(0) is OptionalType o ? context.Taken(o.Element) : context.Type(0));

    /// <inheritdoc/>
    public override void Evaluate(EvaluationContext context) => context.Set(0, context.Value(0) switch
    {
        OptionalValue { Content: { } content } => content.Share(),
        OptionalValue => throw context.Error("the optional is empty"),
        var v => v.Share(),
    });
}
