using AiOptix.Graphs.Evaluate;
using AiOptix.Tensors;

namespace AiOptix.Graphs.Ops;

/// <summary>A function of two truth values, element by element with broadcasting.</summary>
public abstract record Logical : Operator
{
    /// <summary>The function.</summary>
    protected abstract bool Apply(bool a, bool b);

    /// <inheritdoc/>
    public override void Infer(InferenceContext context)
    {
        context.Require(0, t => t == DType.Bool, "bool");
        context.Set(0, context.RequireSame(0, 1), Broadcast.Infer(context, 0, 2));
    }

    /// <inheritdoc/>
    public override void Evaluate(EvaluationContext context)
    {
        Tensor a = context.Input(0), b = context.Input(1);
        var walk = new Broadcast(Broadcast.Common(context, a, b), a.Shape, b.Shape);
        Span<byte> x = a.Bytes, y = b.Bytes, r = context.Allocate(0, DType.Bool, Broadcast.Common(context, a, b)).Bytes;
        while (walk.NextRow())
            for (var i = 0; i < walk.RowLength; i++)
                r[walk.OutputOffset + i] = Apply(x[walk.Offset(0) + i * walk.Step(0)] != 0, y[walk.Offset(1) + i * walk.Step(1)] != 0) ? (byte)1 : (byte)0;
    }
}
