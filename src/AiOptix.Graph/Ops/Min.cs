using System.Numerics;
using AiOptix.Graphs.Evaluate;
using AiOptix.Tensors;

namespace AiOptix.Graphs.Ops;

/// <summary>ONNX Min: the smallest of one or more numbers; NaN when one of them is.</summary>
public sealed record Min : Variadic
{
    /// <inheritdoc/>
    protected override Dim? Follow(Dim a, Dim b) => Dim.Min(a, b);

    /// <inheritdoc/>
    protected override Tensor Evaluate(IReadOnlyList<Tensor> operands, Shape shape) => Fold<Function>(operands, shape);

    private readonly struct Function : INumericPair
    {
        public static T Apply<T>(T a, T b) where T : INumber<T> => T.Min(a, b);
    }
}
