using AiOptix.Graphs.Evaluate;

namespace AiOptix.Graphs.Ops;

/// <summary>ONNX CastLike: every element in the type of input 1. The rules are those of <see cref="ElementTypes.Convert"/>.</summary>
/// <param name="Saturate">Whether values out of range of a narrow float give its largest value rather than infinity or NaN.</param>
/// <param name="Rounding">How values become float8e8m0.</param>
public sealed record CastLike(bool Saturate = true, PowerRounding Rounding = PowerRounding.Up) : Operator
{
    /// <inheritdoc/>
    public override void Infer(InferenceContext context) => Cast.Infer(context, context.DType(1));

    /// <inheritdoc/>
    public override void Evaluate(EvaluationContext context) => new Cast(context.Input(1).DType, Saturate, Rounding).Evaluate(context);
}
