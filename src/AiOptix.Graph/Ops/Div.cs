using System.Numerics;
using AiOptix.Graphs.Evaluate;
using AiOptix.Tensors;

namespace AiOptix.Graphs.Ops;

/// <summary>ONNX Div: a / b; integers are cut off toward 0.</summary>
public sealed record Div : BinaryNumeric
{
    /// <inheritdoc/>
    protected override Dim? Follow(Dim a, Dim b)
    {
        if (b.Constant is not > 0) return null;
        return a.IsNonNegative || a.IsConstant ? Truncate(a, b) : null;
    }

    /// <inheritdoc/>
    /// <exception cref="InvalidInputException">An integer is divided by 0.</exception>
    public override void Evaluate(EvaluationContext context)
    {
        RequireDivisor(context);
        base.Evaluate(context);
    }

    /// <inheritdoc/>
    protected override Tensor Evaluate(Tensor a, Tensor b, Shape shape) => Pairs.Numeric<Function>(a, b, shape);

    /// <summary>Checks that no integer is divided by 0.</summary>
    internal static void RequireDivisor(EvaluationContext context)
    {
        var b = context.Input(1);
        if (b.DType.IsInteger() && context.Input(0).Count > 0 && b.ToInt64().Contains(0)) throw context.Error("input 1 holds 0: an integer cannot be divided by 0");
    }

    private static Dim Truncate(Dim a, Dim b) => a.Constant < 0 ? Dim.CeilDiv(a, b) : Dim.FloorDiv(a, b);

    private readonly struct Function : INumericPair
    {
        public static T Apply<T>(T a, T b) where T : INumber<T> => Quotient(a, b);

        /// <summary>The least integer over -1 wraps to itself instead of failing.</summary>
        private static T Quotient<T>(T a, T b) where T : INumber<T> =>
            typeof(T) != typeof(float) && typeof(T) != typeof(double) && typeof(T) != typeof(Half) && T.IsNegative(b) && b + T.One == T.Zero ? T.Zero - a : a / b;
    }
}
