using AiOptix.Tensors;

namespace AiOptix.Graphs.Ops;

/// <summary>ONNX Flatten: a matrix whose rows are the axes before <paramref name="Axis"/> and whose columns are the rest.</summary>
/// <param name="Axis">Where to split, -rank..rank.</param>
public sealed record Flatten(long Axis = 1) : Operator
{
    /// <inheritdoc/>
    public override void Infer(InferenceContext context)
    {
        if (context.Shape(0) is not { } s)
        {
            context.Set(0, context.DType(0), context.FreshShape(2));
            return;
        }
        if (Axis < -s.Rank || Axis > s.Rank) throw context.Error($"axis {Axis} is out of range for rank {s.Rank}");
        var at = (int)(Axis < 0 ? Axis + s.Rank : Axis);
        context.Set(0, context.DType(0), new(new SymbolicShape(s.Dims[..at]).Count, new SymbolicShape(s.Dims[at..]).Count));
    }

    /// <inheritdoc/>
    public override void Evaluate(EvaluationContext context)
    {
        var s = context.Input(0).Shape;
        var at = (int)(Axis < 0 ? Axis + s.Rank : Axis);
        context.Set(0, context.Input(0).Reshape(new Shape(s.Product(0, at), s.Product(at, s.Rank))));
    }
}
