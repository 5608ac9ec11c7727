using System.Numerics;
using AiOptix.Graphs.Evaluate;
using AiOptix.Tensors;

namespace AiOptix.Graphs.Ops;

/// <summary>ONNX BitShift: the bits of an unsigned integer shifted by b places; 0 when b is as large as the type is wide.</summary>
/// <param name="Left">Toward the highest bit.</param>
public sealed record BitShift(bool Left) : Bitwise
{
    /// <inheritdoc/>
    protected override bool Allows(DType type) => type is DType.UInt8 or DType.UInt16 or DType.UInt32 or DType.UInt64;

    /// <inheritdoc/>
    protected override Tensor Evaluate(Tensor a, Tensor b, Shape shape) => Left ? Pairs.Integer<LeftFunction>(a, b, shape) : Pairs.Integer<RightFunction>(a, b, shape);

    private static int Places<T>(T b) where T : IBinaryInteger<T> => int.CreateSaturating(b);

    private readonly struct LeftFunction : IIntegerPair
    {
        public static T Apply<T>(T a, T b) where T : IBinaryInteger<T> => Places(b) >= 8 * a.GetByteCount() ? T.Zero : a << Places(b);
    }

    private readonly struct RightFunction : IIntegerPair
    {
        public static T Apply<T>(T a, T b) where T : IBinaryInteger<T> => Places(b) >= 8 * a.GetByteCount() ? T.Zero : a >>> Places(b);
    }
}
