using AiOptix.Graphs.Evaluate;
using AiOptix.Tensors;

namespace AiOptix.Graphs.Ops;

/// <summary>A function of one or more numbers of one type, element by element with broadcasting.</summary>
public abstract record Variadic : Operator
{
    /// <summary>The result of all operands, in <paramref name="shape"/>.</summary>
    protected abstract Tensor Evaluate(IReadOnlyList<Tensor> operands, Shape shape);

    /// <summary>Which element types it takes.</summary>
    protected virtual bool Allows(DType type) => NumericTypes.IsNumeric(type);

    /// <summary>What is known of a result element from two operands, in arithmetic on shapes; null when nothing is.</summary>
    protected virtual Dim? Follow(Dim a, Dim b) => null;

    /// <inheritdoc/>
    public override void Infer(InferenceContext context)
    {
        var type = context.Require(0, Allows, "a float or integer type that the operator takes");
        var elements = context.Elements(0);
        for (var i = 1; i < context.InputCount; i++)
        {
            context.RequireSame(0, i);
            elements = ShapeArithmetic.Map(elements, context.Elements(i), Follow);
        }
        context.Set(0, type, Broadcast.Infer(context, 0, context.InputCount));
        context.SetElements(0, elements);
    }

    /// <inheritdoc/>
    public override void Evaluate(EvaluationContext context)
    {
        var operands = Enumerable.Range(0, context.InputCount).Select(context.Input).ToArray();
        var shape = Broadcast.Common(context, operands);
        context.Limits.CheckTensor(operands[0].DType, shape, $"output 0 of node {context.Node}");
        context.Set(0, operands.Length == 1 ? operands[0].Share() : Evaluate(operands, shape));
    }

    /// <inheritdoc/>
    public override Dim? Flops(Node node) => node.Output.Shape is { } s ? s.Count * (node.Inputs.Count - 1L) : null;

    /// <summary>Takes the operands together two by two.</summary>
    private protected static Tensor Fold<TFunction>(IReadOnlyList<Tensor> operands, Shape shape) where TFunction : INumericPair
    {
        var result = Pairs.Numeric<TFunction>(operands[0], operands[1], shape);
        foreach (var next in operands.Skip(2))
            using (var previous = result) result = Pairs.Numeric<TFunction>(previous, next, shape);
        return result;
    }

    /// <summary>The sums of float operands in float64, times a factor, rounded once.</summary>
    private protected static Tensor Total(IReadOnlyList<Tensor> operands, Shape shape, double factor)
    {
        var sum = new double[shape.Count];
        foreach (var operand in operands)
        {
            var values = ElementTypes.ToFloat64(operand);
            var walk = new Broadcast(shape, operand.Shape);
            while (walk.NextRow())
                for (var i = 0; i < walk.RowLength; i++) sum[walk.OutputOffset + i] += values[walk.Offset(0) + i * walk.Step(0)];
        }
        foreach (ref var v in sum.AsSpan()) v *= factor;
        return ElementTypes.From(sum, operands[0].DType, shape);
    }
}
