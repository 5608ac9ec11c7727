using AiOptix.Graphs.Evaluate;
using AiOptix.Tensors;

namespace AiOptix.Graphs.Ops.Ml;

/// <summary>Rows of features times coefficients.</summary>
internal static class LinearScores
{
    /// <summary>For each row and each line of coefficients their product, plus the line's intercept.</summary>
    public static double[] Of(EvaluationContext context, Tensor x, ValueList<float> coefficients, ValueList<float> intercepts, int lines, int rows, int features)
    {
        if (coefficients.Count != lines * features) throw context.Error($"{coefficients.Count} coefficients do not fit {lines} results of {features} features");
        if (intercepts.Count > 0 && intercepts.Count != lines) throw context.Error($"{intercepts.Count} intercepts do not fit {lines} results");
        var values = ElementTypes.ToFloat64(x);
        var scores = new double[rows * lines];
        for (var row = 0; row < rows; row++)
            for (var line = 0; line < lines; line++)
            {
                double sum = intercepts.Count > 0 ? intercepts[line] : 0;
                for (var f = 0; f < features; f++) sum += values[row * features + f] * coefficients[line * features + f];
                scores[row * lines + line] = sum;
            }
        return scores;
    }

    /// <summary>The same of float32 features in more basic operators; null where that is not possible.</summary>
    public static Value? Compose(Composition to, ValueList<float> coefficients, ValueList<float> intercepts, int lines)
    {
        if (Rows(to) is not { } x || x.Shape![1].Constant is not { } features || coefficients.Count != lines * features) return null;
        if (intercepts.Count > 0 && intercepts.Count != lines) return null;
        var weights = to.Constant(Tensor.From(coefficients.Span, new Shape(lines, features)));
        return to.Add(new Gemm(TransB: true), x, weights, intercepts.Count > 0 ? to.Constant(Tensor.Vector(intercepts.Span)) : null);
    }

    /// <summary>Input 0 as rows [N, features] where it holds float32, otherwise null.</summary>
    public static Value? Rows(Composition to) => to[0] is not { DType: DType.Float32, Shape: { Rank: 1 or 2 } s } ? null : s.Rank == 2 ? to[0] : to.Add(new Unsqueeze(), to[0], to.Integers(0));

    /// <summary>A transform of scores [N, classes] in more basic operators; null where that is not possible.</summary>
    public static Value? Compose(Composition to, Value scores, PostTransform transform) => transform switch
    {
        PostTransform.None => scores,
        PostTransform.Softmax => to.Add(new Softmax(1), scores),
        PostTransform.Logistic => to.Add(new Sigmoid(), scores),
        _ => null,
    };
}

/// <summary>ONNX ML LinearRegressor: features [N, C] or [C] to float32 [N, targets].</summary>
/// <param name="Coefficients">Those of each target after the other.</param>
/// <param name="Intercepts">One a target; empty for 0.</param>
/// <param name="Targets">How many numbers a row gets.</param>
/// <param name="Transform">What becomes of them.</param>
public sealed record LinearRegressor(ValueList<float> Coefficients, ValueList<float> Intercepts = default, long Targets = 1, PostTransform Transform = PostTransform.None) : Operator
{
    /// <inheritdoc/>
    public override void Infer(InferenceContext context)
    {
        FeatureRows.Require(context);
        if (Targets is < 1 or > int.MaxValue) throw context.Error($"{Targets} targets");
        context.Set(0, DType.Float32, new SymbolicShape(FeatureRows.Count(context), Targets));
    }

    /// <inheritdoc/>
    public override void Evaluate(EvaluationContext context)
    {
        var x = context.Input(0);
        var (rows, features) = FeatureRows.Of(context, x.Shape);
        var scores = LinearScores.Of(context, x, Coefficients, Intercepts, (int)Targets, rows, features);
        for (var row = 0; row < rows; row++) PostTransforms.Apply(Transform, scores.AsSpan(row * (int)Targets, (int)Targets));
        context.Allocate(0, DType.Float32, new Shape(rows, Targets)).Store(scores);
    }

    /// <inheritdoc/>
    public override bool Compose(Composition to) =>
        LinearScores.Compose(to, Coefficients, Intercepts, (int)Targets) is { } scores && LinearScores.Compose(to, scores, Transform) is { } result && to.Set(0, result);
}

/// <summary>
/// ONNX ML LinearClassifier: features [N, C] or [C] to labels [N] and float32 scores [N, classes]. Two labels with one line of coefficients have the scores -s and s; one
/// label wins from 0 on, or from 0.5 after a transform.
/// </summary>
/// <param name="Coefficients">Those of each class after the other.</param>
/// <param name="Intercepts">One a class; empty for 0.</param>
/// <param name="Labels">The classes; without any they are numbered.</param>
/// <param name="Transform">What becomes of the scores of a row.</param>
/// <param name="MultiClass">Whether the model is multinomial; it changes nothing here.</param>
public sealed record LinearClassifier(ValueList<float> Coefficients, ValueList<float> Intercepts, ClassLabels Labels, PostTransform Transform = PostTransform.None, bool MultiClass = false) : Operator
{
    /// <inheritdoc/>
    public override void Infer(InferenceContext context)
    {
        FeatureRows.Require(context);
        var lines = Lines(context.Shape(0)?[-1].Constant);
        if (lines is { } n)
        {
            Labels.Infer(context, Scores(n));
            return;
        }
        var rows = FeatureRows.Count(context);
        context.Set(0, Labels.Type, new SymbolicShape(rows));
        context.Set(1, DType.Float32, new SymbolicShape(rows, context.Fresh()));
    }

    /// <inheritdoc/>
    public override void Evaluate(EvaluationContext context)
    {
        var x = context.Input(0);
        var (rows, features) = FeatureRows.Of(context, x.Shape);
        var lines = Lines(features) ?? throw context.Error($"{Coefficients.Count} coefficients do not fit {features} features");
        var classes = Scores(lines);
        if (Labels.Count > 0 && Labels.Count < classes) throw context.Error($"{Labels.Count} labels do not fit {classes} classes");
        var sums = LinearScores.Of(context, x, Coefficients, Intercepts, lines, rows, features);
        var scores = classes == lines ? sums : [.. sums.SelectMany(s => (double[])[-s, s])];
        var labels = context.Allocate(0, Labels.Type, new Shape(rows));
        for (var row = 0; row < rows; row++)
        {
            var own = scores.AsSpan(row * classes, classes);
            PostTransforms.Apply(Transform, own);
            Labels.Put(labels, row, classes > 1 ? ClassLabels.Largest(own) : own[0] >= (Transform == PostTransform.None ? 0 : 0.5) ? 0 : -1);
        }
        context.Allocate(1, DType.Float32, new Shape(rows, classes)).Store(scores);
    }

    private int? Lines(long? features) =>
        Intercepts.Count > 0 ? Intercepts.Count : features is > 0 and var f && Coefficients.Count % f == 0 ? (int)(Coefficients.Count / f) : null;

    private int Scores(int lines) => lines == 1 && Labels.Count == 2 ? 2 : lines;

    /// <inheritdoc/>
    public override bool Compose(Composition to)
    {
        if (Lines(to[0].Shape?[-1].Constant) is not { } lines || LinearScores.Compose(to, Coefficients, Intercepts, lines) is not { } sums) return false;
        var classes = Scores(lines);
        if (Labels.Count > 0 && Labels.Count < classes) return false;
        var scores = classes == lines ? sums : to.Add(new Concat(1), to.Add(new Neg(), sums), sums);
        if (LinearScores.Compose(to, scores, Transform) is not { } transformed) return false;
        to.Set(1, transformed);
        // No transform that is composed changes the order of scores, nor which side of its middle the only one is on.
        var ranks = classes > 1 ? scores : to.Add(new Cast(DType.Float32), Transform == PostTransform.Softmax ? to.Add(new Equal(), sums, sums) : to.Add(new GreaterOrEqual(), sums, to.Scalar(0)));
        return to.Set(0, Labels.Compose(to, ranks, classes));
    }
}
