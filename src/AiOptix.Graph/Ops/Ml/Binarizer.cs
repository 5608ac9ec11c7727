using AiOptix.Graphs.Evaluate;
using AiOptix.Tensors;

namespace AiOptix.Graphs.Ops.Ml;

/// <summary>ONNX ML Binarizer: 1 for elements above a threshold, 0 for others, in the input's type.</summary>
/// <param name="Threshold">The threshold.</param>
public sealed record Binarizer(float Threshold = 0) : Operator
{
    /// <inheritdoc/>
    public override void Infer(InferenceContext context) => context.Set(0, FeatureRows.Require(context), context.Shape(0));

    /// <inheritdoc/>
    public override void Evaluate(EvaluationContext context)
    {
        var x = context.Input(0);
        var values = ElementTypes.ToFloat64(x);
        foreach (ref var v in values.AsSpan()) v = v > Threshold ? 1 : 0;
        ElementTypes.Write(context.Allocate(0, x.DType, x.Shape), 0, values);
    }

    /// <inheritdoc/>
    public override bool Compose(Composition to)
    {
        var type = to[0].DType;
        var x = type == DType.Float32 ? to[0] : to.Add(new Cast(DType.Float64), to[0]);
        return to.Set(0, to.Add(new Cast(type), to.Add(new Greater(), x, to.Number(Threshold, x.DType))));
    }
}
