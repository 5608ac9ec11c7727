using AiOptix.Graphs.Evaluate;
using AiOptix.Tensors;

namespace AiOptix.Graphs.Ops.Ml;

/// <summary>ONNX ML Scaler: (x - offset) · scale as float32; both have one value for all or one a feature (the last axis), and may be left out.</summary>
/// <param name="Offset">What is subtracted; empty for 0.</param>
/// <param name="Scale">The factor; empty for 1.</param>
public sealed record Scaler(ValueList<float> Offset = default, ValueList<float> Scale = default) : Operator
{
    /// <inheritdoc/>
    public override void Infer(InferenceContext context)
    {
        FeatureRows.Require(context);
        context.Set(0, DType.Float32, context.Shape(0));
    }

    /// <inheritdoc/>
    public override void Evaluate(EvaluationContext context)
    {
        var x = context.Input(0);
        var values = ElementTypes.ToFloat64(x);
        for (var i = 0; i < values.Length; i++)
        {
            if (Offset.Count > 0) values[i] -= FeatureRows.Pick(context, Offset, i, x.Shape, "offset");
            if (Scale.Count > 0) values[i] *= FeatureRows.Pick(context, Scale, i, x.Shape, "scale");
        }
        context.Allocate(0, DType.Float32, x.Shape).Store(values);
    }
}
