using AiOptix.Graphs.Evaluate;
using AiOptix.Tensors;

namespace AiOptix.Graphs.Ops;

/// <summary>
/// ONNX Pow: a to the power of b with broadcasting, in the type of a; b may have another type. Integers to integer powers wrap; what a negative power of an
/// integer leaves of a fraction is cut off.
/// </summary>
public sealed record Pow : Operator
{
    /// <inheritdoc/>
    public override void Infer(InferenceContext context)
    {
        context.Require(0, NumericTypes.IsNumeric, "a float or integer type");
        context.Require(1, NumericTypes.IsNumeric, "a float or integer type");
        context.Set(0, context.DType(0), Broadcast.Infer(context, 0, 2));
    }

    /// <inheritdoc/>
    public override void Evaluate(EvaluationContext context)
    {
        Tensor a = context.Input(0), b = context.Input(1);
        var shape = Broadcast.Common(context, a, b);
        var result = context.Allocate(0, a.DType, shape);
        var walk = new Broadcast(shape, a.Shape, b.Shape);
        if (a.DType.IsInteger() && b.DType.IsInteger())
        {
            long[] x = a.ToInt64(), y = b.ToInt64(), r = new long[shape.Count];
            while (walk.NextRow())
                for (var i = 0; i < walk.RowLength; i++)
                    r[walk.OutputOffset + i] = Power(x[walk.Offset(0) + i * walk.Step(0)], y[walk.Offset(1) + i * walk.Step(1)]);
            ElementTypes.Write(result, 0, r);
        }
        else
        {
            double[] x = ElementTypes.ToFloat64(a), y = ElementTypes.ToFloat64(b), r = new double[shape.Count];
            while (walk.NextRow())
                for (var i = 0; i < walk.RowLength; i++)
                    r[walk.OutputOffset + i] = Math.Pow(x[walk.Offset(0) + i * walk.Step(0)], y[walk.Offset(1) + i * walk.Step(1)]);
            ElementTypes.Write(result, 0, r);
        }
    }

    private static long Power(long x, long power)
    {
        if (power < 0) return x == 1 ? 1 : x == -1 ? (power % 2 == 0 ? 1 : -1) : 0;
        long r = 1;
        for (; power > 0; power >>= 1)
        {
            if ((power & 1) != 0) r = unchecked(r * x);
            x = unchecked(x * x);
        }
        return r;
    }
}
