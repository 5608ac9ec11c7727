using AiOptix.Graphs.Evaluate;
using AiOptix.Tensors;

namespace AiOptix.Graphs.Ops;

/// <summary>
/// ONNX Dropout. Inputs: data; ratio (a float scalar, default 0.5); training mode (a bool scalar, default false). Out of training output 0 is the data and
/// output 1, the mask, is all true; in training each element is 0 with probability ratio, otherwise scaled by 1 / (1 - ratio).
/// </summary>
/// <param name="Seed">The seed in training; null takes a new one every time.</param>
public sealed record Dropout(long? Seed = null) : Operator
{
    /// <inheritdoc/>
    public override bool IsPure => false;

    /// <inheritdoc/>
    public override void Infer(InferenceContext context)
    {
        context.Require(0, DTypes.IsFloat, "a float type");
        if (context.Has(1)) context.Require(1, DTypes.IsFloat, "a float type");
        if (context.Has(2)) context.Require(2, t => t == DType.Bool, "bool");
        context.Set(0, context.Tensor(0));
        context.Set(1, DType.Bool, context.Shape(0));
    }

    /// <inheritdoc/>
    public override void Evaluate(EvaluationContext context)
    {
        var x = context.Input(0);
        var mask = context.Allocate(1, DType.Bool, x.Shape);
        mask.Bytes.Fill(1);
        var ratio = context.Has(1) ? ElementTypes.ToFloat64(context.Input(1)) is [var one] ? one : throw context.Error("the ratio must be a scalar") : 0.5;
        if (ratio is not (>= 0 and < 1)) throw context.Error($"the ratio {ratio} is not in [0, 1)");
        var training = context.OptionalInput(2) is { Count: 1 } t && t.Bytes[0] != 0;
        if (!training || ratio == 0)
        {
            context.Set(0, x.Share());
            GC.KeepAlive(mask);
            return;
        }
        var random = Seed is { } s ? new Random(s.GetHashCode()) : new Random();
        var values = ElementTypes.ToFloat64(x);
        for (var i = 0; i < values.Length; i++)
        {
            var kept = random.NextDouble() >= ratio;
            mask.Bytes[i] = kept ? (byte)1 : (byte)0;
            values[i] = kept ? values[i] / (1 - ratio) : 0;
        }
        context.Set(0, ElementTypes.From(values, x.DType, x.Shape));
        GC.KeepAlive(mask);
    }

    /// <inheritdoc/>
    public override bool Compose(Composition to)
    {
        if (to.Node.Input(2) is { } training && training.Constant is not { Count: 1 }) return false;
        if (to.Node.Input(2)?.Constant is { } flag && flag.Bytes[0] != 0) return false;
        if (to.Node.Input(1) is { } given && (given.Constant is not { Count: 1 } ratio || ElementTypes.ToFloat64(ratio)[0] is not (>= 0 and < 1))) return false;
        if (to.Node.Outputs.Count > 1 && !to.Node.Outputs[1].IsUnused) to.Set(1, to.Add(new ConstantOfShape(Tensor.Vector(true)), to.Add(new ShapeOf(), to[0])));
        return to.Set(0, to[0]);
    }
}
