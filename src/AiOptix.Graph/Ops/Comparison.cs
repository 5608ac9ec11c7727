using AiOptix.Graphs.Evaluate;
using AiOptix.Tensors;

namespace AiOptix.Graphs.Ops;

/// <summary>A question about two values of one type, element by element with broadcasting; the answers are bool. With NaN every answer is false.</summary>
public abstract record Comparison : Operator
{
    /// <summary>The answers.</summary>
    protected abstract Tensor Evaluate(Tensor a, Tensor b, Shape shape);

    /// <summary>Which element types it takes.</summary>
    protected virtual bool Allows(DType type) => NumericTypes.IsNumeric(type);

    /// <inheritdoc/>
    public override void Infer(InferenceContext context)
    {
        context.Require(0, Allows, "a type that can be compared");
        context.RequireSame(0, 1);
        context.Set(0, DType.Bool, Broadcast.Infer(context, 0, 2));
    }

    /// <inheritdoc/>
    public override void Evaluate(EvaluationContext context)
    {
        Tensor a = context.Input(0), b = context.Input(1);
        var shape = Broadcast.Common(context, a, b);
        context.Limits.CheckTensor(DType.Bool, shape, $"output 0 of node {context.Node}");
        context.Set(0, Evaluate(a, b, shape));
    }
}
