using AiOptix.Tensors;

namespace AiOptix.Graphs.Ops;

/// <summary>
/// ONNX OneHot: a new axis of extent depth (input 1) in which the place that the index (input 0, negative from the end) names holds the second element
/// of input 2 and all others the first. An index out of range gives a row of the first.
/// </summary>
/// <param name="Axis">Where the new axis stands in the output; negative counts from the end.</param>
public sealed record OneHot(long Axis = -1) : Operator
{
    /// <inheritdoc/>
    public override void Infer(InferenceContext context)
    {
        context.Require(0, Numbers.IsNumber, "a numeric type");
        context.Require(1, Numbers.IsNumber, "a numeric type");
        if (context.Length(2) is { } n and not 2) throw context.Error($"input 2 must hold the off and the on value, found {n} elements");
        if (context.Shape(0) is not { } s)
        {
            context.Set(0, context.DType(2), null);
            return;
        }
        var axis = context.Axis(Axis, s.Rank + 1);
        var depth = context.Constant(1) is { } c ? Depth(c) : context.Elements(1) is [var d] ? d : context.Fresh();
        if (depth.Constant < 0) throw context.Error($"depth {depth} is negative");
        context.Set(0, context.DType(2), new([.. s.Take(axis), depth, .. s.Skip(axis)]));
    }

    /// <inheritdoc/>
    public override void Evaluate(EvaluationContext context)
    {
        var indices = context.Input(0);
        var values = context.Input(2);
        var depth = Depth(context.Input(1));
        if (depth < 0) throw context.Error($"depth {depth} is negative");
        if (values.Count != 2) throw context.Error($"input 2 must hold the off and the on value, found {values}");
        var s = indices.Shape;
        var axis = context.Axis(Axis, s.Rank + 1);
        var output = context.Allocate(0, values.DType, new Shape([.. s.Take(axis), depth, .. s.Skip(axis)]), zeroed: values.DType.IsPacked());
        var mover = new ElementMover(values, output);
        mover.Fill(0, output.Count);
        var inner = s.Product(axis, s.Rank);
        var at = Numbers.IsReal(indices.DType) ? Array.ConvertAll(indices.ToReals(), v => (long)v) : indices.ToInt64();
        for (long i = 0; i < at.Length; i++)
            if (at[i] >= -depth && at[i] < depth)
                mover.Copy(1, (i / inner * depth + (at[i] < 0 ? at[i] + depth : at[i])) * inner + i % inner, 1);
    }

    private static long Depth(Tensor t) => t.Count != 1 ? -1 : Numbers.IsReal(t.DType) ? (long)t.ToReals()[0] : t.ToInt64()[0];
}
