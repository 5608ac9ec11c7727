using System.Numerics;
using AiOptix.Graphs.Evaluate;
using AiOptix.Tensors;

namespace AiOptix.Graphs.Ops;

/// <summary>ONNX Max: the largest of one or more numbers; NaN when one of them is.</summary>
public sealed record Max : Variadic
{
    /// <inheritdoc/>
    protected override Dim? Follow(Dim a, Dim b) => Dim.Max(a, b);

    /// <inheritdoc/>
    protected override Tensor Evaluate(IReadOnlyList<Tensor> operands, Shape shape) => Fold<Function>(operands, shape);

    private readonly struct Function : INumericPair
    {
        public static T Apply<T>(T a, T b) where T : INumber<T> => T.Max(a, b);
    }
}
