using AiOptix.Graphs.Evaluate;
using AiOptix.Tensors;

namespace AiOptix.Graphs.Ops;

/// <summary>ONNX Where: input 1 where the condition (input 0) is true, otherwise input 2; any type, with broadcasting.</summary>
public sealed record Where : Operator
{
    /// <inheritdoc/>
    public override void Infer(InferenceContext context)
    {
        context.Require(0, t => t == DType.Bool, "bool");
        context.Set(0, context.RequireSame(1, 2), Broadcast.Infer(context, 0, 3));
        if (context.Elements(1) is { } x && context.Elements(2) is { } y && Answers(context) is { } answers) context.SetElements(0, Choose(answers, x, y));
    }

    /// <inheritdoc/>
    public override void Evaluate(EvaluationContext context)
    {
        Tensor condition = context.Input(0), x = context.Input(1), y = context.Input(2);
        var shape = Broadcast.Common(context, condition, x, y);
        var result = context.Allocate(0, x.DType, shape);
        var walk = new Broadcast(shape, condition.Shape, x.Shape, y.Shape);
        var fromX = new ElementMover(x, result);
        var fromY = new ElementMover(y, result);
        var flags = condition.Bytes;
        while (walk.NextRow())
            for (var i = 0; i < walk.RowLength; i++)
                if (flags[walk.Offset(0) + i * walk.Step(0)] != 0) fromX.Copy(walk.Offset(1) + i * walk.Step(1), walk.OutputOffset + i, 1);
                else fromY.Copy(walk.Offset(2) + i * walk.Step(2), walk.OutputOffset + i, 1);
    }

    /// <summary>What is known of the condition: a constant, or whether elements that are followed are equal (as when a shape's -1 entries are replaced); null for the rest.</summary>
    private static bool?[]? Answers(InferenceContext context)
    {
        if (context.Constant(0) is { Shape.Rank: <= 1 } condition) return [.. condition.Bytes.ToArray().Select(b => (bool?)(b != 0))];
        if (context.Node.Input(0)?.Producer is not { Operator: Equal } question) return null;
        if (question.Input(0)?.Elements is not { } a || question.Input(1)?.Elements is not { } b) return null;
        var count = Math.Max(a.Count, b.Count);
        if ((a.Count != 1 && a.Count != count) || (b.Count != 1 && b.Count != count)) return null;
        return [.. Enumerable.Range(0, count).Select(i => AreEqual(a[a.Count == 1 ? 0 : i], b[b.Count == 1 ? 0 : i]))];
    }

    private static bool? AreEqual(Dim a, Dim b)
    {
        if ((a - b).Constant is { } difference) return difference == 0;
        return (a.IsNonNegative && b.Constant < 0) || (b.IsNonNegative && a.Constant < 0) ? false : null;
    }

    private static IReadOnlyList<Dim>? Choose(bool?[] answers, IReadOnlyList<Dim> x, IReadOnlyList<Dim> y)
    {
        var count = Math.Max(answers.Length, Math.Max(x.Count, y.Count));
        if ((answers.Length != 1 && answers.Length != count) || (x.Count != 1 && x.Count != count) || (y.Count != 1 && y.Count != count)) return null;
        return ShapeArithmetic.Collect(count, i =>
        {
            var (yes, no) = (x[x.Count == 1 ? 0 : i], y[y.Count == 1 ? 0 : i]);
            return answers[answers.Length == 1 ? 0 : i] is { } answer ? answer ? yes : no : yes.Equals(no) ? yes : null;
        });
    }
}
