using AiOptix.Tensors;

namespace AiOptix.Graphs.Ops.Ml;

/// <summary>The question that a node of a tree asks of its feature; the numbers are those of ONNX TreeEnsemble.</summary>
public enum TreeMode : byte
{
    /// <summary>At most the split.</summary>
    LessOrEqual,
    /// <summary>Below the split.</summary>
    Less,
    /// <summary>At least the split.</summary>
    GreaterOrEqual,
    /// <summary>Above the split.</summary>
    Greater,
    /// <summary>The split.</summary>
    Equal,
    /// <summary>Not the split.</summary>
    NotEqual,
    /// <summary>One of a set.</summary>
    Member,
}

/// <summary>An inner node. A child is the index of a node, or the complement (~) of the index of a leaf.</summary>
/// <param name="Split">What the feature is compared with.</param>
/// <param name="Feature">Which feature.</param>
/// <param name="True">Where to go when the answer is yes.</param>
/// <param name="False">Where to go when it is no.</param>
/// <param name="Members">The index of the set of a <see cref="TreeMode.Member"/> node.</param>
/// <param name="Mode">The question.</param>
/// <param name="MissingIsTrue">Where to go when the feature is NaN.</param>
public readonly record struct TreeNode(double Split, int Feature, int True, int False, int Members, TreeMode Mode, bool MissingIsTrue);

/// <summary>What a leaf adds to a target.</summary>
/// <param name="Target">The target or class.</param>
/// <param name="Weight">How much.</param>
public readonly record struct TreeVote(int Target, double Weight);

/// <summary>How the votes of the trees for a target become one number; the numbers are those of ONNX TreeEnsemble.</summary>
public enum TreeAggregate
{
    /// <summary>The sum over the number of trees.</summary>
    Average,
    /// <summary>The sum.</summary>
    Sum,
    /// <summary>The least.</summary>
    Min,
    /// <summary>The greatest.</summary>
    Max,
}

/// <summary>Trees, flattened: all nodes in one list, all leaves in another.</summary>
/// <param name="Roots">Where each tree begins: a node or the complement of a leaf.</param>
/// <param name="Nodes">The nodes.</param>
/// <param name="LeafVotes">The votes of each leaf.</param>
/// <param name="Sets">The sets of member nodes.</param>
public sealed record Forest(ValueList<int> Roots, ValueList<TreeNode> Nodes, ValueList<ValueList<TreeVote>> LeafVotes, ValueList<ValueList<double>> Sets = default)
{
    /// <summary>Checks that every child exists, that no node is reached twice within a tree, and that features and targets are in range.</summary>
    internal void Check(InferenceContext context, int targets, Dim? features)
    {
        var seen = new int[Nodes.Count];
        var open = new Stack<int>();
        for (var tree = 0; tree < Roots.Count; tree++)
        {
            open.Push(Roots[tree]);
            while (open.TryPop(out var at))
            {
                if (at < 0 ? ~at >= LeafVotes.Count : at >= Nodes.Count) throw context.Error($"tree {tree} refers to the {(at < 0 ? "leaf" : "node")} {(at < 0 ? ~at : at)}, which does not exist");
                if (at < 0) continue;
                if (seen[at] == tree + 1) throw context.Error($"tree {tree} reaches its node {at} in two ways");
                seen[at] = tree + 1;
                open.Push(Nodes[at].False);
                if (Nodes[at].True != Nodes[at].False || Nodes[at].True < 0) open.Push(Nodes[at].True);
            }
        }
        foreach (var n in Nodes.Span)
        {
            if (n.Feature < 0 || n.Feature >= features?.Constant) throw context.Error($"a tree asks for feature {n.Feature} of {features}");
            if (n.Mode == TreeMode.Member && n.Members >= Sets.Count) throw context.Error("there are more member nodes than sets of members");
        }
        foreach (var leaf in LeafVotes.Span)
            foreach (var v in leaf.Span)
                if (v.Target < 0 || v.Target >= targets) throw context.Error($"a leaf votes for target {v.Target} of {targets}");
    }

    /// <summary>Adds up the votes of every tree for a row of features.</summary>
    /// <param name="row">The features.</param>
    /// <param name="aggregate">How votes become one number.</param>
    /// <param name="scores">A number a target; 0 where there was no vote.</param>
    internal void Vote(ReadOnlySpan<double> row, TreeAggregate aggregate, Span<double> scores)
    {
        scores.Clear();
        Span<bool> voted = stackalloc bool[Math.Min(scores.Length, 1024)];
        if (scores.Length > voted.Length) voted = new bool[scores.Length];
        foreach (var root in Roots.Span)
            foreach (var vote in LeafVotes[Leaf(root, row)].Span)
            {
                ref var s = ref scores[vote.Target];
                s = aggregate switch
                {
                    TreeAggregate.Min when voted[vote.Target] => Math.Min(s, vote.Weight),
                    TreeAggregate.Max when voted[vote.Target] => Math.Max(s, vote.Weight),
                    _ => s + vote.Weight,
                };
                voted[vote.Target] = true;
            }
        if (aggregate == TreeAggregate.Average)
            foreach (ref var s in scores) s /= Math.Max(1, Roots.Count);
    }

    private int Leaf(int at, ReadOnlySpan<double> row)
    {
        var nodes = Nodes.Span;
        while (at >= 0)
        {
            ref readonly var n = ref nodes[at];
            var x = row[n.Feature];
            var yes = double.IsNaN(x) ? n.MissingIsTrue : n.Mode switch
            {
                TreeMode.LessOrEqual => x <= n.Split,
                TreeMode.Less => x < n.Split,
                TreeMode.GreaterOrEqual => x >= n.Split,
                TreeMode.Greater => x > n.Split,
                TreeMode.Equal => x == n.Split,
                TreeMode.NotEqual => x != n.Split,
                _ => Sets[n.Members].Span.Contains(x),
            };
            at = yes ? n.True : n.False;
        }
        return ~at;
    }
}
