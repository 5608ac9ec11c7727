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
        if (context.Constant(0) is { Shape.Rank: <= 1 } condition && context.Elements(1) is { } x && context.Elements(2) is { } y)
            context.SetElements(0, Choose(condition, x, y));
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

    private static IReadOnlyList<Dim>? Choose(Tensor condition, IReadOnlyList<Dim> x, IReadOnlyList<Dim> y)
    {
        var count = Math.Max((int)condition.Count, Math.Max(x.Count, y.Count));
        if ((condition.Count != 1 && condition.Count != count) || (x.Count != 1 && x.Count != count) || (y.Count != 1 && y.Count != count)) return null;
        return ShapeArithmetic.Collect(count, i => condition.Bytes[condition.Count == 1 ? 0 : i] != 0 ? x[x.Count == 1 ? 0 : i] : y[y.Count == 1 ? 0 : i]);
    }
}
