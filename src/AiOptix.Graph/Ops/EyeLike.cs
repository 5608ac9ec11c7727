using AiOptix.Tensors;

namespace AiOptix.Graphs.Ops;

/// <summary>ONNX EyeLike: a matrix of the input's shape with ones on one diagonal.</summary>
/// <param name="DType">The element type; null means the input's.</param>
/// <param name="Offset">Which diagonal: 0 the main one, positive above.</param>
public sealed record EyeLike(DType? DType = null, long Offset = 0) : Operator
{
    /// <inheritdoc/>
    public override void Infer(InferenceContext context)
    {
        context.RequireRank(0, 2);
        var type = DType ?? context.DType(0);
        if (!Numbers.IsNumber(type) && type != Tensors.DType.Bool) throw context.Error($"type {type.Name()} has no ones");
        context.Set(0, type, context.Shape(0) ?? context.FreshShape(2));
    }

    /// <inheritdoc/>
    public override void Evaluate(EvaluationContext context)
    {
        var input = context.Input(0);
        var type = DType ?? input.DType;
        var output = context.Allocate(0, type, input.Shape);
        var (rows, columns) = (input.Shape[0], input.Shape[1]);
        var ones = new long[output.Count];
        for (long r = 0; r < rows; r++)
            if (r + Offset >= 0 && r + Offset < columns) ones[r * columns + r + Offset] = 1;
        if (Numbers.IsReal(type)) output.Store(Array.ConvertAll(ones, v => (double)v));
        else output.Store(ones);
    }

    /// <inheritdoc/>
    public override bool Compose(Composition to)
    {
        if (to[0].Shape is not { Rank: 2 }) return false;
        Value Places(long axis, long first)
        {
            var length = to.Add(new Gather(), to.Add(new ShapeOf(), to[0]), to.Constant(Tensor.Scalar(axis)));
            var (start, end) = (to.Constant(Tensor.Scalar(first)), first == 0 ? length : to.Add(new Add(), length, to.Constant(Tensor.Scalar(first))));
            return to.Add(new Unsqueeze(), to.Add(new NumericRange(), start, end, to.Constant(Tensor.Scalar(1L))), to.Integers(1 - axis));
        }
        if (Offset is < int.MinValue or > int.MaxValue) return false;
        return to.Set(0, to.Add(new Cast(to.Node.Output.DType), to.Add(new Equal(), Places(0, Offset), Places(1, 0))));
    }
}
