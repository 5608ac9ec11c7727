using AiOptix.Tensors;

namespace AiOptix.Graphs.Ops;

/// <summary>ONNX CenterCropPad: each axis cut or filled with zeros on both sides to the extents that input 1 gives; of an odd difference the larger part lies at the end.</summary>
/// <param name="Axes">The axes that input 1 speaks of; null for all.</param>
public sealed record CenterCropPad(ValueList<long>? Axes = null) : Operator
{
    /// <inheritdoc/>
    public override void Infer(InferenceContext context)
    {
        var type = context.DType(0);
        context.RequireIndices(1);
        if (context.Shape(0) is not { } s)
        {
            context.Set(0, type, null);
            return;
        }
        var axes = Axes is { } a ? context.Axes(a, s.Rank) : [.. Enumerable.Range(0, s.Rank)];
        if (context.ShapeFrom(1) is { } target && target.Rank != axes.Length) throw context.Error($"{target.Rank} extents do not fit {axes.Length} axes");
        var sizes = context.ShapeFrom(1) ?? context.FreshShape(axes.Length);
        for (var i = 0; i < axes.Length; i++) s = s.With(axes[i], sizes[i]);
        context.Set(0, type, s);
    }

    /// <inheritdoc/>
    public override void Evaluate(EvaluationContext context)
    {
        var x = context.Input(0);
        var axes = Axes is { } a ? context.Axes(a, x.Shape.Rank) : [.. Enumerable.Range(0, x.Shape.Rank)];
        var sizes = context.Shape(context.RequiredIntegers(1));
        if (sizes.Rank != axes.Length) throw context.Error($"{sizes.Rank} extents do not fit {axes.Length} axes");
        var shape = x.Shape;
        for (var i = 0; i < axes.Length; i++) shape = shape.With(axes[i], sizes[i]);
        var output = context.Allocate(0, x.DType, shape, zeroed: true);
        var extents = new long[shape.Rank];
        var (from, to) = (0L, 0L);
        var (sources, targets) = (x.Shape.Strides(), shape.Strides());
        for (var i = 0; i < extents.Length; i++)
        {
            extents[i] = Math.Min(shape[i], x.Shape[i]);
            from += (x.Shape[i] - extents[i]) / 2 * sources[i];
            to += (shape[i] - extents[i]) / 2 * targets[i];
        }
        if (!extents.Contains(0)) new ElementMover(x, output).CopyBox(extents, from, sources, to, targets);
    }

    /// <inheritdoc/>
    public override bool Compose(Composition to)
    {
        if (to[0].DType == DType.String || to[0].Shape is not { Rank: > 0 } s || to[1].Shape is not { Rank: 1 }) return false;
        long[] axes = Axes is { } given ? [.. given.Select(a => a < 0 ? a + s.Rank : a)] : [.. Enumerable.Range(0, s.Rank).Select(a => (long)a)];
        if (axes.Length == 0) return to.Set(0, to[0]);
        // What is missing on both sides; less than nothing is cut. A division rounds toward zero, so the larger part lies at the end either way.
        var wanted = to[1].DType == DType.Int64 ? to[1] : to.Add(new Cast(DType.Int64), to[1]);
        var missing = to.Add(new Sub(), wanted, to.Add(new Gather(), to.Add(new ShapeOf(), to[0]), to.Integers(axes)));
        var begin = to.Add(new Div(), missing, to.Constant(Tensor.Scalar(2L)));
        return to.Set(0, to.Add(new Pad(), to[0], to.Add(new Concat(0), begin, to.Add(new Sub(), missing, begin)), null, to.Integers(axes)));
    }
}
