using AiOptix.Tensors;

namespace AiOptix.Graphs.Ops;

/// <summary>What becomes of the losses of the samples.</summary>
public enum LossReduction
{
    /// <summary>They stay apart.</summary>
    None,
    /// <summary>Their sum.</summary>
    Sum,
    /// <summary>Their sum over the sum of the weights.</summary>
    Mean,
}

/// <summary>
/// ONNX NegativeLogLikelihoodLoss: inputs [N, C, d…], integer classes [N, d…], weights [C] (may be left out). The loss of a sample is minus its weighted input at its class.
/// </summary>
/// <param name="Reduction">What becomes of the losses.</param>
/// <param name="IgnoreIndex">A class whose samples count nothing.</param>
public sealed record NegativeLogLikelihoodLoss(LossReduction Reduction = LossReduction.Mean, long? IgnoreIndex = null) : Operator
{
    /// <inheritdoc/>
    public override void Infer(InferenceContext context)
    {
        var type = context.Require(0, Numbers.IsReal, "a floating-point type");
        context.RequireIndices(1);
        if (context.Has(2))
        {
            context.RequireSame(0, 2);
            context.RequireRank(2, 1);
        }
        SymbolicShape? samples = context.Shape(1);
        if (context.Shape(0) is { } s)
        {
            if (s.Rank < 2) throw context.Error($"input 0 has shape {s}; expected [N, C, …]");
            samples = context.Merge(samples, new([s[0], .. s.Dims[2..]]), "samples of inputs 0 and 1");
        }
        context.Set(0, type, Reduction == LossReduction.None ? samples : new SymbolicShape());
    }

    /// <inheritdoc/>
    public override void Evaluate(EvaluationContext context)
    {
        var x = context.Input(0);
        var (classes, inner) = (x.Shape[1], x.Shape.Product(2, x.Shape.Rank));
        var values = x.ToReals();
        var targets = context.Input(1).ToInt64();
        var weights = context.OptionalInput(2)?.ToReals();
        if (targets.Length != x.Shape[0] * inner || weights is not null && weights.Length != classes) throw context.Error($"classes {context.Input(1)} or weights do not fit input {x}");
        var losses = new double[targets.Length];
        double total = 0;
        for (var i = 0; i < targets.Length; i++)
        {
            var c = targets[i];
            if (c == IgnoreIndex) continue;
            if (c < 0 || c >= classes) throw context.Error($"class {c} is not in 0 to {classes - 1}");
            var w = weights?[c] ?? 1;
            losses[i] = -values[(i / inner * classes + c) * inner + i % inner] * w;
            total += w;
        }
        if (Reduction == LossReduction.None) context.Allocate(0, x.DType, context.Input(1).Shape).Store(losses);
        else context.Allocate(0, x.DType, Tensors.Shape.Scalar).Store([Reduction == LossReduction.Sum ? losses.Sum() : losses.Sum() / total]);
    }

    /// <inheritdoc/>
    public override bool Compose(Composition to)
    {
        if (!to.IsSingle || to[0].Shape is null || to[1].Shape is null) return false;
        var classes = to[1];
        Value Class(long c) => to.Number(c, classes.DType);
        var counts = IgnoreIndex is { } ignored ? to.Add(new Not(), to.Add(new Equal(), classes, Class(ignored))) : null;
        Value Counted(Value x) => counts is null ? x : to.Add(new Where(), counts, x, to.Scalar(0));
        // An index below 0 counts from the end; a class below 0 is an error.
        var index = to.Add(new Where(), to.Add(new Less(), classes, Class(0)), Class(int.MaxValue), classes);
        if (counts is not null) index = to.Add(new Where(), counts, index, Class(0));
        var axis = to.Integers(1);
        var losses = to.Add(new Neg(), to.Add(new Squeeze(), to.Add(new GatherElements(1), to[0], to.Add(new Unsqueeze(), index, axis)), axis));
        var weights = to.Node.Input(2) is { } given ? to.Add(new Gather(), given, index) : null;
        losses = Counted(weights is null ? losses : to.Add(new Mul(), losses, weights));
        if (Reduction == LossReduction.None) return to.Set(0, losses);
        Value Sum(Value x) => to.Add(new ReduceSum(KeepDims: false), x);
        if (Reduction == LossReduction.Sum) return to.Set(0, Sum(losses));
        var total = weights is not null ? Sum(Counted(weights)) : to.Add(new Cast(DType.Float32), counts is null ? to.Add(new Size(), classes) : Sum(to.Add(new Cast(DType.Int64), counts)));
        return to.Set(0, to.Add(new Div(), Sum(losses), total));
    }
}
