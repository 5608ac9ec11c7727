using AiOptix.Tensors;

namespace AiOptix.Graphs.Ops;

/// <summary>What the global pools share: each channel of [N, C, spatial…] becomes one number, spatial extents become 1.</summary>
public abstract record GlobalPool : Operator
{
    /// <inheritdoc/>
    public override void Infer(InferenceContext context)
    {
        var type = context.Require(0, Numbers.IsReal, "float16, bfloat16, float32 or float64");
        if (context.Shape(0) is { Rank: < 2 } bad) throw context.Error($"input 0 has shape {bad}; expected [N, C, spatial…]");
        context.Set(0, type, context.Shape(0) is { } s ? new(Queries.Each(s.Rank, i => i < 2 ? s[i] : Dim.One)) : null);
    }

    /// <inheritdoc/>
    public override void Evaluate(EvaluationContext context)
    {
        var input = context.Input(0);
        var s = input.Shape;
        var x = input.ToReals();
        var plane = (int)s.Product(2, s.Rank);
        var output = context.Allocate(0, input.DType, new Shape(Queries.Each(s.Rank, i => i < 2 ? s[i] : 1)));
        var result = new double[output.Count];
        for (var i = 0; i < result.Length; i++) result[i] = Of(x.AsSpan(i * plane, plane));
        output.Store(result);
    }

    /// <inheritdoc/>
    public override Dim? Flops(Node node) => node.Input(0)?.Shape?.Count;

    /// <summary>The number for a channel.</summary>
    private protected abstract double Of(ReadOnlySpan<double> plane);
}

/// <summary>ONNX GlobalAveragePool: the mean.</summary>
public sealed record GlobalAveragePool : GlobalPool
{
    private protected override double Of(ReadOnlySpan<double> plane)
    {
        double sum = 0;
        foreach (var v in plane) sum += v;
        return sum / plane.Length;
    }
}

/// <summary>ONNX GlobalMaxPool: the largest element.</summary>
public sealed record GlobalMaxPool : GlobalPool
{
    private protected override double Of(ReadOnlySpan<double> plane)
    {
        var best = double.NegativeInfinity;
        foreach (var v in plane) best = Math.Max(best, v);
        return best;
    }
}

/// <summary>ONNX GlobalLpPool: the p-norm.</summary>
/// <param name="P">The norm's exponent.</param>
public sealed record GlobalLpPool(long P = 2) : GlobalPool
{
    private protected override double Of(ReadOnlySpan<double> plane)
    {
        double sum = 0;
        foreach (var v in plane) sum += Math.Pow(Math.Abs(v), P);
        return Math.Pow(sum, 1.0 / P);
    }

    /// <inheritdoc/>
    public override bool Compose(Composition to)
    {
        if (!to.IsSingle || P < 1 || to[0].Shape is not { Rank: >= 3 } s) return false;
        var axes = to.Integers([.. Enumerable.Range(2, s.Rank - 2).Select(a => (long)a)]);
        return to.Set(0, P switch
        {
            1 => to.Add(new ReduceL1(), to[0], axes),
            2 => to.Add(new ReduceL2(), to[0], axes),
            _ => PowerNorm.Root(to, to.Add(new ReduceSum(), PowerNorm.Terms(to, to[0], P), axes), P),
        });
    }
}
