using AiOptix.Tensors;

namespace AiOptix.Graphs.Ops;

/// <summary>ONNX ReverseSequence: the first elements along the time axis in reverse order, as many as input 1 says for each entry of the batch axis; the others stay.</summary>
/// <param name="BatchAxis">0 or 1.</param>
/// <param name="TimeAxis">1 or 0.</param>
public sealed record ReverseSequence(long BatchAxis = 1, long TimeAxis = 0) : Operator
{
    /// <inheritdoc/>
    public override void Infer(InferenceContext context)
    {
        context.Require(1, t => t == DType.Int64, "int64");
        if ((BatchAxis, TimeAxis) is not ((0, 1) or (1, 0))) throw context.Error($"batch_axis {BatchAxis} and time_axis {TimeAxis} must be 0 and 1, or 1 and 0");
        context.RequireRank(1, 1);
        if (context.Shape(0) is { } s)
        {
            if (s.Rank < 2) throw context.Error($"input 0 has shape {s}; expected rank 2 or more");
            if (context.Shape(1) is { } lengths) context.Same(s[(int)BatchAxis], lengths[0], "the batch axis and sequence_lens");
        }
        context.Set(0, context.Type(0));
    }

    /// <inheritdoc/>
    public override void Evaluate(EvaluationContext context)
    {
        var input = context.Input(0);
        var s = input.Shape;
        var lengths = context.RequiredIntegers(1);
        if (s.Rank < 2 || lengths.Length != s[(int)BatchAxis] || lengths.Any(n => n < 0 || n > s[(int)TimeAxis]))
            throw context.Error($"sequence_lens [{string.Join(",", lengths)}] does not fit shape {s} with batch axis {BatchAxis}");
        var output = context.Allocate(0, input.DType, s, zeroed: input.DType.IsPacked());
        var mover = new ElementMover(input, output);
        var inner = s.Product(2, s.Rank);
        for (long b = 0; b < lengths.Length; b++)
            for (long t = 0; t < s[(int)TimeAxis]; t++)
                mover.Copy(At(b, t < lengths[b] ? lengths[b] - 1 - t : t), At(b, t), inner);

        long At(long b, long t) => (BatchAxis == 0 ? b * s[1] + t : t * s[1] + b) * inner;
    }
}
