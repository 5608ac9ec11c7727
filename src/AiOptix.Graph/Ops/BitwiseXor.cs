using System.Numerics;
using AiOptix.Graphs.Evaluate;
using AiOptix.Tensors;

namespace AiOptix.Graphs.Ops;

/// <summary>ONNX BitwiseXor: the bits that are set in exactly one operand.</summary>
public sealed record BitwiseXor : Bitwise
{
    /// <inheritdoc/>
    protected override Tensor Evaluate(Tensor a, Tensor b, Shape shape) => Pairs.Integer<Function>(a, b, shape);

    private readonly struct Function : IIntegerPair
    {
        public static T Apply<T>(T a, T b) where T : IBinaryInteger<T> => a ^ b;
    }
}
