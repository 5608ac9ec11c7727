using System.Numerics;
using AiOptix.Graphs.Evaluate;
using AiOptix.Tensors;

namespace AiOptix.Graphs.Ops;

/// <summary>ONNX LessOrEqual: whether a is less or equal.</summary>
public sealed record LessOrEqual : Comparison
{
    /// <inheritdoc/>
    protected override Tensor Evaluate(Tensor a, Tensor b, Shape shape) => Pairs.Test<Question>(a, b, shape);

    private readonly struct Question : IPairTest
    {
        public static bool Holds<T>(T a, T b) where T : INumber<T> => a <= b;
    }
}
