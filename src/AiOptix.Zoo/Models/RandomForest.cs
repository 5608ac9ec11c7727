using AiOptix.Graphs;
using AiOptix.Graphs.Ops.Ml;
using AiOptix.Tensors;

namespace AiOptix.Zoo;

/// <summary>
/// A random forest (Breiman, "Random Forests", 2001) that classifies rows of numbers, in the form that converters of scikit-learn write: one TreeEnsembleClassifier whose
/// leaves hold the share of each class divided by the number of trees.
/// </summary>
internal static class RandomForest
{
    private const int Trees = 100;
    private const int Depth = 9;
    private const int Features = 30;
    private const int Classes = 3;

    public static ZooEntry Entry { get; } = new("random-forest", "Random-forest classifier, 100 trees of depth 9, 30 features, 3 classes", ZooKind.Other, opset: 15,
        _ => [new("X", DType.Float32, new(Dim.Symbol("batch"), Features), ZooContent.Normal)], Build);

    private static void Build(Builder builder)
    {
        var draw = new Draw(builder.Options.Seed, "forest");
        var effects = new double[Features, Classes];
        for (var f = 0; f < Features; f++)
            for (var c = 0; c < Classes; c++)
                effects[f, c] = draw.Normal();
        var (roots, nodes, leaves) = (new List<int>(), new List<TreeNode>(), new List<ValueList<TreeVote>>());
        var open = new Queue<(int Node, int Depth, double[] Scores)>();
        for (var t = 0; t < Trees; t++)
        {
            roots.Add(Enter(Depth, new double[Classes]));
            while (open.TryDequeue(out var grown))
            {
                var feature = (int)draw.Below(Features);
                var split = (float)(0.6 * draw.Normal());
                var low = Enter(grown.Depth - 1, [.. grown.Scores.Select((s, c) => s - effects[feature, c])]);
                var high = Enter(grown.Depth - 1, [.. grown.Scores.Select((s, c) => s + effects[feature, c])]);
                nodes[grown.Node] = new TreeNode(split, feature, low, high, 0, TreeMode.LessOrEqual, false);
            }
        }
        var forest = new Forest([.. roots], [.. nodes], [.. leaves]);
        builder.Outputs("TreeEnsembleClassifier", new TreeEnsembleClassifier(forest, new ClassLabels([.. Enumerable.Range(0, Classes).Select(c => (long)c)])), ["label", "probabilities"], builder.Input("X"));

        int Enter(int depth, double[] scores)
        {
            if (depth == 0 || (depth < Depth - 3 && draw.Below(6) == 0)) return Leaf(scores);
            nodes.Add(default);
            open.Enqueue((nodes.Count - 1, depth, scores));
            return nodes.Count - 1;
        }

        int Leaf(double[] scores)
        {
            var shares = scores.Select(s => Math.Max(s, 0) + 0.1).ToArray();
            leaves.Add([.. shares.Select((s, c) => new TreeVote(c, (float)(s / shares.Sum() / Trees)))]);
            return ~(leaves.Count - 1);
        }
    }
}
