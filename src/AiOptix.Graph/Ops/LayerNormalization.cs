using AiOptix.Tensors;

namespace AiOptix.Graphs.Ops;

/// <summary>
/// ONNX LayerNormalization: inputs X, scale, bias (may be left out); the axes from <paramref name="Axis"/> on are brought to mean 0 and variance 1, then
/// scaled and shifted. Outputs 1 and 2 are the means and the inverse standard deviations.
/// </summary>
/// <param name="Axis">The first normalised axis; negative counts from the end.</param>
/// <param name="Epsilon">Added to the variance.</param>
/// <param name="StashType">The type of outputs 1 and 2 and of the statistics.</param>
public sealed record LayerNormalization(long Axis = -1, float Epsilon = 1e-5f, DType StashType = DType.Float32) : Operator
{
    /// <inheritdoc/>
    public override void Infer(InferenceContext context)
    {
        var type = context.Require(0, Numbers.IsReal, "float16, bfloat16, float32 or float64");
        SymbolicShape? statistics = null;
        if (context.Shape(0) is { } s)
        {
            var axis = context.Axis(Axis, s.Rank);
            statistics = new([.. s.Select((d, i) => i < axis ? d : Dim.One)]);
        }
        for (var i = 1; i < 3; i++)
        {
            if (i == 2 && !context.Has(2)) continue;
            context.Require(i, Numbers.IsReal, "float16, bfloat16, float32 or float64");
            if (context.Shape(0) is { } x && context.Shape(i) is { } w && SymbolicShape.Broadcast(x, w) is not { } joined)
                throw context.Error($"input {i} of shape {w} does not broadcast to {x}");
        }
        context.Set(0, context.DType(1) == type ? type : context.DType(1), context.Shape(0));
        context.Set(1, StashType, statistics);
        context.Set(2, StashType, statistics);
    }

    /// <inheritdoc/>
    public override void Evaluate(EvaluationContext context)
    {
        var input = context.Input(0);
        var s = input.Shape;
        var axis = context.Axis(Axis, s.Rank);
        var x = input.ToReals();
        var inner = (int)s.Product(axis, s.Rank);
        var outer = (int)s.Product(0, axis);
        var normalised = new Shape([.. s.Select((d, i) => i < axis ? 1 : d)]);
        var statistics = new Shape([.. s.Select((d, i) => i < axis ? d : 1)]);
        var wide = context.Input(1).Shape.Rank <= s.Rank - axis && (context.OptionalInput(2)?.Shape.Rank ?? 0) <= s.Rank - axis;
        var target = wide ? normalised : s;
        var scale = Normalizing.Spread(context, context.Input(1), target);
        var bias = context.OptionalInput(2) is { } b ? Normalizing.Spread(context, b, target) : null;
        var means = new double[outer];
        var inverses = new double[outer];
        for (var o = 0; o < outer; o++)
        {
            var line = x.AsSpan(o * inner, inner);
            (means[o], var variance) = Normalizing.Statistics(line);
            inverses[o] = 1 / Math.Sqrt(variance + Epsilon);
            var at = wide ? 0 : o * inner;
            for (var i = 0; i < inner; i++) line[i] = (line[i] - means[o]) * inverses[o] * scale[at + i] + (bias?[at + i] ?? 0);
        }
        context.Allocate(0, context.Input(1).DType, s).Store(x);
        if (context.OutputCount > 1) context.Allocate(1, StashType, statistics).Store(means);
        if (context.OutputCount > 2) context.Allocate(2, StashType, statistics).Store(inverses);
    }

    /// <inheritdoc/>
    public override Dim? Flops(Node node) => node.Output.Shape is { } s ? s.Count * 8 : null;
}

/// <summary>
/// ONNX RMSNormalization: inputs X and scale; the axes from <paramref name="Axis"/> on are divided by the root of their mean square, then scaled. The
/// output has the scale's type.
/// </summary>
/// <param name="Axis">The first normalised axis; negative counts from the end.</param>
/// <param name="Epsilon">Added to the mean square.</param>
/// <param name="StashType">The type of the statistics.</param>
public sealed record RMSNormalization(long Axis = -1, float Epsilon = 1e-5f, DType StashType = DType.Float32) : Operator
{
    /// <inheritdoc/>
    public override void Infer(InferenceContext context)
    {
        context.Require(0, Numbers.IsReal, "float16, bfloat16, float32 or float64");
        var type = context.Require(1, Numbers.IsReal, "float16, bfloat16, float32 or float64");
        if (context.Shape(0) is { } s)
        {
            context.Axis(Axis, s.Rank);
            if (context.Shape(1) is { } w && SymbolicShape.Broadcast(s, w) is null) throw context.Error($"scale of shape {w} does not broadcast to {s}");
        }
        context.Set(0, type, context.Shape(0));
    }

    /// <inheritdoc/>
    public override void Evaluate(EvaluationContext context)
    {
        var s = context.Input(0).Shape;
        var axis = context.Axis(Axis, s.Rank);
        var x = context.Input(0).ToReals();
        var scale = Normalizing.Spread(context, context.Input(1), s);
        var inner = (int)s.Product(axis, s.Rank);
        for (var o = 0; o < s.Product(0, axis); o++)
        {
            double squares = 0;
            for (var i = o * inner; i < (o + 1) * inner; i++) squares += x[i] * x[i];
            var inverse = 1 / Math.Sqrt(squares / inner + Epsilon);
            for (var i = o * inner; i < (o + 1) * inner; i++) x[i] *= inverse * scale[i];
        }
        context.Allocate(0, context.Input(1).DType, s).Store(x);
    }

    /// <inheritdoc/>
    public override Dim? Flops(Node node) => node.Output.Shape is { } s ? s.Count * 4 : null;
}
