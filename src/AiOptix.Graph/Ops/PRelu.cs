using System.Numerics;
using AiOptix.Graphs.Evaluate;
using AiOptix.Tensors;

namespace AiOptix.Graphs.Ops;

/// <summary>ONNX PRelu: x, or slope times x where x is negative; the slope (input 1) broadcasts to the shape of x.</summary>
public sealed record PRelu : BinaryNumeric
{
    /// <inheritdoc/>
    public override void Infer(InferenceContext context)
    {
        base.Infer(context);
        if (context.Shape(0) is { } x && context.Shape(1) is { } slope && (slope.Rank > x.Rank || SymbolicShape.Broadcast(x, slope) is null))
            throw context.Error($"the slope of shape {slope} does not broadcast to the shape {x} of the input");
        context.Set(0, context.Tensor(0));
    }

    /// <inheritdoc/>
    protected override Tensor Evaluate(Tensor a, Tensor b, Shape shape) => Pairs.Numeric<Function>(a, b, shape);

    private readonly struct Function : INumericPair
    {
        public static T Apply<T>(T a, T b) where T : INumber<T> => a < T.Zero ? a * b : a;
    }
}
