using System.Numerics;
using AiOptix.Graphs.Evaluate;
using AiOptix.Tensors;

namespace AiOptix.Graphs.Ops;

/// <summary>ONNX GreaterOrEqual: whether a is greater or equal.</summary>
public sealed record GreaterOrEqual : Comparison
{
    /// <inheritdoc/>
    protected override Tensor Evaluate(Tensor a, Tensor b, Shape shape) => Pairs.Test<Question>(a, b, shape);

    private readonly struct Question : IPairTest
    {
        public static bool Holds<T>(T a, T b) where T : INumber<T> => a >= b;
    }
}
