using System.Numerics;
using AiOptix.Graphs.Evaluate;
using AiOptix.Tensors;

namespace AiOptix.Graphs.Ops;

/// <summary>ONNX Sub: a - b.</summary>
public sealed record Sub : BinaryNumeric
{
    /// <inheritdoc/>
    protected override Dim? Follow(Dim a, Dim b) => a - b;

    /// <inheritdoc/>
    protected override Tensor Evaluate(Tensor a, Tensor b, Shape shape) => Pairs.Numeric<Function>(a, b, shape);

    private readonly struct Function : INumericPair
    {
        public static T Apply<T>(T a, T b) where T : INumber<T> => a - b;
    }
}
