using AiOptix.Graphs.Evaluate;
using AiOptix.Tensors;

namespace AiOptix.Graphs.Ops.Ml;

/// <summary>What a row is divided by.</summary>
public enum RowNorm
{
    /// <summary>Its largest element.</summary>
    Max,
    /// <summary>The sum of its magnitudes.</summary>
    L1,
    /// <summary>The root of the sum of its squares.</summary>
    L2,
}

/// <summary>ONNX ML Normalizer: every row (the last axis) over its norm, as float32; a row whose norm is 0 stays.</summary>
/// <param name="Norm">The norm.</param>
public sealed record Normalizer(RowNorm Norm = RowNorm.Max) : Operator
{
    /// <inheritdoc/>
    public override void Infer(InferenceContext context)
    {
        FeatureRows.Require(context);
        context.Set(0, DType.Float32, context.Shape(0));
    }

    /// <inheritdoc/>
    public override void Evaluate(EvaluationContext context)
    {
        var x = context.Input(0);
        var values = ElementTypes.ToFloat64(x);
        var n = x.Shape.Rank == 0 ? 1 : (int)x.Shape[-1];
        for (var start = 0; start < values.Length; start += n)
        {
            var row = values.AsSpan(start, n);
            double norm = Norm == RowNorm.Max ? row[0] : 0;
            foreach (var v in row) norm = Norm switch { RowNorm.Max => Math.Max(norm, v), RowNorm.L1 => norm + Math.Abs(v), _ => norm + v * v };
            if (Norm == RowNorm.L2) norm = Math.Sqrt(norm);
            if (norm == 0) continue;
            foreach (ref var v in row) v /= norm;
        }
        context.Allocate(0, DType.Float32, x.Shape).Store(values);
    }

    /// <inheritdoc/>
    public override bool Compose(Composition to)
    {
        if (to[0].DType != DType.Float32 || to[0].Shape is not { Rank: > 0 }) return false;
        Operator reduction = Norm switch { RowNorm.Max => new ReduceMax(), RowNorm.L1 => new ReduceL1(), _ => new ReduceL2() };
        return to.Set(0, PowerNorm.Over(to, to[0], to.Add(reduction, to[0], to.Integers(-1))));
    }
}
