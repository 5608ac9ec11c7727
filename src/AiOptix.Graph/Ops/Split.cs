using AiOptix.Tensors;

namespace AiOptix.Graphs.Ops;

/// <summary>
/// ONNX Split: as many pieces along one axis as the node has outputs. Input 1 gives their extents; without it they are equal, the last one smaller where
/// the axis does not divide.
/// </summary>
/// <param name="Axis">The axis; negative counts from the end.</param>
public sealed record Split(long Axis = 0) : Operator
{
    /// <inheritdoc/>
    public override void Infer(InferenceContext context)
    {
        var s = context.Shape(0);
        var n = context.OutputCount;
        if (s is not null) context.Axis(Axis, s.Rank);
        var sizes = context.Has(1) ? context.Elements(1)?.ToArray() : s is null ? null : Equal(s[context.Axis(Axis, s.Rank)], n);
        if (sizes is not null && sizes.Length != n) throw context.Error($"split gives {sizes.Length} extents for {n} outputs");
        if (sizes is not null && s?[context.Axis(Axis, s.Rank)].Constant is { } whole && sizes.Aggregate(Dim.Zero, (a, b) => a + b).Constant is { } sum
            && (sum != whole || sizes.Any(d => d.Constant < 0)))
            throw context.Error($"split [{string.Join(",", (IEnumerable<Dim>)sizes)}] does not fill axis {Axis} of shape {s}");
        if (sizes is not null && s is not null) context.AssumeEqual(sizes.Aggregate(Dim.Zero, (a, b) => a + b), s[context.Axis(Axis, s.Rank)], "the pieces together");
        long at = 0;
        for (var i = 0; i < n; i++)
        {
            context.Set(i, context.DType(0), s?.With(context.Axis(Axis, s.Rank), sizes?[i] ?? context.Fresh()));
            if (s is not { Rank: 1 } || context.Elements(0) is not { } e || sizes?[i].Constant is not { } size) continue;
            context.SetElements(i, [.. e.Skip((int)at).Take((int)size)]);
            at += size;
        }
    }

    /// <inheritdoc/>
    public override void Evaluate(EvaluationContext context)
    {
        var input = context.Input(0);
        var axis = context.Axis(Axis, input.Shape.Rank);
        var whole = input.Shape[axis];
        var sizes = context.Integers(1) ?? [.. Equal(whole, context.OutputCount).Select(d => d.Constant!.Value)];
        if (sizes.Length != context.OutputCount || sizes.Sum() != whole || sizes.Any(d => d < 0))
            throw context.Error($"split [{string.Join(",", sizes)}] does not fill axis {axis} of shape {input.Shape} with {context.OutputCount} outputs");
        var outer = input.Shape.Product(0, axis);
        var inner = input.Shape.Product(axis + 1, input.Shape.Rank);
        long at = 0;
        for (var i = 0; i < sizes.Length; i++)
        {
            var output = context.Allocate(i, input.DType, input.Shape.With(axis, sizes[i]), zeroed: input.DType.IsPacked());
            var mover = new ElementMover(input, output);
            var run = sizes[i] * inner;
            for (long o = 0; o < outer; o++) mover.Copy(o * whole * inner + at, o * run, run);
            at += run;
        }
    }

    private static Dim[] Equal(Dim whole, int n)
    {
        var piece = Dim.CeilDiv(whole, n);
        var sizes = Enumerable.Repeat(piece, n).ToArray();
        sizes[^1] = whole - piece * (n - 1);
        return sizes;
    }
}
