using AiOptix.Graphs.Evaluate;
using AiOptix.Tensors;

namespace AiOptix.Graphs.Ops;

/// <summary>A function of two numbers of one type, integers of 8 bits or more or floats, element by element with broadcasting. Integers wrap.</summary>
public abstract record BinaryNumeric : Operator
{
    /// <summary>The results.</summary>
    protected abstract Tensor Evaluate(Tensor a, Tensor b, Shape shape);

    /// <summary>What is known of a result element from its operands, in arithmetic on shapes; null when nothing is.</summary>
    protected virtual Dim? Follow(Dim a, Dim b) => null;

    /// <inheritdoc/>
    public override void Infer(InferenceContext context)
    {
        context.Require(0, NumericTypes.IsNumeric, "a float or integer type");
        context.Set(0, context.RequireSame(0, 1), Broadcast.Infer(context, 0, 2));
        context.SetElements(0, ShapeArithmetic.Map(context.Elements(0), context.Elements(1), Follow));
    }

    /// <inheritdoc/>
    public override void Evaluate(EvaluationContext context)
    {
        Tensor a = context.Input(0), b = context.Input(1);
        var shape = Broadcast.Common(context, a, b);
        context.Limits.CheckTensor(a.DType, shape, $"output 0 of node {context.Node}");
        context.Set(0, Evaluate(a, b, shape));
    }

    /// <inheritdoc/>
    public override Dim? Flops(Node node) => node.Output.Shape?.Count;
}
