using AiOptix.Tensors;

namespace AiOptix.Graphs.Ops;

/// <summary>ONNX Compress: the entries of an axis where a vector of bools is true; what lies beyond its end is left out.</summary>
/// <param name="Axis">The axis; null flattens the input first.</param>
public sealed record Compress(long? Axis = null) : Operator
{
    /// <inheritdoc/>
    public override void Infer(InferenceContext context)
    {
        var type = context.DType(0);
        context.Require(1, t => t == DType.Bool, "bool");
        context.RequireRank(1, 1);
        if (Axis is null) context.Set(0, type, new SymbolicShape(context.Fresh()));
        else context.Set(0, type, context.Shape(0) is { } s ? s.With(context.Axis(Axis.Value, s.Rank), context.Fresh()) : null);
    }

    /// <inheritdoc/>
    public override void Evaluate(EvaluationContext context)
    {
        var x = context.Input(0);
        var shape = Axis is null ? new Shape(x.Count) : x.Shape;
        var axis = Axis is null ? 0 : context.Axis(Axis.Value, shape.Rank);
        var flags = context.Input(1).ToInt64();
        var chosen = Enumerable.Range(0, (int)Math.Min(flags.Length, shape[axis])).Where(i => flags[i] != 0).ToArray();
        var result = shape.With(axis, chosen.Length);
        var output = context.Allocate(0, x.DType, result);
        var mover = new ElementMover(x, output);
        var (outer, inner) = (shape.Product(0, axis), shape.Product(axis + 1, shape.Rank));
        for (long o = 0; o < outer; o++)
            for (var i = 0; i < chosen.Length; i++) mover.Copy((o * shape[axis] + chosen[i]) * inner, (o * chosen.Length + i) * inner, inner);
    }
}
