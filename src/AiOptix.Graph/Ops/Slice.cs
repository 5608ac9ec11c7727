using AiOptix.Tensors;

namespace AiOptix.Graphs.Ops;

/// <summary>
/// ONNX Slice: inputs data, starts, ends, axes (default: the first ones), steps (default 1). Negative positions count from the end; positions beyond the
/// ends are clamped.
/// </summary>
public sealed record Slice : Operator
{
    /// <inheritdoc/>
    public override void Infer(InferenceContext context)
    {
        var type = context.DType(0);
        for (var i = 1; i < Math.Max(3, context.InputCount); i++)
            if (i < 3 || context.Has(i)) context.RequireIndices(i);
        if (context.Shape(0) is not { } s)
        {
            context.Set(0, type, null);
            return;
        }
        var starts = context.Elements(1);
        var ends = context.Elements(2);
        var count = context.Length(1) ?? context.Length(2);
        var axes = context.Has(3) ? context.Integers(3) : count is { } n ? Queries.Each(n, i => (long)i) : null;
        if (axes is null)
        {
            context.Set(0, type, context.FreshShape(s.Rank));
            return;
        }
        if (axes.Length != (count ?? axes.Length)) throw context.Error($"{count} starts are given for {axes.Length} axes");
        if (ends is not null && ends.Count != axes.Length) throw context.Error($"{ends.Count} ends are given for {axes.Length} axes");
        var steps = context.Has(4) ? context.Integers(4) : [.. axes.Select(_ => 1L)];
        var result = s;
        var at = context.Axes(axes, s.Rank);
        for (var i = 0; i < at.Length; i++)
        {
            if (steps?[i] == 0) throw context.Error("a step is 0");
            result = result.With(at[i], Extent(s[at[i]], starts?[i], ends?[i], steps?[i]) ?? context.Fresh());
        }
        context.Set(0, type, result);
        if (s.Rank == 1 && context.Elements(0) is { } e && at.Length == 1 && steps is not null && starts?[0].Constant is { } from && ends?[0].Constant is { } to)
        {
            var (first, length) = Bounds(e.Count, from, to, steps[0]);
            context.SetElements(0, Queries.Each((int)length, i => e[(int)(first + i * steps[0])]));
        }
        else if (at.Length == 0) context.SetElements(0, context.Elements(0));
    }

    /// <inheritdoc/>
    public override void Evaluate(EvaluationContext context)
    {
        var input = context.Input(0);
        var starts = context.RequiredIntegers(1);
        var ends = context.RequiredIntegers(2);
        var axes = context.Axes(context.Integers(3) ?? Queries.Each(starts.Length, i => (long)i), input.Shape.Rank);
        var given = context.Integers(4) ?? [.. starts.Select(_ => 1L)];
        if (ends.Length != starts.Length || axes.Length != starts.Length || given.Length != starts.Length)
            throw context.Error($"{starts.Length} starts, {ends.Length} ends, {axes.Length} axes and {given.Length} steps are given; expected as many of each");
        var strides = input.Shape.Strides();
        var steps = strides.ToArray();
        var dims = input.Shape.Dims.ToArray();
        long from = 0;
        for (var i = 0; i < axes.Length; i++)
        {
            if (given[i] == 0) throw context.Error("a step is 0");
            var (first, length) = Bounds(dims[axes[i]], starts[i], ends[i], given[i]);
            from += first * strides[axes[i]];
            dims[axes[i]] = length;
            steps[axes[i]] = length > 1 ? strides[axes[i]] * given[i] : strides[axes[i]];
        }
        var output = context.Allocate(0, input.DType, new Shape(dims), zeroed: input.DType.IsPacked());
        if (output.Count > 0) new ElementMover(input, output).CopyBox(dims, from, steps, 0, output.Shape.Strides());
    }

    /// <summary>The first position and the number of positions that a slice of an axis takes.</summary>
    /// <param name="extent">The axis' extent.</param>
    /// <param name="start">Where it starts; negative counts from the end; clamped to the axis, so that a negative step takes the first element from any position before it.</param>
    /// <param name="end">Where it ends, exclusive; negative counts from the end; clamped.</param>
    /// <param name="step">The step, not 0.</param>
    public static (long First, long Length) Bounds(long extent, long start, long end, long step)
    {
        if (start < 0) start += extent;
        if (end < 0) end = end < -extent ? -1 : end + extent;
        if (step > 0)
        {
            start = Math.Clamp(start, 0, extent);
            end = Math.Clamp(end, 0, extent);
            return (start, (long)NumericRange.Count(start, end, step));
        }
        if (extent == 0) return (0, 0);
        start = Math.Clamp(start, 0, extent - 1);
        end = Math.Clamp(end, -1, extent - 1);
        return (start, (long)NumericRange.Count(start, end, step));
    }

    /// <summary>The extent of a sliced axis, or null when it takes more than algebra to tell.</summary>
    private static Dim? Extent(Dim extent, Dim? start, Dim? end, long? step)
    {
        if (start is null || end is null || step is null) return null;
        if (extent.Constant is { } n && start.Constant is { } a && end.Constant is { } b) return Bounds(n, a, b, step.Value).Length;
        if (step < 0)
        {
            var whole = step == -1 && (start.Constant == -1 || start.Constant >= int.MaxValue || start.Equals(extent - 1)) && end.Constant <= -int.MaxValue;
            return whole ? extent : null;
        }
        if (start.Constant < 0 && IsWhole(end, extent)) return Dim.CeilDiv(Dim.Min(extent, -start.Constant.Value), step.Value);
        if (start.IsNonNegative && IsWhole(end, extent))
        {
            var rest = extent - start;
            return Dim.CeilDiv(rest.IsNonNegative ? rest : Dim.Max(0, rest), step.Value);
        }
        if (Position(start, extent) is not { } from || Position(end, extent) is not { } to) return null;
        var length = to - from;
        return Dim.CeilDiv(length.IsNonNegative ? length : Dim.Max(0, length), step.Value);
    }

    private static bool IsWhole(Dim position, Dim extent) => position.Constant >= int.MaxValue || position.Equals(extent);

    private static Dim? Position(Dim position, Dim extent)
    {
        if (IsWhole(position, extent)) return extent;
        if (position.Constant < 0)
        {
            var counted = extent + position;
            return counted.IsNonNegative ? counted : Dim.Max(0, counted);
        }
        if (!position.IsNonNegative) return null;
        if ((extent - position).IsNonNegative) return position;
        return (position - extent).IsNonNegative ? extent : Dim.Min(position, extent);
    }
}
