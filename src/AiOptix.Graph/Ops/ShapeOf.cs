using AiOptix.Tensors;

namespace AiOptix.Graphs.Ops;

/// <summary>ONNX Shape: the extents of axes <paramref name="Start"/> up to, but without, <paramref name="End"/>, as int64; both are clamped.</summary>
/// <param name="Start">The first axis; negative counts from the end.</param>
/// <param name="End">The axis after the last; null means all; negative counts from the end.</param>
public sealed record ShapeOf(long Start = 0, long? End = null) : Operator
{
    /// <inheritdoc/>
    public override string Name => "Shape";

    /// <inheritdoc/>
    public override void Infer(InferenceContext context)
    {
        if (context.Shape(0) is not { } s)
        {
            context.Set(0, DType.Int64, new SymbolicShape(context.Fresh()));
            return;
        }
        var (from, to) = Bounds(s.Rank);
        context.Set(0, DType.Int64, new SymbolicShape((Dim)(to - from)));
        context.SetElements(0, s.Dims[from..to].ToArray());
    }

    /// <inheritdoc/>
    public override void Evaluate(EvaluationContext context)
    {
        var s = context.Input(0).Shape;
        var (from, to) = Bounds(s.Rank);
        context.Set(0, Tensor.Vector(s.Dims[from..to]));
    }

    private (int From, int To) Bounds(int rank)
    {
        var from = (int)Math.Clamp(Start < 0 ? Start + rank : Start, 0, rank);
        var end = End ?? rank;
        var to = (int)Math.Clamp(end < 0 ? end + rank : end, 0, rank);
        return (from, Math.Max(from, to));
    }
}
