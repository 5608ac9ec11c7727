using System.Numerics;
using AiOptix.Graphs.Evaluate;
using AiOptix.Tensors;

namespace AiOptix.Graphs.Ops;

/// <summary>ONNX Equal: whether a and b are equal. Takes bool and strings too.</summary>
public sealed record Equal : Comparison
{
    /// <inheritdoc/>
    protected override bool Allows(DType type) => base.Allows(type) || type is DType.Bool or DType.String;

    /// <inheritdoc/>
    protected override Tensor Evaluate(Tensor a, Tensor b, Shape shape)
    {
        if (a.DType == DType.String) return Strings(a, b, shape);
        if (a.DType != DType.Bool) return Pairs.Test<Question>(a, b, shape);
        using Tensor x = ElementTypes.Convert(a, DType.UInt8), y = ElementTypes.Convert(b, DType.UInt8);
        return Pairs.Test<Question>(x, y, shape);
    }

    private static Tensor Strings(Tensor a, Tensor b, Shape shape)
    {
        var result = Tensor.Allocate(DType.Bool, shape);
        var walk = new Broadcast(shape, a.Shape, b.Shape);
        var r = result.Bytes;
        while (walk.NextRow())
            for (var i = 0; i < walk.RowLength; i++)
                r[walk.OutputOffset + i] = a.Strings[walk.Offset(0) + i * walk.Step(0)] == b.Strings[walk.Offset(1) + i * walk.Step(1)] ? (byte)1 : (byte)0;
        return result;
    }

    private readonly struct Question : IPairTest
    {
        public static bool Holds<T>(T a, T b) where T : INumber<T> => a == b;
    }
}
