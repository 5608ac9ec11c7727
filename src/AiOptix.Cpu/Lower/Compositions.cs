using AiOptix.Graphs;
using AiOptix.Graphs.Ops;
using AiOptix.Graphs.Ops.Ml;

namespace AiOptix.Cpu.Lower;

/// <summary>Has operators that have no kernel of their own written as those that have (<see cref="Operator.Compose"/>). It lives in the backend's copy of a graph only.</summary>
internal static class Compositions
{
    private static readonly HashSet<string> composed = new(StringComparer.Ordinal)
    {
        nameof(AffineGrid), nameof(Binarizer), nameof(CausalConvWithState), nameof(CenterCropPad), nameof(DFT), nameof(Dropout), nameof(Einsum), nameof(EyeLike), nameof(FeatureVectorizer), nameof(GlobalLpPool), nameof(Hardmax), nameof(Imputer), nameof(LRN),
        nameof(LinearClassifier), nameof(LinearRegressor), nameof(LpNormalization), nameof(LpPool), nameof(MaxUnpool), nameof(MeanVarianceNormalization), nameof(NegativeLogLikelihoodLoss), nameof(Normalizer), nameof(ReduceLogSumExp),
        nameof(STFT), nameof(SVMClassifier), nameof(SVMRegressor), nameof(Scaler), nameof(Shrink), nameof(Size),
    };

    /// <summary>The names of the operators that are composed, with some of their types and attributes at least.</summary>
    public static IReadOnlyCollection<string> Operators => composed;

    /// <summary>The graph without such operators: a copy, or the graph itself when there are none. A pure function.</summary>
    public static Graph Assign(Graph graph)
    {
        if (!graph.Nodes.Any(n => IsComposed(n.Operator))) return graph;
        var copy = graph.Clone();
        var waiting = new Queue<Node>(copy.Nodes);
        while (waiting.TryDequeue(out var node))
        {
            if (!IsComposed(node.Operator) || Composition.Of(node) is not { } patch) continue;
            foreach (var n in patch.Added) waiting.Enqueue(n);
            patch.Apply();
        }
        return copy;
    }

    // By name: a set of types would load all of them.
    private static bool IsComposed(Operator op) => composed.Contains(op.Name) && op.GetType().Assembly == typeof(Operator).Assembly;
}
