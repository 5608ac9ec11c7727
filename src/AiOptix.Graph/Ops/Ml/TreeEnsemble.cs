using AiOptix.Graphs.Evaluate;
using AiOptix.Tensors;

namespace AiOptix.Graphs.Ops.Ml;

/// <summary>What regressions by trees share: [N, F] features to [N, targets].</summary>
/// <param name="Forest">The trees.</param>
/// <param name="Targets">How many numbers a row gets.</param>
/// <param name="Aggregate">How the votes of the trees become one number.</param>
/// <param name="Transform">What becomes of the numbers of a row.</param>
public abstract record TreeRegression(Forest Forest, long Targets, TreeAggregate Aggregate, PostTransform Transform) : Operator
{
    /// <summary>What is added to each target; empty for nothing.</summary>
    private protected virtual ValueList<double> Base => default;

    /// <summary>The type of the results for a type of features.</summary>
    private protected abstract DType Result(DType features);

    /// <summary>Which types of features there are.</summary>
    private protected abstract bool Allows(DType type);

    /// <inheritdoc/>
    public override void Infer(InferenceContext context)
    {
        var type = context.Require(0, Allows, "a type of features that the operator takes");
        if (Targets is < 1 or > int.MaxValue) throw context.Error($"{Targets} targets");
        if (Base.Count > 0 && Base.Count != Targets) throw context.Error($"{Base.Count} base values do not fit {Targets} targets");
        var rows = FeatureRows.Count(context);
        Forest.Check(context, (int)Targets, context.Shape(0)?[-1]);
        context.Set(0, Result(type), new SymbolicShape(rows, Targets));
    }

    /// <inheritdoc/>
    public override void Evaluate(EvaluationContext context)
    {
        var x = context.Input(0);
        var (rows, features) = FeatureRows.Of(context, x.Shape);
        if (Forest.Nodes.Any(n => n.Feature >= features)) throw context.Error($"the trees ask for more than the {features} features of {x}");
        var output = context.Allocate(0, Result(x.DType), new Shape(rows, Targets));
        var values = ElementTypes.ToFloat64(x);
        var scores = new double[output.Count];
        for (var row = 0; row < rows; row++)
        {
            var own = scores.AsSpan(row * (int)Targets, (int)Targets);
            Forest.Vote(values.AsSpan(row * features, features), Aggregate, own);
            for (var t = 0; t < Base.Count; t++) own[t] += Base[t];
            PostTransforms.Apply(Transform, own);
        }
        output.Store(scores);
    }
}

/// <summary>ONNX ML TreeEnsemble (version 5): float16, float32 or float64 features [N, F] to [N, targets] of the same type.</summary>
/// <param name="Forest">The trees; every leaf has one vote.</param>
/// <param name="Targets">How many numbers a row gets.</param>
/// <param name="Aggregate">How the votes of the trees become one number.</param>
/// <param name="Transform">What becomes of the numbers of a row.</param>
public sealed record TreeEnsemble(Forest Forest, long Targets, TreeAggregate Aggregate = TreeAggregate.Sum, PostTransform Transform = PostTransform.None)
    : TreeRegression(Forest, Targets, Aggregate, Transform)
{
    private protected override DType Result(DType features) => features;

    private protected override bool Allows(DType type) => type is DType.Float32 or DType.Float64 or DType.Float16;
}

/// <summary>ONNX ML TreeEnsembleRegressor (versions 1 and 3): features [N, F] to float32 [N, targets].</summary>
/// <param name="Forest">The trees.</param>
/// <param name="Targets">How many numbers a row gets.</param>
/// <param name="Aggregate">How the votes of the trees become one number.</param>
/// <param name="Transform">What becomes of the numbers of a row.</param>
/// <param name="BaseValues">What is added to each target; empty for nothing.</param>
public sealed record TreeEnsembleRegressor(Forest Forest, long Targets, TreeAggregate Aggregate = TreeAggregate.Sum, PostTransform Transform = PostTransform.None,
    ValueList<double> BaseValues = default) : TreeRegression(Forest, Targets, Aggregate, Transform)
{
    private protected override ValueList<double> Base => BaseValues;

    private protected override DType Result(DType features) => DType.Float32;

    private protected override bool Allows(DType type) => FeatureRows.IsFeature(type);
}
