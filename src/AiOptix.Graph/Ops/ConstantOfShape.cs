using AiOptix.Tensors;

namespace AiOptix.Graphs.Ops;

/// <summary>ONNX ConstantOfShape: a tensor of the shape that the input gives as data, filled with one value.</summary>
/// <param name="Value">A tensor of one element.</param>
public sealed record ConstantOfShape(TensorAttribute Value) : Operator
{
    /// <summary>Filled with float32 zeros.</summary>
    public ConstantOfShape() : this(Tensor.Vector(0f)) { }

    /// <inheritdoc/>
    public override void Infer(InferenceContext context)
    {
        if (Value.Tensor.Count != 1) throw context.Error($"the value must have one element, found {Value}");
        context.Require(0, t => t == DType.Int64, "int64");
        var shape = context.ShapeFrom(0);
        context.Set(0, Value.Tensor.DType, shape);
        if (shape is { Rank: <= 1 } && Value.Tensor.DType is DType.Int64 or DType.Int32 && shape.Count.Constant is { } n and <= Graph.MaxFollowedElements)
            context.SetElements(0, [.. Enumerable.Repeat((Dim)Value.Tensor.ToInt64()[0], (int)n)]);
    }

    /// <inheritdoc/>
    public override void Evaluate(EvaluationContext context)
    {
        var output = context.Allocate(0, Value.Tensor.DType, context.Shape(context.RequiredIntegers(0)), zeroed: true);
        new ElementMover(Value.Tensor, output).Fill(0, output.Count);
    }
}
