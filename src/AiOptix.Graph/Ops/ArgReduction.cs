using AiOptix.Tensors;

namespace AiOptix.Graphs.Ops;

/// <summary>What ArgMax and ArgMin share: the position of an extreme element along an axis, as int64. A NaN counts as extreme.</summary>
/// <param name="Axis">The axis; negative counts from the end.</param>
/// <param name="KeepDims">Keep the axis with extent 1.</param>
/// <param name="SelectLast">Of equal elements take the last.</param>
public abstract record ArgReduction(long Axis, bool KeepDims, bool SelectLast) : Operator
{
    /// <inheritdoc/>
    public override void Infer(InferenceContext context)
    {
        context.Require(0, Numbers.IsNumber, "a numeric type");
        if (context.Shape(0) is not { } s)
        {
            context.Set(0, DType.Int64, null);
            return;
        }
        var axis = context.Axis(Axis, s.Rank);
        context.Set(0, DType.Int64, KeepDims ? s.With(axis, 1) : new([.. s.Where((_, i) => i != axis)]));
    }

    /// <inheritdoc/>
    public override void Evaluate(EvaluationContext context)
    {
        var input = context.Input(0);
        var axis = context.Axis(Axis, input.Shape.Rank);
        var n = input.Shape[axis];
        var shape = KeepDims ? input.Shape.With(axis, 1) : new Shape([.. input.Shape.Where((_, i) => i != axis)]);
        if (n == 0 && shape.Count > 0) throw context.Error($"axis {axis} of shape {input.Shape} is empty");
        var output = context.Allocate(0, DType.Int64, shape).Span<long>();
        var order = input.Order();
        var inner = input.Shape.Product(axis + 1, input.Shape.Rank);
        for (var line = 0; line < output.Length; line++)
        {
            var start = line / inner * n * inner + line % inner;
            long best = 0;
            for (long i = 1; i < n; i++)
            {
                var c = Compare(input, order, start + i * inner, start + best * inner);
                if (c > 0 || (c == 0 && SelectLast)) best = i;
            }
            output[line] = best;
        }
    }

    /// <summary>Positive when the first element is the more extreme.</summary>
    private protected abstract int Compare(Tensor input, Func<long, long, int> order, long a, long b);
}

/// <summary>ONNX ArgMax.</summary>
/// <param name="Axis">The axis; negative counts from the end.</param>
/// <param name="KeepDims">Keep the axis with extent 1.</param>
/// <param name="SelectLast">Of equal elements take the last.</param>
public sealed record ArgMax(long Axis = 0, bool KeepDims = true, bool SelectLast = false) : ArgReduction(Axis, KeepDims, SelectLast)
{
    private protected override int Compare(Tensor input, Func<long, long, int> order, long a, long b) => order(a, b);
}

/// <summary>ONNX ArgMin.</summary>
/// <param name="Axis">The axis; negative counts from the end.</param>
/// <param name="KeepDims">Keep the axis with extent 1.</param>
/// <param name="SelectLast">Of equal elements take the last.</param>
public sealed record ArgMin(long Axis = 0, bool KeepDims = true, bool SelectLast = false) : ArgReduction(Axis, KeepDims, SelectLast)
{
    private protected override int Compare(Tensor input, Func<long, long, int> order, long a, long b)
    {
        var (x, y) = (IsNaN(input, a), IsNaN(input, b));
        return x || y ? x.CompareTo(y) : order(b, a);
    }

    private static bool IsNaN(Tensor t, long at) => t.DType switch
    {
        DType.Float32 => float.IsNaN(t.Span<float>()[(int)at]),
        DType.Float64 => double.IsNaN(t.Span<double>()[(int)at]),
        DType.Float16 => Half.IsNaN(t.Span<Half>()[(int)at]),
        DType.BFloat16 => float.IsNaN(t.Span<BFloat16>()[(int)at]),
        _ => false,
    };
}
