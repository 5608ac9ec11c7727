using AiOptix.Graphs.Evaluate;
using AiOptix.Tensors;

namespace AiOptix.Graphs.Ops;

/// <summary>A function of one number, float or integer of 8 bits or more, element by element. Floats are evaluated in float64 and rounded once; integers wrap.</summary>
public abstract record UnaryNumeric : UnaryFloat
{
    /// <summary>The function on integers; for uint64 see <see cref="ApplyUnsigned"/>.</summary>
    protected abstract long Apply(long x);

    /// <summary>The function on uint64.</summary>
    protected virtual ulong ApplyUnsigned(ulong x) => unchecked((ulong)Apply(unchecked((long)x)));

    /// <summary>What is known of a result element from its operand, in arithmetic on shapes; null when nothing is.</summary>
    protected virtual Dim? Follow(Dim x) => null;

    /// <inheritdoc/>
    public override void Infer(InferenceContext context)
    {
        context.Require(0, NumericTypes.IsNumeric, "a float or integer type");
        context.Set(0, context.Tensor(0));
        context.SetElements(0, ShapeArithmetic.Map(context.Elements(0), Follow));
    }

    /// <inheritdoc/>
    public override void Evaluate(EvaluationContext context)
    {
        var x = context.Input(0);
        var y = context.Allocate(0, x.DType, x.Shape);
        if (x.DType.IsFloat()) Map(x, y);
        else if (x.DType == DType.UInt64)
            for (var i = 0; i < x.Count; i++) y.Span<ulong>()[i] = ApplyUnsigned(x.Span<ulong>()[i]);
        else
        {
            var values = x.ToInt64();
            foreach (ref var v in values.AsSpan()) v = Apply(v);
            ElementTypes.Write(y, 0, values);
        }
    }
}
