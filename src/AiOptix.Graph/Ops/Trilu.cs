using AiOptix.Tensors;

namespace AiOptix.Graphs.Ops;

/// <summary>ONNX Trilu: the upper or lower triangle of the last two axes, zero elsewhere. Input 1 is the diagonal's offset (default 0).</summary>
/// <param name="Upper">Keep what is on and above the diagonal; otherwise on and below.</param>
public sealed record Trilu(bool Upper = true) : Operator
{
    /// <inheritdoc/>
    public override void Infer(InferenceContext context)
    {
        if (context.Shape(0) is { Rank: < 2 } s) throw context.Error($"input 0 has shape {s}; expected at least two axes");
        if (context.Has(1)) context.Require(1, t => t == DType.Int64, "int64");
        context.Set(0, context.DType(0), context.Shape(0));
    }

    /// <inheritdoc/>
    public override void Evaluate(EvaluationContext context)
    {
        var input = context.Input(0);
        var k = context.Has(1) ? context.Integer(1) : 0;
        var rows = input.Shape[-2];
        var columns = input.Shape[-1];
        var output = context.Allocate(0, input.DType, input.Shape, zeroed: true);
        var mover = new ElementMover(input, output);
        var matrices = input.Shape.Product(0, input.Shape.Rank - 2);
        for (long m = 0; m < matrices; m++)
            for (long r = 0; r < rows; r++)
            {
                var diagonal = (long)Int128.Clamp((Int128)r + k, -1, columns);
                var (from, to) = Upper ? (Math.Max(0, diagonal), columns) : (0, Math.Min(columns, diagonal + 1));
                if (to > from) mover.Copy((m * rows + r) * columns + from, (m * rows + r) * columns + from, to - from);
            }
    }
}
