using AiOptix.Tensors;

namespace AiOptix.Graphs.Ops;

/// <summary>ONNX Size: how many elements, as an int64 scalar.</summary>
public sealed record Size : Operator
{
    /// <inheritdoc/>
    public override void Infer(InferenceContext context)
    {
        context.Set(0, DType.Int64, new SymbolicShape());
        if (context.Shape(0) is { } s) context.SetElements(0, [s.Count]);
    }

    /// <inheritdoc/>
    public override void Evaluate(EvaluationContext context) => context.Set(0, Tensor.Scalar(context.Input(0).Count));

    /// <inheritdoc/>
    public override bool Compose(Composition to) => to[0].Shape is not null && to.Set(0, to.Add(new ReduceProd(KeepDims: false), to.Add(new ShapeOf(), to[0]), to.Integers(0)));
}
