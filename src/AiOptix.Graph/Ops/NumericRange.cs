using AiOptix.Tensors;

namespace AiOptix.Graphs.Ops;

/// <summary>ONNX Range: start, start + delta, … up to, but without, limit. All three are scalars of one type.</summary>
/// <param name="StashType">The type that float16 and bfloat16 steps are calculated in.</param>
public sealed record NumericRange(DType StashType = DType.Float32) : Operator
{
    /// <inheritdoc/>
    public override string Name => "Range";

    /// <inheritdoc/>
    public override void Infer(InferenceContext context)
    {
        var type = context.Require(0, Numbers.IsNumber, "a numeric type");
        context.RequireSame(0, 1);
        context.RequireSame(0, 2);
        if (Numbers.IsReal(type))
        {
            var known = context.Constant(0) is { Count: 1 } a && context.Constant(1) is { Count: 1 } b && context.Constant(2) is { Count: 1 } c
                ? Count(a.ToReals()[0], b.ToReals()[0], c.ToReals()[0]) : (double?)null;
            if (known is { } k && !(k < long.MaxValue)) throw context.Error("the step is 0 or not a number");
            context.Set(0, type, new SymbolicShape(known is { } n ? (Dim)(long)n : context.Fresh()));
            return;
        }
        Dim? count = null;
        if (context.Elements(0) is [var start] && context.Elements(1) is [var limit] && context.Elements(2) is [var delta] && delta.Constant is { } step)
        {
            if (step == 0) throw context.Error("the step is 0");
            count = Dim.CeilDiv(limit - start, step);
            if (!count.IsNonNegative) count = Dim.Max(0, count);
            if (count.Constant is { } n and <= Graph.MaxFollowedElements) context.SetElements(0, [.. Enumerable.Range(0, (int)n).Select(i => start + step * i)]);
        }
        context.Set(0, type, new SymbolicShape(count ?? context.Fresh()));
    }

    /// <inheritdoc/>
    public override void Evaluate(EvaluationContext context)
    {
        for (var i = 0; i < 3; i++)
            if (context.Input(i).Count != 1) throw context.Error($"input {i} must have one element, found {context.Input(i)}");
        var type = context.Input(0).DType;
        if (Numbers.IsReal(type))
        {
            var (start, limit, delta) = (context.Input(0).ToReals()[0], context.Input(1).ToReals()[0], context.Input(2).ToReals()[0]);
            var n = Count(start, limit, delta);
            if (!(n < long.MaxValue)) throw context.Error($"no range leads from {start} to {limit} in steps of {delta}");
            var output = context.Allocate(0, type, new Shape((long)n));
            var values = new double[(long)n];
            for (var i = 0; i < values.Length; i++) values[i] = start + i * delta;
            output.Store(values);
            return;
        }
        var (from, to, step) = (context.Integer(0), context.Integer(1), context.Integer(2));
        if (step == 0) throw context.Error("the step is 0");
        var length = (long)Count(from, to, step);
        var result = context.Allocate(0, type, new Shape(length));
        var integers = new long[length];
        for (long i = 0; i < length; i++) integers[i] = from + i * step;
        result.Store(integers);
    }

    /// <summary>How many integers lead from a start to before a limit.</summary>
    /// <param name="start">The first one, when there is any.</param>
    /// <param name="limit">Where they end, exclusive.</param>
    /// <param name="step">From one to the next, not 0.</param>
    public static ulong Count(long start, long limit, long step)
    {
        // Differences of any two integers fit without a sign. 128 bits would too, but no ready-to-run image holds code that has them.
        if (step > 0) return start < limit ? ((ulong)limit - (ulong)start - 1) / (ulong)step + 1 : 0;
        return start > limit ? ((ulong)start - (ulong)limit - 1) / (0 - (ulong)step) + 1 : 0;
    }

    private static double Count(double start, double limit, double delta) => Math.Max(0, Math.Ceiling((limit - start) / delta));
}
