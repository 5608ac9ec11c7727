using AiOptix.Graphs.Evaluate;
using AiOptix.Tensors;

namespace AiOptix.Graphs.Ops;

/// <summary>A function of one float (float16, bfloat16, float32, float64), element by element. Evaluated in float64 and rounded once.</summary>
public abstract record UnaryFloat : Operator
{
    /// <summary>The function.</summary>
    protected abstract double Apply(double x);

    /// <inheritdoc/>
    public override void Infer(InferenceContext context)
    {
        context.Require(0, NumericTypes.IsFloat, "float16, bfloat16, float32 or float64");
        context.Set(0, context.Tensor(0));
    }

    /// <inheritdoc/>
    public override void Evaluate(EvaluationContext context)
    {
        var x = context.Input(0);
        Map(x, context.Allocate(0, x.DType, x.Shape));
    }

    /// <summary>Applies the function to every element.</summary>
    private protected void Map(Tensor x, Tensor y)
    {
        Span<double> chunk = stackalloc double[512];
        for (long at = 0; at < x.Count; at += chunk.Length)
        {
            var part = chunk[..(int)Math.Min(chunk.Length, x.Count - at)];
            ElementTypes.Read(x, at, part);
            foreach (ref var v in part) v = Apply(v);
            ElementTypes.Write(y, at, part);
        }
    }
}
