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

    /// <inheritdoc/>
    public override bool Compose(Composition to)
    {
        if (!Fits(Offset) || !Fits(Scale)) return false;
        // Other types are reckoned with in float64, as the evaluation does.
        var type = to[0].DType == DType.Float32 ? DType.Float32 : DType.Float64;
        var x = to[0].DType == type ? to[0] : to.Add(new Cast(type), to[0]);
        if (Offset.Count > 0) x = to.Add(new Sub(), x, Operand(Offset));
        if (Scale.Count > 0) x = to.Add(new Mul(), x, Operand(Scale));
        return to.Set(0, type == DType.Float32 ? x : to.Add(new Cast(DType.Float32), x));

        bool Fits(ValueList<float> values) => values.Count <= 1 || (to[0].Shape is { Rank: > 0 } s && s[-1].Constant == values.Count);
        Value Operand(ValueList<float> values) => to.Constant(ElementTypes.From([.. values.Select(v => (double)v)], type, values.Count == 1 ? Shape.Scalar : new Shape(values.Count)));
    }
}
