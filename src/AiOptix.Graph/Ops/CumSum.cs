using AiOptix.Tensors;

namespace AiOptix.Graphs.Ops;

/// <summary>ONNX CumSum: running sums along the axis that input 1 gives.</summary>
/// <param name="Exclusive">Leave the element itself out.</param>
/// <param name="Reverse">Sum from the end.</param>
public sealed record CumSum(bool Exclusive = false, bool Reverse = false) : Operator
{
    /// <inheritdoc/>
    public override void Infer(InferenceContext context)
    {
        context.Require(0, Numbers.IsNumber, "a numeric type");
        context.RequireIndices(1);
        if (context.Shape(0) is { } s && context.Integers(1) is [var axis]) context.Axis(axis, s.Rank);
        context.Set(0, context.DType(0), context.Shape(0));
    }

    /// <inheritdoc/>
    public override void Evaluate(EvaluationContext context)
    {
        var input = context.Input(0);
        var axis = context.Axis(context.Integer(1), input.Shape.Rank);
        var output = context.Allocate(0, input.DType, input.Shape);
        if (Numbers.IsReal(input.DType)) output.Store(Sums(input.ToReals(), input.Shape, axis));
        else output.Store(Sums(input.ToInt64(), input.Shape, axis));
    }

    private T[] Sums<T>(T[] values, Shape shape, int axis) where T : System.Numerics.INumber<T>
    {
        var n = shape[axis];
        var inner = shape.Product(axis + 1, shape.Rank);
        for (long line = 0; line < values.Length / Math.Max(1, n); line++)
        {
            var start = line / inner * n * inner + line % inner;
            var sum = T.Zero;
            for (long i = 0; i < n; i++)
            {
                ref var at = ref values[start + (Reverse ? n - 1 - i : i) * inner];
                var next = unchecked(sum + at);
                at = Exclusive ? sum : next;
                sum = next;
            }
        }
        return values;
    }
}
