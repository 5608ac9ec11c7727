using AiOptix.Graphs;
using AiOptix.Graphs.Ops.Ml;
using AiOptix.Tensors;

namespace AiOptix.Onnx;

/// <summary>Tree ensembles (ai.onnx.ml).</summary>
internal static class Trees
{
    private const string Ml = "ai.onnx.ml";

    private static readonly string[] oldModes = ["BRANCH_LEQ", "BRANCH_LT", "BRANCH_GTE", "BRANCH_GT", "BRANCH_EQ", "BRANCH_NEQ"];

    private static readonly string[] aggregates = ["AVERAGE", "SUM", "MIN", "MAX"];

    public static OnnxOperator[] Rows { get; } =
    [
        OnnxOperator.Of<TreeEnsemble>("TreeEnsemble", Read, Write, 5, Ml),
        OnnxOperator.Of<TreeEnsembleClassifier>("TreeEnsembleClassifier", r =>
        {
            var labels = Learning.Labels(r, "classlabels_int64s", "classlabels_strings");
            r.Emit(new TreeEnsembleClassifier(ReadForest(r, "class"), labels, Learning.Transform(r), [.. r.Doubles("base_values")]), r.Required(0));
        }, (w, op) => w.Emit("TreeEnsembleClassifier", [.. Attributes(op.Forest, "class"), .. Reals("base_values", op.BaseValues), .. Learning.Attributes(op.Labels, "classlabels_int64s", "classlabels_strings"),
            ("post_transform", Learning.Name(op.Transform))]), op => OldOpset(op.Forest, op.BaseValues), Ml),
        OnnxOperator.Of<TreeEnsembleRegressor>("TreeEnsembleRegressor", r =>
        {
            var name = r.String("aggregate_function", "SUM");
            var aggregate = Array.IndexOf(aggregates, name);
            if (aggregate < 0) throw r.Error($"aggregate_function '{name}' must be one of {string.Join(", ", aggregates)}");
            var targets = r.OptionalInt("n_targets") ?? 1;
            r.Emit(new TreeEnsembleRegressor(ReadForest(r, "target"), targets, (TreeAggregate)aggregate, Learning.Transform(r), [.. r.Doubles("base_values")]), r.Required(0));
        }, (w, op) => w.Emit("TreeEnsembleRegressor", [.. Attributes(op.Forest, "target"), .. Reals("base_values", op.BaseValues), ("n_targets", op.Targets),
            ("aggregate_function", aggregates[(int)op.Aggregate]), ("post_transform", Learning.Name(op.Transform))]), op => OldOpset(op.Forest, op.BaseValues), Ml),
    ];

    /// <summary>Version 5: nodes and leaves apart.</summary>
    private static void Read(NodeReader r)
    {
        r.Ignore("nodes_hitrates");
        var modes = r.RequiredTensor("nodes_modes").ToInt64();
        var splits = r.Doubles("nodes_splits");
        var features = r.Ints("nodes_featureids");
        var (yes, no) = (Children(r, "nodes_trueleafs", "nodes_truenodeids", modes.Length), Children(r, "nodes_falseleafs", "nodes_falsenodeids", modes.Length));
        var missing = r.OptionalInts("nodes_missing_value_tracks_true");
        if (splits.Length != modes.Length || features.Count != modes.Length || missing is { Length: > 0 } m && m.Length != modes.Length) throw r.Error("the lists of node attributes differ in length");
        var sets = Sets(r.Doubles("membership_values"));
        var nodes = new TreeNode[modes.Length];
        var set = 0;
        for (var i = 0; i < nodes.Length; i++)
        {
            if (modes[i] is < 0 or > (long)TreeMode.Member) throw r.Error($"node {i} has mode {modes[i]}; expected 0 to 6");
            var mode = (TreeMode)modes[i];
            nodes[i] = new(splits[i], checked((int)features[i]), yes[i], no[i], mode == TreeMode.Member ? set++ : 0, mode, missing is { Length: > 0 } && missing[i] != 0);
        }
        var targets = r.Ints("leaf_targetids");
        var weights = r.Doubles("leaf_weights");
        if (targets.Count != weights.Length) throw r.Error($"{targets.Count} leaf targets do not fit {weights.Length} leaf weights");
        var votes = weights.Select((w, i) => (ValueList<TreeVote>)[new TreeVote(checked((int)targets[i]), w)]);
        var aggregate = r.Int("aggregate_function", 1);
        if (aggregate is < 0 or > 3) throw r.Error($"aggregate_function {aggregate} must be 0 to 3");
        var transform = r.Int("post_transform", 0);
        if (transform is < 0 or > 4) throw r.Error($"post_transform {transform} must be 0 to 4");
        var forest = new Forest([.. r.Ints("tree_roots").Select(i => checked((int)i))], [.. nodes], [.. votes], sets);
        r.Emit(new TreeEnsemble(forest, r.OptionalInt("n_targets") ?? 1, (TreeAggregate)aggregate, (PostTransform)transform), r.Required(0));
    }

    private static int[] Children(NodeReader r, string leafs, string ids, int count)
    {
        var (flags, indices) = (r.Ints(leafs), r.Ints(ids));
        if (flags.Count != count || indices.Count != count) throw r.Error("the lists of node attributes differ in length");
        return [.. indices.Select((id, i) => id is < 0 or > int.MaxValue ? throw r.Error($"{ids} holds {id}") : flags[i] != 0 ? ~(int)id : (int)id)];
    }

    /// <summary>Sets of members, each ended by NaN.</summary>
    private static ValueList<ValueList<double>> Sets(double[] values)
    {
        var sets = new List<ValueList<double>>();
        var open = new List<double>();
        foreach (var v in values)
            if (!double.IsNaN(v)) open.Add(v);
            else
            {
                sets.Add([.. open]);
                open.Clear();
            }
        if (open.Count > 0) sets.Add([.. open]);
        return [.. sets];
    }

    private static void Write(NodeWriter w, TreeEnsemble op)
    {
        var type = w.Node.Inputs[0]!.DType;
        var nodes = op.Forest.Nodes.ToList();
        var roots = op.Forest.Roots.ToArray();
        for (var i = 0; i < roots.Length; i++)
            if (roots[i] < 0)
            {
                nodes.Add(new(0, 0, roots[i], roots[i], 0, TreeMode.LessOrEqual, false));
                roots[i] = nodes.Count - 1;
            }
        var modes = Tensor.Allocate(DType.UInt8, new Shape(nodes.Count));
        for (var i = 0; i < nodes.Count; i++) modes.Bytes[i] = (byte)nodes[i].Mode;
        var members = nodes.Where(n => n.Mode == TreeMode.Member).SelectMany(n => op.Forest.Sets[n.Members].Append(double.NaN)).ToArray();
        w.Emit("TreeEnsemble",
            ("aggregate_function", (long)op.Aggregate), ("post_transform", (long)op.Transform), ("n_targets", op.Targets), ("tree_roots", roots), ("nodes_modes", modes),
            ("nodes_featureids", Longs(nodes, n => n.Feature)), ("nodes_splits", Typed(type, nodes.Select(n => n.Split))),
            ("nodes_trueleafs", Longs(nodes, n => n.True < 0 ? 1 : 0)), ("nodes_truenodeids", Longs(nodes, n => n.True < 0 ? ~n.True : n.True)),
            ("nodes_falseleafs", Longs(nodes, n => n.False < 0 ? 1 : 0)), ("nodes_falsenodeids", Longs(nodes, n => n.False < 0 ? ~n.False : n.False)),
            ("nodes_missing_value_tracks_true", nodes.Any(n => n.MissingIsTrue) ? Longs(nodes, n => n.MissingIsTrue ? 1 : 0) : null),
            ("membership_values", members.Length > 0 ? Typed(type, members) : null),
            ("leaf_targetids", op.Forest.LeafVotes.Select(l => (long)l[0].Target).ToArray()), ("leaf_weights", Typed(type, op.Forest.LeafVotes.Select(l => l[0].Weight))));
    }

    private static Tensor Typed(DType type, IEnumerable<double> values)
    {
        var all = values.ToArray();
        return Graphs.Evaluate.ElementTypes.From(all, type, new Shape(all.Length));
    }

    private static long[] Longs(IEnumerable<TreeNode> nodes, Func<TreeNode, long> of) => [.. nodes.Select(of)];

    /// <summary>Versions 1 and 3: nodes are named by tree and number, leaves are nodes that votes belong to.</summary>
    private static Forest ReadForest(NodeReader r, string votes)
    {
        r.Ignore("nodes_hitrates", "nodes_hitrates_as_tensor");
        var (trees, ids, features) = (r.RequiredInts("nodes_treeids"), r.RequiredInts("nodes_nodeids"), r.RequiredInts("nodes_featureids"));
        var (yes, no) = (r.RequiredInts("nodes_truenodeids"), r.RequiredInts("nodes_falsenodeids"));
        var modes = r.OptionalStrings("nodes_modes") ?? throw r.Error("attribute 'nodes_modes' is required");
        var splits = r.Doubles("nodes_values");
        var missing = r.OptionalInts("nodes_missing_value_tracks_true");
        var count = trees.Length;
        if (ids.Length != count || yes.Length != count || no.Length != count || features.Length != count || modes.Length != count || splits.Length != count || (missing is { Length: > 0 } && missing.Length != count))
            throw r.Error("the lists of node attributes differ in length");
        // Where the list names a node, and its place among the nodes or, complemented, among the leaves. Forests are large: no queries here.
        var entries = new Dictionary<(long Tree, long Node), int>(count);
        var places = new int[count];
        var (inner, leaves) = (0, 0);
        for (var i = 0; i < count; i++)
        {
            places[i] = modes[i] == "LEAF" ? ~leaves++ : inner++;
            if (!entries.TryAdd((trees[i], ids[i]), i)) throw r.Error($"tree {trees[i]} has two nodes {ids[i]}");
        }
        var isChild = new bool[count];
        var nodes = new TreeNode[inner];
        for (var i = 0; i < count; i++)
        {
            if (places[i] < 0) continue;
            var mode = Array.IndexOf(oldModes, modes[i]);
            if (mode < 0) throw r.Error($"node {ids[i]} of tree {trees[i]} has mode '{modes[i]}'; expected LEAF or one of {string.Join(", ", oldModes)}");
            nodes[places[i]] = new(splits[i], checked((int)features[i]), Child(trees[i], yes[i]), Child(trees[i], no[i]), 0, (TreeMode)mode, missing is { Length: > 0 } && missing[i] != 0);
        }
        var roots = new List<int>();
        HashSet<long> all = [], rooted = [];
        for (var i = 0; i < count; i++)
        {
            all.Add(trees[i]);
            if (!isChild[i] && rooted.Add(trees[i])) roots.Add(places[i]);
        }
        if (roots.Count != all.Count) throw r.Error("a tree has no root");
        return Ordered(r, new([.. roots], new(nodes), ReadVotes(r, votes, entries, places, leaves)));

        int Child(long tree, long id)
        {
            if (!entries.TryGetValue((tree, id), out var at)) throw r.Error($"tree {tree} has no node {id}");
            isChild[at] = true;
            return places[at];
        }
    }

    /// <summary>The same trees with nodes and leaves in the order in which they are written, level by level.</summary>
    private static Forest Ordered(NodeReader r, Forest forest)
    {
        var nodes = new List<TreeNode>(forest.Nodes.Count);
        var leaves = new List<ValueList<TreeVote>>(forest.LeafVotes.Count);
        var open = new Queue<(int Old, int New)>();
        var roots = new List<int>(forest.Roots.Count);
        foreach (var root in forest.Roots)
        {
            roots.Add(Enter(root));
            while (open.TryDequeue(out var at))
            {
                var n = forest.Nodes[at.Old];
                nodes[at.New] = n with { True = Enter(n.True), False = Enter(n.False) };
            }
        }
        return forest with { Roots = [.. roots], Nodes = [.. nodes], LeafVotes = [.. leaves] };

        int Enter(int old)
        {
            if (nodes.Count > forest.Nodes.Count || leaves.Count > 2 * forest.Nodes.Count + forest.Roots.Count) throw r.Error("a tree reaches a node in two ways");
            if (old < 0)
            {
                leaves.Add(forest.LeafVotes[~old]);
                return ~(leaves.Count - 1);
            }
            nodes.Add(default);
            open.Enqueue((old, nodes.Count - 1));
            return nodes.Count - 1;
        }
    }

    private static ValueList<ValueList<TreeVote>> ReadVotes(NodeReader r, string votes, Dictionary<(long, long), int> entries, int[] places, int leaves)
    {
        var (trees, ids, targets, weights) = (r.RequiredInts(votes + "_treeids"), r.RequiredInts(votes + "_nodeids"), r.RequiredInts(votes + "_ids"), r.Doubles(votes + "_weights"));
        if (ids.Length != trees.Length || targets.Length != trees.Length || weights.Length != trees.Length) throw r.Error("the lists of vote attributes differ in length");
        // Counted first, then put in their place; those of inner nodes count for nothing.
        var leafOf = new int[trees.Length];
        var ends = new int[leaves + 1];
        for (var i = 0; i < trees.Length; i++)
        {
            if (!entries.TryGetValue((trees[i], ids[i]), out var at)) throw r.Error($"a vote belongs to node {ids[i]} of tree {trees[i]}, which does not exist");
            leafOf[i] = ~places[at];
            if (leafOf[i] >= 0) ends[leafOf[i] + 1]++;
        }
        for (var leaf = 0; leaf < leaves; leaf++) ends[leaf + 1] += ends[leaf];
        var all = new TreeVote[ends[leaves]];
        for (var i = 0; i < trees.Length; i++)
            if (leafOf[i] >= 0) all[ends[leafOf[i]]++] = new(checked((int)targets[i]), weights[i]);
        var lists = new ValueList<TreeVote>[leaves];
        for (var leaf = 0; leaf < leaves; leaf++) lists[leaf] = new(all.AsSpan(leaf == 0 ? 0 : ends[leaf - 1], ends[leaf] - (leaf == 0 ? 0 : ends[leaf - 1])));
        return new(lists);
    }

    private static (string, object?)[] Attributes(Forest forest, string votes)
    {
        var nodes = new List<(long Tree, long Id, int Place, long True, long False)>();
        for (var tree = 0; tree < forest.Roots.Count; tree++) Walk(tree, forest.Roots[tree]);
        var own = nodes.Select(n => n.Place < 0 ? default : forest.Nodes[n.Place]).ToArray();
        var cast = nodes.Where(n => n.Place < 0).SelectMany(n => forest.LeafVotes[~n.Place].Select(v => (n.Tree, n.Id, Vote: v))).ToArray();
        return
        [
            ("nodes_treeids", nodes.Select(n => n.Tree).ToArray()), ("nodes_nodeids", nodes.Select(n => n.Id).ToArray()),
            ("nodes_truenodeids", nodes.Select(n => n.True).ToArray()), ("nodes_falsenodeids", nodes.Select(n => n.False).ToArray()),
            ("nodes_featureids", Longs(own, n => n.Feature)), ("nodes_modes", nodes.Select((n, i) => n.Place < 0 ? "LEAF" : oldModes[(int)own[i].Mode]).ToArray()),
            .. Reals("nodes_values", [.. own.Select(n => n.Split)]),
            ("nodes_missing_value_tracks_true", own.Any(n => n.MissingIsTrue) ? Longs(own, n => n.MissingIsTrue ? 1 : 0) : null),
            (votes + "_treeids", cast.Select(v => v.Tree).ToArray()), (votes + "_nodeids", cast.Select(v => v.Id).ToArray()),
            (votes + "_ids", cast.Select(v => (long)v.Vote.Target).ToArray()), .. Reals(votes + "_weights", [.. cast.Select(v => v.Vote.Weight)]),
        ];

        void Walk(long tree, int root)
        {
            var first = nodes.Count;
            var open = new Queue<int>([root]);
            var next = 1L;
            while (open.TryDequeue(out var at))
            {
                var (yes, no) = at < 0 ? (0L, 0L) : (next++, next++);
                nodes.Add((tree, nodes.Count - first, at, yes, no));
                if (at < 0) continue;
                open.Enqueue(forest.Nodes[at].True);
                open.Enqueue(forest.Nodes[at].False);
            }
        }
    }

    /// <summary>Numbers as floats, or as a tensor of float64 where that would lose something.</summary>
    private static (string, object?)[] Reals(string name, ValueList<double> values) => values.Count == 0 ? []
        : AreSingle(values) ? [(name, values.Select(v => (float)v).ToArray())] : [(name + "_as_tensor", Tensor.Vector<double>(values.Span))];

    private static bool AreSingle(IEnumerable<double> values) => values.All(v => ((double)(float)v).Equals(v));

    private static long OldOpset(Forest forest, ValueList<double> others) =>
        AreSingle(others) && AreSingle(forest.Nodes.Select(n => n.Split)) && AreSingle(forest.LeafVotes.SelectMany(l => l.Select(v => v.Weight))) ? 1 : 3;
}
