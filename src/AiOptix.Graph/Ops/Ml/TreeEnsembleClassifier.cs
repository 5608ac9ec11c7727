using AiOptix.Graphs.Evaluate;
using AiOptix.Tensors;

namespace AiOptix.Graphs.Ops.Ml;

/// <summary>
/// ONNX ML TreeEnsembleClassifier (versions 1 and 3): features [N, F] to labels [N] and float32 scores [N, classes]. Two classes whose trees vote for one of them
/// only have one score s. Where no vote is negative it counts as a probability: the scores are 1 - s and s, the second class wins above 0.5. Otherwise
/// they are -s and s before the transform, and the second class wins above 0. The specification leaves this open; it is what ONNX Runtime does.
/// </summary>
/// <param name="Forest">The trees; targets are indices of labels.</param>
/// <param name="Labels">The classes.</param>
/// <param name="Transform">What becomes of the scores of a row.</param>
/// <param name="BaseValues">What is added to each score; empty for nothing.</param>
public sealed record TreeEnsembleClassifier(Forest Forest, ClassLabels Labels, PostTransform Transform = PostTransform.None, ValueList<double> BaseValues = default) : Operator
{
    /// <inheritdoc/>
    public override void Infer(InferenceContext context)
    {
        FeatureRows.Require(context);
        if (BaseValues.Count > 0 && BaseValues.Count != Labels.Count && !(BaseValues.Count == 1 && Labels.Count == 2))
            throw context.Error($"{BaseValues.Count} base values do not fit {Labels.Count} classes");
        Labels.Infer(context, Labels.Count);
        Forest.Check(context, Labels.Count, context.Shape(0)?[-1]);
    }

    /// <inheritdoc/>
    public override void Evaluate(EvaluationContext context)
    {
        var x = context.Input(0);
        var (rows, features) = FeatureRows.Of(context, x.Shape);
        if (Forest.Nodes.Any(n => n.Feature >= features)) throw context.Error($"the trees ask for more than the {features} features of {x}");
        var votes = Forest.LeafVotes.SelectMany(l => l).ToArray();
        var single = Labels.Count == 2 && votes.Length > 0 && votes.All(v => v.Target == votes[0].Target);
        var positive = votes.All(v => v.Weight >= 0);
        var labels = context.Allocate(0, Labels.Type, new Shape(rows));
        var values = ElementTypes.ToFloat64(x);
        var scores = new double[rows * Labels.Count];
        for (var row = 0; row < rows; row++)
        {
            var own = scores.AsSpan(row * Labels.Count, Labels.Count);
            Forest.Vote(values.AsSpan(row * features, features), TreeAggregate.Sum, own);
            Labels.Put(labels, row, single ? Pair(own, votes[0].Target, positive) : Choose(own));
        }
        context.Allocate(1, DType.Float32, new Shape(rows, Labels.Count)).Store(scores);
    }

    private int Choose(Span<double> scores)
    {
        for (var i = 0; i < BaseValues.Count; i++) scores[i] += BaseValues[i];
        var best = scores.Length == 1 ? scores[0] > 0 ? 0 : -1 : ClassLabels.Largest(scores);
        PostTransforms.Apply(Transform, scores);
        return best;
    }

    private int Pair(Span<double> scores, int target, bool positive)
    {
        var s = scores[target] + (BaseValues.Count > 0 ? BaseValues[^1] : 0);
        (scores[0], scores[1]) = (positive ? 1 - s : -s, s);
        if (!positive || Transform == PostTransform.Probit) PostTransforms.Apply(Transform, scores);
        return s > (positive ? 0.5 : 0) ? 1 : 0;
    }
}
