using AiOptix.Tensors;

namespace AiOptix.Graphs.Ops;

/// <summary>
/// ONNX TopK: the k (input 1) largest or smallest elements along an axis, and their positions. Of equal elements the one with the lower position comes
/// first; the output is always sorted.
/// </summary>
/// <param name="Axis">The axis; negative counts from the end.</param>
/// <param name="Largest">The largest, not the smallest.</param>
/// <param name="Sorted">Whether the order matters to the model.</param>
public sealed record TopK(long Axis = -1, bool Largest = true, bool Sorted = true) : Operator
{
    /// <inheritdoc/>
    public override void Infer(InferenceContext context)
    {
        var type = context.Require(0, Numbers.IsNumber, "a numeric type");
        context.Require(1, t => t == DType.Int64, "int64");
        SymbolicShape? result = null;
        if (context.Shape(0) is { } s)
        {
            var axis = context.Axis(Axis, s.Rank);
            var k = context.Elements(1) is [var e] ? e : context.Fresh();
            if (k.Constant < 0 || k.Constant > s[axis].Constant) throw context.Error($"k = {k} is out of range for axis {axis} of shape {s}");
            result = s.With(axis, k);
        }
        context.Set(0, type, result);
        context.Set(1, DType.Int64, result);
    }

    /// <inheritdoc/>
    public override void Evaluate(EvaluationContext context)
    {
        var input = context.Input(0);
        var axis = context.Axis(Axis, input.Shape.Rank);
        var k = context.Integer(1);
        var n = input.Shape[axis];
        if (k < 0 || k > n) throw context.Error($"k = {k} is out of range for axis {axis} of shape {input.Shape}");
        var shape = input.Shape.With(axis, k);
        var values = context.Allocate(0, input.DType, shape);
        var indices = context.Allocate(1, DType.Int64, shape).Span<long>();
        var order = input.Order();
        var inner = shape.Product(axis + 1, shape.Rank);
        var outer = shape.Product(0, axis);
        var mover = new ElementMover(input, values);
        var line = new long[n];
        for (long o = 0; o < outer; o++)
            for (long i = 0; i < inner; i++)
            {
                for (long j = 0; j < n; j++) line[j] = j;
                var start = o * n * inner + i;
                Array.Sort(line, (a, b) =>
                {
                    var c = order(start + a * inner, start + b * inner);
                    return c == 0 ? a.CompareTo(b) : Largest ? -c : c;
                });
                for (long j = 0; j < k; j++)
                {
                    var to = (o * k + j) * inner + i;
                    mover.Copy(start + line[j] * inner, to, 1);
                    indices[(int)to] = line[j];
                }
            }
    }
}
