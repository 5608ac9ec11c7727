using AiOptix.Tensors;

namespace AiOptix.Graphs.Ops.Ml;

/// <summary>ONNX ML ArrayFeatureExtractor: elements of the last axis by index (int64, any shape, taken in order). A vector counts as one row.</summary>
public sealed record ArrayFeatureExtractor : Operator
{
    /// <inheritdoc/>
    public override void Infer(InferenceContext context)
    {
        context.Require(0, t => FeatureRows.IsFeature(t) || t == DType.String, "float32, float64, int64, int32 or string");
        context.Require(1, t => t == DType.Int64, "int64");
        if (context.Shape(0) is not { } s)
        {
            context.Set(0, context.DType(0), null);
            return;
        }
        if (s.Rank == 0) throw context.Error("input 0 must not be a scalar");
        var count = context.Shape(1) is { } i ? i.Count : context.Fresh();
        context.Set(0, context.DType(0), s.Rank == 1 ? new(1, count) : s.With(s.Rank - 1, count));
    }

    /// <inheritdoc/>
    public override void Evaluate(EvaluationContext context)
    {
        var x = context.Input(0);
        var indices = context.Input(1).ToInt64();
        var n = x.Shape[-1];
        foreach (var i in indices)
            if (i < 0 || i >= n) throw context.Error($"index {i} is out of range for the last axis of shape {x.Shape}");
        var output = context.Allocate(0, x.DType, x.Shape.Rank == 1 ? new Shape(1, indices.Length) : x.Shape.With(x.Shape.Rank - 1, indices.Length));
        var mover = new ElementMover(x, output);
        long to = 0;
        for (long start = 0; start < x.Count; start += n)
            foreach (var i in indices) mover.Copy(start + i, to++, 1);
    }
}
