using AiOptix.Tensors;

namespace AiOptix.Graphs.Ops;

/// <summary>ONNX ConcatFromSequence: the tensors of a sequence side by side along an axis, or stacked along a new one.</summary>
/// <param name="Axis">The axis; negative counts from the end.</param>
/// <param name="NewAxis">Whether the axis is new.</param>
public sealed record ConcatFromSequence(long Axis, bool NewAxis = false) : Operator
{
    /// <inheritdoc/>
    public override void Infer(InferenceContext context)
    {
        if (context.Element(0) is not TensorType t) throw context.Error($"input 0 must be a sequence of tensors, found {context.Type(0)}");
        SymbolicShape? result = null;
        if (t.Shape is { } s)
        {
            var axis = context.Axis(Axis, s.Rank + (NewAxis ? 1 : 0));
            result = new([.. s.Take(axis).Select(Common), context.Fresh(), .. s.Skip(NewAxis ? axis : axis + 1).Select(Common)]);
        }
        context.Set(0, t.DType, result);

        Dim Common(Dim d) => d.IsConstant ? d : context.Fresh();
    }

    /// <inheritdoc/>
    public override void Evaluate(EvaluationContext context)
    {
        var items = context.Tensors(0);
        if (items.Length == 0) throw context.Error("an empty sequence cannot be concatenated");
        var first = items[0].Shape;
        var axis = context.Axis(Axis, first.Rank + (NewAxis ? 1 : 0));
        foreach (var item in items)
            if (item.DType != items[0].DType || item.Shape.Rank != first.Rank || (NewAxis ? item.Shape != first : item.Shape.With(axis, 0) != first.With(axis, 0)))
                throw context.Error($"items {items[0]} and {item} do not fit beside axis {axis}");
        var extent = NewAxis ? items.Length : items.Sum(i => i.Shape[axis]);
        var shape = NewAxis ? new Shape([.. first.Dims[..axis], extent, .. first.Dims[axis..]]) : first.With(axis, extent);
        var output = context.Allocate(0, items[0].DType, shape, zeroed: items[0].DType.IsPacked());
        var (outer, inner) = (shape.Product(0, axis), shape.Product(axis + 1, shape.Rank));
        long at = 0;
        foreach (var item in items)
        {
            var run = (NewAxis ? 1 : item.Shape[axis]) * inner;
            var mover = new ElementMover(item, output);
            for (long o = 0; o < outer; o++) mover.Copy(o * run, o * extent * inner + at, run);
            at += run;
        }
        GC.KeepAlive(items);
    }
}
