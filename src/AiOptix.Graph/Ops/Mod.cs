using System.Numerics;
using AiOptix.Graphs.Evaluate;
using AiOptix.Tensors;

namespace AiOptix.Graphs.Ops;

/// <summary>ONNX Mod: the remainder of a / b, with the sign of b, or with that of a when <paramref name="Truncated"/> is set.</summary>
/// <param name="Truncated">The quotient is cut off toward 0 rather than rounded down (attribute <c>fmod</c>).</param>
public sealed record Mod(bool Truncated = false) : BinaryNumeric
{
    /// <inheritdoc/>
    protected override Dim? Follow(Dim a, Dim b) => b.Constant is > 0 && (!Truncated || a.IsNonNegative) ? Dim.Mod(a, b) : null;

    /// <inheritdoc/>
    /// <exception cref="InvalidInputException">An integer is divided by 0.</exception>
    public override void Evaluate(EvaluationContext context)
    {
        Div.RequireDivisor(context);
        base.Evaluate(context);
    }

    /// <inheritdoc/>
    protected override Tensor Evaluate(Tensor a, Tensor b, Shape shape) =>
        Truncated ? Pairs.Numeric<TruncatedFunction>(a, b, shape) : Pairs.Numeric<FlooredFunction>(a, b, shape);

    private readonly struct TruncatedFunction : INumericPair
    {
        public static T Apply<T>(T a, T b) where T : INumber<T> => T.IsNegative(b) && b + T.One == T.Zero && T.IsInteger(a) ? T.CopySign(T.Zero, a) : a % b;
    }

    private readonly struct FlooredFunction : INumericPair
    {
        public static T Apply<T>(T a, T b) where T : INumber<T>
        {
            var r = TruncatedFunction.Apply(a, b);
            if (r == T.Zero) return T.CopySign(r, b);
            return T.IsNegative(r) != T.IsNegative(b) ? r + b : r;
        }
    }
}
