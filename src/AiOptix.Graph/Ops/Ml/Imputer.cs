using AiOptix.Graphs.Evaluate;
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

    /// <inheritdoc/>
    public override bool Compose(Composition to)
    {
        var type = to[0].DType;
        var count = type.IsFloat() ? Floats.Count : Integers.Count;
        if (count != 1 && (to[0].Shape is not { Rank: > 0 } s || s[-1].Constant != count)) return false;
        if (type == DType.Int32 && Integers.Append(MissingInteger).Any(v => v != (int)v)) return false;
        var shape = count == 1 ? Shape.Scalar : new Shape(count);
        var values = type switch
        {
            DType.Int64 => Tensor.From(Integers.Span, shape),
            DType.Int32 => Tensor.From<int>([.. Integers.Select(v => (int)v)], shape),
            _ => ElementTypes.From([.. Floats.Select(v => (double)v)], type, shape),
        };
        var missing = type switch
        {
            DType.Int64 => Tensor.Scalar(MissingInteger),
            DType.Int32 => Tensor.Scalar((int)MissingInteger),
            _ => ElementTypes.From([Missing], type, Shape.Scalar),
        };
        var isMissing = type.IsFloat() && float.IsNaN(Missing) ? to.Add(new IsNaN(), to[0]) : to.Add(new Equal(), to[0], to.Constant(missing));
        return to.Set(0, to.Add(new Where(), isMissing, to.Constant(values), to[0]));
    }
}
