using AiOptix.Graphs.Evaluate;
using AiOptix.Tensors;

namespace AiOptix.Graphs.Ops;

/// <summary>A function of the bits of two integers of one type, element by element with broadcasting.</summary>
public abstract record Bitwise : Operator
{
    /// <summary>The results.</summary>
    protected abstract Tensor Evaluate(Tensor a, Tensor b, Shape shape);

    /// <summary>Which element types it takes.</summary>
    protected virtual bool Allows(DType type) => NumericTypes.IsInteger(type);

    /// <inheritdoc/>
    public override void Infer(InferenceContext context)
    {
        context.Require(0, Allows, "an integer type that the operator takes");
        context.Set(0, context.RequireSame(0, 1), Broadcast.Infer(context, 0, 2));
    }

    /// <inheritdoc/>
    public override void Evaluate(EvaluationContext context)
    {
        Tensor a = context.Input(0), b = context.Input(1);
        var shape = Broadcast.Common(context, a, b);
        context.Limits.CheckTensor(a.DType, shape, $"output 0 of node {context.Node}");
        context.Set(0, Evaluate(a, b, shape));
    }
}
