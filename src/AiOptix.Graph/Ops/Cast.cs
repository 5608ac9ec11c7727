using AiOptix.Graphs.Evaluate;
using AiOptix.Tensors;

namespace AiOptix.Graphs.Ops;

/// <summary>ONNX Cast: every element in another type. The rules are those of <see cref="ElementTypes.Convert"/>.</summary>
/// <param name="To">The type.</param>
/// <param name="Saturate">Whether values out of range of a narrow float give its largest value rather than infinity or NaN.</param>
/// <param name="Rounding">How values become float8e8m0.</param>
public sealed record Cast(DType To, bool Saturate = true, PowerRounding Rounding = PowerRounding.Up) : Operator
{
    /// <inheritdoc/>
    public override void Infer(InferenceContext context) => Infer(context, To);

    /// <inheritdoc/>
    public override void Evaluate(EvaluationContext context)
    {
        context.Limits.CheckTensor(To, context.Input(0).Shape, $"output 0 of node {context.Node}");
        context.Set(0, ElementTypes.Convert(context.Input(0), To, Saturate, Rounding));
    }

    internal static void Infer(InferenceContext context, DType to)
    {
        context.Require(0, ElementTypes.IsConvertible, "any type but complex numbers");
        if (!ElementTypes.IsConvertible(to)) throw context.Error($"there is no conversion to {to.Name()}");
        context.Set(0, to, context.Shape(0));
        if (to is DType.Int64 or DType.Int32) context.SetElements(0, context.Elements(0));
    }
}
