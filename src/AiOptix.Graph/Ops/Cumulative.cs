using System.Numerics;
using AiOptix.Tensors;

namespace AiOptix.Graphs.Ops;

/// <summary>What running sums and products share: the axis is input 1.</summary>
/// <param name="Exclusive">Leave the element itself out.</param>
/// <param name="Reverse">Go from the end.</param>
public abstract record Cumulative(bool Exclusive, bool Reverse) : Operator
{
    /// <summary>Takes one more element in.</summary>
    private protected abstract T Next<T>(T sofar, T element) where T : INumber<T>;

    /// <summary>The result of no elements.</summary>
    private protected abstract T Start<T>() where T : INumber<T>;

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
        if (Numbers.IsReal(input.DType)) output.Store(Run(input.ToReals(), input.Shape, axis));
        else output.Store(Run(input.ToInt64(), input.Shape, axis));
    }

    private T[] Run<T>(T[] values, Shape shape, int axis) where T : INumber<T>
    {
        var n = shape[axis];
        var inner = shape.Product(axis + 1, shape.Rank);
        for (long line = 0; line < values.Length / Math.Max(1, n); line++)
        {
            var start = line / inner * n * inner + line % inner;
            var sofar = Start<T>();
            for (long i = 0; i < n; i++)
            {
                ref var at = ref values[start + (Reverse ? n - 1 - i : i) * inner];
                var next = Next(sofar, at);
                at = Exclusive ? sofar : next;
                sofar = next;
            }
        }
        return values;
    }
}

/// <summary>ONNX CumSum: running sums along the axis that input 1 gives.</summary>
/// <param name="Exclusive">Leave the element itself out.</param>
/// <param name="Reverse">Sum from the end.</param>
public sealed record CumSum(bool Exclusive = false, bool Reverse = false) : Cumulative(Exclusive, Reverse)
{
    private protected override T Next<T>(T sofar, T element) => unchecked(sofar + element);

    private protected override T Start<T>() => T.Zero;
}

/// <summary>ONNX CumProd: running products along the axis that input 1 gives.</summary>
/// <param name="Exclusive">Leave the element itself out.</param>
/// <param name="Reverse">Multiply from the end.</param>
public sealed record CumProd(bool Exclusive = false, bool Reverse = false) : Cumulative(Exclusive, Reverse)
{
    private protected override T Next<T>(T sofar, T element) => unchecked(sofar * element);

    private protected override T Start<T>() => T.One;
}
