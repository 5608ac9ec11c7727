using System.Numerics;
using AiOptix.Graphs.Evaluate;
using AiOptix.Tensors;

namespace AiOptix.Graphs.Ops;

/// <summary>ONNX Clip: x limited to between min (input 1) and max (input 2), scalars that may be left out. Where min is greater than max the result is max.</summary>
public sealed record Clip : Operator
{
    /// <inheritdoc/>
    public override void Infer(InferenceContext context)
    {
        context.Require(0, NumericTypes.IsNumeric, "a float or integer type");
        for (var i = 1; i < 3; i++)
        {
            if (!context.Has(i)) continue;
            context.RequireSame(0, i);
            if (context.Shape(i) is { } s && s.Count.Constant is not (1 or null)) throw context.Error($"input {i} has shape {s}; expected a scalar");
        }
        context.Set(0, context.Tensor(0));
    }

    /// <inheritdoc/>
    public override void Evaluate(EvaluationContext context)
    {
        var x = context.Input(0);
        var result = x.Share();
        if (Bound(context, 1) is { } min) result = Replace<Maximum>(result, min);
        if (Bound(context, 2) is { } max) result = Replace<Minimum>(result, max);
        context.Set(0, result);
    }

    private static Tensor? Bound(EvaluationContext context, int input)
    {
        if (context.OptionalInput(input) is not { } bound) return null;
        return bound.Count == 1 ? bound.Reshape(Shape.Scalar) : throw context.Error($"input {input} has shape {bound.Shape}; expected a scalar");
    }

    private static Tensor Replace<TFunction>(Tensor x, Tensor bound) where TFunction : INumericPair
    {
        using (x)
        using (bound) return Pairs.Numeric<TFunction>(x, bound, x.Shape);
    }

    private readonly struct Maximum : INumericPair
    {
        public static T Apply<T>(T a, T b) where T : INumber<T> => T.Max(a, b);
    }

    private readonly struct Minimum : INumericPair
    {
        public static T Apply<T>(T a, T b) where T : INumber<T> => T.Min(a, b);
    }
}
