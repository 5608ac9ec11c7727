using AiOptix.Tensors;

namespace AiOptix.Graphs.Ops;

/// <summary>ONNX TensorScatter: a cache [batch, …, most, …] with an update [batch, …, length, …] written into it from an index on that each batch entry gives (input 2, 0 if left out).</summary>
/// <param name="Axis">The axis of the sequence; not the first.</param>
/// <param name="Circular">What goes beyond the end goes on at the beginning; otherwise it is an error.</param>
public sealed record TensorScatter(long Axis = -2, bool Circular = false) : Operator
{
    /// <inheritdoc/>
    public override void Infer(InferenceContext context)
    {
        context.RequireSame(0, 1);
        if (context.Has(2))
        {
            context.Require(2, t => t == DType.Int64, "int64");
            context.RequireRank(2, 1);
        }
        if (context.Shape(0) is { } s)
        {
            var axis = context.Axis(Axis, s.Rank);
            if (axis == 0) throw context.Error("the axis must not be that of the batch");
            if (context.Shape(1) is { } u)
            {
                if (u.Rank != s.Rank) throw context.Error($"a cache of shape {s} and an update of shape {u} have different ranks");
                for (var i = 0; i < s.Rank; i++)
                    if (i != axis) context.Same(s[i], u[i], $"axis {i} of cache and update");
            }
        }
        context.Set(0, context.Tensor(0));
    }

    /// <inheritdoc/>
    public override void Evaluate(EvaluationContext context)
    {
        var (cache, update) = (context.Input(0), context.Input(1));
        var axis = context.Axis(Axis, cache.Shape.Rank);
        var starts = context.Integers(2) ?? new long[cache.Shape[0]];
        if (starts.Length != cache.Shape[0] || update.Shape.With(axis, cache.Shape[axis]) != cache.Shape) throw context.Error($"the update {update} or its indices do not fit the cache {cache}");
        var output = context.Allocate(0, cache.DType, cache.Shape);
        cache.CopyTo(output);
        var mover = new ElementMover(update, output);
        var (most, length) = (cache.Shape[axis], update.Shape[axis]);
        var (middle, inner) = (cache.Shape.Product(1, axis), cache.Shape.Product(axis + 1, cache.Shape.Rank));
        for (long b = 0; b < starts.Length; b++)
        {
            if (starts[b] < 0 || (!Circular && starts[b] + length > most)) throw context.Error($"{length} entries from {starts[b]} on do not fit a cache of {most}");
            for (long m = 0; m < middle; m++)
                for (long i = 0; i < length; i++)
                    mover.Copy(((b * middle + m) * length + i) * inner, ((b * middle + m) * most + (starts[b] + i) % most) * inner, inner);
        }
    }
}
