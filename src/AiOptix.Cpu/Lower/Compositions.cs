using AiOptix.Graphs;
using AiOptix.Graphs.Ops;
using AiOptix.Graphs.Ops.Ml;

namespace AiOptix.Cpu.Lower;

/// <summary>Has operators that have no kernel of their own written as those that have (<see cref="Operator.Compose"/>). It lives in the backend's copy of a graph only.</summary>
internal static class Compositions
{
    private static readonly HashSet<Type> composed =
    [
        typeof(AffineGrid), typeof(Binarizer), typeof(CausalConvWithState), typeof(CenterCropPad), typeof(DFT), typeof(Dropout), typeof(Einsum), typeof(EyeLike), typeof(FeatureVectorizer), typeof(GlobalLpPool), typeof(Hardmax), typeof(Imputer), typeof(LRN),
        typeof(LinearClassifier), typeof(LinearRegressor), typeof(LpNormalization), typeof(LpPool), typeof(MaxUnpool), typeof(MeanVarianceNormalization), typeof(NegativeLogLikelihoodLoss), typeof(Normalizer), typeof(ReduceLogSumExp),
        typeof(STFT), typeof(SVMClassifier), typeof(SVMRegressor), typeof(Scaler), typeof(Shrink), typeof(Size),
    ];

    /// <summary>The operators that are composed, with some of their types and attributes at least.</summary>
    public static IEnumerable<Type> Operators => composed;

    /// <summary>The graph without such operators: a copy, or the graph itself when there are none. A pure function.</summary>
    public static Graph Assign(Graph graph)
    {
        if (!graph.Nodes.Any(n => composed.Contains(n.Operator.GetType()))) return graph;
        var copy = graph.Clone();
        var waiting = new Queue<Node>(copy.Nodes);
        while (waiting.TryDequeue(out var node))
        {
            if (!composed.Contains(node.Operator.GetType()) || Composition.Of(node) is not { } patch) continue;
            foreach (var n in patch.Added) waiting.Enqueue(n);
            patch.Apply();
        }
        return copy;
    }
}
