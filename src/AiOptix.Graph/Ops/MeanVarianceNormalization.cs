using AiOptix.Tensors;

namespace AiOptix.Graphs.Ops;

/// <summary>ONNX MeanVarianceNormalization: (x - mean) / (standard deviation + 1e-9) over some axes together.</summary>
/// <param name="Axes">The axes.</param>
public sealed record MeanVarianceNormalization(ValueList<long> Axes) : Operator
{
    /// <inheritdoc/>
    public override void Infer(InferenceContext context)
    {
        var type = context.Require(0, Numbers.IsReal, "float16, bfloat16, float32 or float64");
        if (context.Shape(0) is { } s) context.Axes(Axes, s.Rank);
        context.Set(0, type, context.Shape(0));
    }

    /// <inheritdoc/>
    public override void Evaluate(EvaluationContext context)
    {
        var input = context.Input(0);
        var s = input.Shape;
        var axes = context.Axes(Axes, s.Rank);
        var x = input.ToReals();
        var strides = s.Strides();
        var groups = new Dictionary<long, List<int>>();
        for (var i = 0; i < x.Length; i++)
        {
            long key = 0;
            for (var a = 0; a < s.Rank; a++)
                if (!axes.Contains(a)) key += i / strides[a] % s[a] * strides[a];
            if (!groups.TryGetValue(key, out var members)) groups[key] = members = [];
            members.Add(i);
        }
        foreach (var members in groups.Values)
        {
            var (mean, variance) = Normalizing.Statistics([.. members.Select(i => x[i])]);
            foreach (var i in members) x[i] = (x[i] - mean) / (Math.Sqrt(variance) + 1e-9);
        }
        context.Allocate(0, input.DType, s).Store(x);
    }

    /// <inheritdoc/>
    public override bool Compose(Composition to)
    {
        if (!to.IsSingle || to[0].Shape is null || Axes.Count == 0) return false;
        var axes = to.Integers(Axes.Span);
        var centred = to.Add(new Sub(), to[0], to.Add(new ReduceMean(), to[0], axes));
        var deviation = to.Add(new Sqrt(), to.Add(new ReduceMean(), to.Add(new Mul(), centred, centred), axes));
        return to.Set(0, to.Add(new Div(), centred, to.Add(new Add(), deviation, to.Scalar(1e-9))));
    }
}
