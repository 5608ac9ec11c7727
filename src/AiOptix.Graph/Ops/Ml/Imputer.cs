using AiOptix.Tensors;

namespace AiOptix.Graphs.Ops.Ml;

/// <summary>ONNX ML Imputer: elements that equal one value replaced by another, one for all or one a feature (the last axis). NaN equals NaN.</summary>
/// <param name="Floats">What floats are replaced by.</param>
/// <param name="Missing">The float that is replaced.</param>
/// <param name="Integers">What integers are replaced by.</param>
/// <param name="MissingInteger">The integer that is replaced.</param>
public sealed record Imputer(ValueList<float> Floats, float Missing = 0, ValueList<long> Integers = default, long MissingInteger = 0) : Operator
{
    /// <inheritdoc/>
    public override void Infer(InferenceContext context)
    {
        var type = FeatureRows.Require(context);
        if (Numbers.IsReal(type) ? Floats.Count == 0 : Integers.Count == 0) throw context.Error($"there are no values to put in place of missing ones of type {type.Name()}");
        context.Set(0, type, context.Shape(0));
    }

    /// <inheritdoc/>
    public override void Evaluate(EvaluationContext context)
    {
        var x = context.Input(0);
        var output = context.Allocate(0, x.DType, x.Shape);
        if (Numbers.IsReal(x.DType))
        {
            var values = x.ToReals();
            for (var i = 0; i < values.Length; i++)
                if (values[i].Equals((double)Missing)) values[i] = FeatureRows.Pick(context, Floats, i, x.Shape, "imputed_value_floats");
            output.Store(values);
            return;
        }
        var integers = x.ToInt64();
        for (var i = 0; i < integers.Length; i++)
            if (integers[i] == MissingInteger) integers[i] = FeatureRows.Pick(context, Integers, i, x.Shape, "imputed_value_int64s");
        output.Store(integers);
    }
}
