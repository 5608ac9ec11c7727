using AiOptix.Tensors;

namespace AiOptix.Graphs.Ops;

/// <summary>ONNX Concat: the inputs side by side along one axis.</summary>
/// <param name="Axis">The axis; negative counts from the end.</param>
public sealed record Concat(long Axis) : Operator
{
    /// <inheritdoc/>
    public override void Infer(InferenceContext context)
    {
        if (context.InputCount == 0) throw context.Error("at least one input is required");
        var type = context.DType(0);
        SymbolicShape? result = null;
        var unknown = false;
        for (var i = 0; i < context.InputCount; i++)
        {
            if (i > 0) context.RequireSame(0, i);
            if (context.Shape(i) is not { } s)
            {
                unknown = true;
                continue;
            }
            if (result is null)
            {
                context.Axis(Axis, s.Rank);
                result = s;
                continue;
            }
            if (s.Rank != result.Rank) throw context.Error($"inputs of shapes {result} and {s} have different ranks");
            var axis = context.Axis(Axis, s.Rank);
            var joined = result[axis] + s[axis];
            result = context.Merge(result.With(axis, joined), s.With(axis, joined), $"input {i} does not fit the others beside axis {Axis}");
        }
        if (unknown && result is not null) result = result.With(context.Axis(Axis, result.Rank), context.Fresh());
        context.Set(0, type, result);
        if (result is not { Rank: 1 }) return;
        var parts = Queries.Each(context.InputCount, context.Elements);
        if (parts.All(p => p is not null)) context.SetElements(0, [.. parts.SelectMany(p => p!)]);
    }

    /// <inheritdoc/>
    public override void Evaluate(EvaluationContext context)
    {
        var first = context.Input(0);
        var axis = context.Axis(Axis, first.Shape.Rank);
        long extent = 0;
        for (var i = 0; i < context.InputCount; i++)
        {
            var s = context.Input(i).Shape;
            if (s.Rank != first.Shape.Rank || s.With(axis, 0) != first.Shape.With(axis, 0)) throw context.Error($"shapes {first.Shape} and {s} do not fit beside axis {axis}");
            extent += s[axis];
        }
        var output = context.Allocate(0, first.DType, first.Shape.With(axis, extent), zeroed: first.DType.IsPacked());
        var outer = first.Shape.Product(0, axis);
        var inner = first.Shape.Product(axis + 1, first.Shape.Rank);
        long at = 0;
        for (var i = 0; i < context.InputCount; i++)
        {
            var input = context.Input(i);
            var run = input.Shape[axis] * inner;
            var mover = new ElementMover(input, output);
            for (long o = 0; o < outer; o++) mover.Copy(o * run, o * extent * inner + at, run);
            at += run;
        }
    }
}
