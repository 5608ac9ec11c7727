using AiOptix.Tensors;

namespace AiOptix.Graphs.Ops;

/// <summary>ONNX GatherElements: element by element, the index of input 1 takes the place of the coordinate along one axis of input 0.</summary>
/// <param name="Axis">The axis; negative counts from the end.</param>
public sealed record GatherElements(long Axis = 0) : Operator
{
    /// <inheritdoc/>
    public override void Infer(InferenceContext context)
    {
        context.RequireIndices(1);
        var data = context.Shape(0);
        var indices = context.Shape(1);
        if (data is not null)
        {
            context.Axis(Axis, data.Rank);
            context.RequireRank(1, data.Rank);
        }
        context.Set(0, context.DType(0), indices ?? (data is null ? null : context.FreshShape(data.Rank)));
    }

    /// <inheritdoc/>
    public override void Evaluate(EvaluationContext context)
    {
        var data = context.Input(0);
        var shape = context.Input(1).Shape;
        var indices = context.RequiredIntegers(1);
        var axis = context.Axis(Axis, data.Shape.Rank);
        var output = context.Allocate(0, data.DType, shape, zeroed: data.DType.IsPacked());
        var mover = new ElementMover(data, output);
        foreach (var (at, position) in Elementwise.Positions(context, data.Shape, shape, indices, axis)) mover.Copy(position, at, 1);
    }
}
