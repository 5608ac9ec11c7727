using AiOptix.Tensors;

namespace AiOptix.Graphs.Ops;

/// <summary>
/// ONNX NonMaxSuppression: boxes [N, boxes, 4] and scores [N, classes, boxes] to the chosen (batch, class, box) [chosen, 3]: by falling score, without boxes that overlap a chosen
/// one by more than the threshold. Further inputs: how many a class (0 if left out), the overlap and the least score.
/// </summary>
/// <param name="CenterPoint">Boxes are centre x, centre y, width, height, not two opposite corners y, x, y, x.</param>
public sealed record NonMaxSuppression(bool CenterPoint = false) : Operator
{
    /// <inheritdoc/>
    public override void Infer(InferenceContext context)
    {
        context.Require(0, t => t == DType.Float32, "float32");
        context.RequireSame(0, 1);
        context.RequireRank(0, 3);
        context.RequireRank(1, 3);
        if (context.Shape(0) is { } b && context.Shape(1) is { } s)
        {
            context.Same(b[0], s[0], "batches of boxes and scores");
            context.Same(b[1], s[2], "numbers of boxes and scores");
            context.Same(b[2], 4, "coordinates of a box");
        }
        context.Set(0, DType.Int64, new SymbolicShape(context.Fresh(), 3));
    }

    /// <inheritdoc/>
    public override void Evaluate(EvaluationContext context)
    {
        var (boxes, scores) = (context.Input(0).ToReals(), context.Input(1).ToReals());
        var s = context.Input(1).Shape;
        var (batches, classes, count) = ((int)s[0], (int)s[1], (int)s[2]);
        if (context.Input(0).Shape != new Shape(batches, count, 4)) throw context.Error($"boxes {context.Input(0)} do not fit scores {context.Input(1)}");
        var most = context.Has(2) ? context.Integer(2) : 0;
        var overlap = context.OptionalInput(3)?.ToReals()[0] ?? 0;
        var least = context.OptionalInput(4)?.ToReals()[0];
        var result = new List<long>();
        var chosen = new List<int>();
        for (var n = 0; n < batches; n++)
            for (var c = 0; c < classes; c++)
            {
                context.Cancellation.ThrowIfCancellationRequested();
                chosen.Clear();
                var own = scores.AsSpan((n * classes + c) * count, count).ToArray();
                foreach (var i in Enumerable.Range(0, count).Where(i => least is null || own[i] > least).OrderByDescending(i => own[i]))
                {
                    if (chosen.Count >= most) break;
                    if (chosen.Exists(k => Overlap(boxes.AsSpan((n * count + i) * 4, 4), boxes.AsSpan((n * count + k) * 4, 4)) > overlap)) continue;
                    chosen.Add(i);
                    result.AddRange(n, c, i);
                }
            }
        context.Allocate(0, DType.Int64, new Shape(result.Count / 3, 3)).Store([.. result]);
    }

    private double Overlap(ReadOnlySpan<double> a, ReadOnlySpan<double> b)
    {
        var (p, q) = (Corners(a), Corners(b));
        var common = Math.Max(0, Math.Min(p.Y2, q.Y2) - Math.Max(p.Y1, q.Y1)) * Math.Max(0, Math.Min(p.X2, q.X2) - Math.Max(p.X1, q.X1));
        var all = (p.Y2 - p.Y1) * (p.X2 - p.X1) + (q.Y2 - q.Y1) * (q.X2 - q.X1) - common;
        return all > 0 ? (float)common / (float)all : 0;
    }

    private (double Y1, double X1, double Y2, double X2) Corners(ReadOnlySpan<double> box) => CenterPoint
        ? (box[1] - box[3] / 2, box[0] - box[2] / 2, box[1] + box[3] / 2, box[0] + box[2] / 2)
        : (Math.Min(box[0], box[2]), Math.Min(box[1], box[3]), Math.Max(box[0], box[2]), Math.Max(box[1], box[3]));
}
