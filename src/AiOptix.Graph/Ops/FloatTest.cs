using AiOptix.Graphs.Evaluate;
using AiOptix.Tensors;

namespace AiOptix.Graphs.Ops;

/// <summary>A question about every element of a float tensor, narrow floats included; the answers are bool.</summary>
public abstract record FloatTest : Operator
{
    /// <summary>The question.</summary>
    protected abstract bool Holds(double x);

    /// <inheritdoc/>
    public override void Infer(InferenceContext context)
    {
        context.Require(0, DTypes.IsFloat, "a float type");
        context.Set(0, DType.Bool, context.Shape(0));
    }

    /// <inheritdoc/>
    public override void Evaluate(EvaluationContext context)
    {
        var x = context.Input(0);
        var y = context.Allocate(0, DType.Bool, x.Shape).Bytes;
        var values = ElementTypes.ToFloat64(x);
        for (var i = 0; i < values.Length; i++) y[i] = Holds(values[i]) ? (byte)1 : (byte)0;
    }
}
