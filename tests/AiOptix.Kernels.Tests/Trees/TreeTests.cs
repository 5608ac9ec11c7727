using AiOptix.Kernels.Trees;
using AiOptix.Tensors;

namespace AiOptix.Kernels.Tests.Trees;

public unsafe class TreeTests
{
    public static TheoryData<string> Names => [.. TreeTable.Rows.Select(r => r.Name)];

    /// <summary>Every comparison, sets, NaN and infinities in splits and features, splits that float32 rounds: the results are those of a plain walk, bit for bit.</summary>
    [Theory]
    [MemberData(nameof(Names))]
    public void Row_finds_the_leaves_of_a_plain_walk(string name)
    {
        var row = TreeTable.Rows.Single(r => r.Name == name);
        var random = new Random(5);
        for (var trial = 0; trial < 60; trial++)
        {
            var targets = random.Next(1, 4);
            var features = random.Next(1, 7);
            var branches = new List<TreeBranch>();
            var leaves = new List<TreeVote[]>();
            int[] roots = [.. Enumerable.Range(0, random.Next(0, 20)).Select(_ => Grow(random.Next(9)))];
            var forest = TreeForest.Pack(row.Type, roots, [.. branches], [.. leaves])!;
            Assert.Equal(row.Missing, roots.Length > 0 && branches.Count > 0 ? forest.Missing : row.Missing);
            var total = (TreeTotal)random.Next(4);
            var d = new TreeDescriptor(random.Next(0, 150), features, targets, DType.Float64, total, TreeTransform.None, random.Next(2) == 0 ? [] : [0.25]);
            var x = new double[d.Rows * features];
            for (var i = 0; i < x.Length; i++) x[i] = Feature();
            if (row.Type == DType.Float32)
                for (var i = 0; i < x.Length; i++) x[i] = (float)x[i];
            var expected = new double[d.Rows * targets];
            for (var r = 0; r < d.Rows; r++) Walk(roots, branches, leaves, d, x.AsSpan(r * features, features), expected.AsSpan(r * targets, targets));
            var forced = branches.Count == 0 ? TreeTable.Rows.First(t => t.Type == row.Type && t.Missing == forest.Missing) : row;
            var plan = new TreePlan(forest, d, forced);
            using var y = new GuardedArray<double>(expected.Length);
            using var scratch = new GuardedArray<byte>(plan.ScratchBytes);
            using var singles = new GuardedArray<float>([.. x.Select(v => (float)v)]);
            using var doubles = new GuardedArray<double>(x);
            Sweep.Scattered(plan.Tasks, (first, end) => plan.Run(row.Type == DType.Float32 ? singles.Bytes : doubles.Bytes, y.Bytes, null, first, end, scratch.Pointer));
            for (var i = 0; i < expected.Length; i++) Assert.True(expected[i].Equals(y.Span[i]), $"{name} trial {trial}: element {i} is {y.Span[i]:R}, expected {expected[i]:R}");

            int Grow(int depth)
            {
                if (depth == 0 || random.Next(5) == 0)
                {
                    leaves.Add([.. Enumerable.Range(0, targets == 1 && trial % 2 == 0 ? 1 : random.Next(0, 4)).Select(_ => new TreeVote(random.Next(targets), random.NextDouble() - 0.4))]);
                    return ~(leaves.Count - 1);
                }
                var comparison = (TreeComparison)random.Next(7);
                var split = Feature();
                double[] members = [.. Enumerable.Range(0, random.Next(0, 6)).Select(_ => Feature())];
                // Rows whose NaN goes one way take only branches of that way.
                var missing = random.Next(2) == 0;
                if (row.Missing != TreeMissing.Each)
                {
                    (comparison, split) = ((TreeComparison)random.Next(4), double.IsNaN(split) || double.IsInfinity(split) ? 1 : split);
                    missing = comparison is TreeComparison.LessOrEqual or TreeComparison.Less == (row.Missing == TreeMissing.NotAbove);
                }
                var at = branches.Count;
                branches.Add(default);
                branches[at] = new(comparison, split, random.Next(features), Grow(depth - 1), Grow(depth - 1), missing, members);
                if (row.Missing == TreeMissing.Each && at == 0)
                {
                    branches.Add(new(TreeComparison.LessOrEqual, 0.5, 0, at, at, true));
                    branches.Add(new(TreeComparison.LessOrEqual, 0.5, 0, branches.Count - 1, at, false));
                    return branches.Count - 1;
                }
                return at;
            }

            double Feature() => random.Next(9) switch
            {
                0 => double.NaN,
                1 => double.PositiveInfinity,
                2 => double.NegativeInfinity,
                3 => 0.1,
                4 => -0.0,
                5 => 0.1f,
                6 => 1e300,
                _ => random.Next(-3, 4),
            };
        }
    }

    [Fact]
    public void A_forest_of_leaves_alone_reads_no_features()
    {
        var forest = TreeForest.Pack(DType.Float32, [~0, ~1, ~0], [], [[new(0, 2)], [new(0, 0.5)]])!;
        var plan = new TreePlan(forest, new(3, 0, 1, DType.Float32, TreeTotal.Sum, TreeTransform.Logistic, []));
        using var y = new GuardedArray<float>(3);
        using var scratch = new GuardedArray<byte>(plan.ScratchBytes);
        plan.Run(null, y.Bytes, null, 0, plan.Tasks, scratch.Pointer);
        Assert.All(y.Span.ToArray(), v => Assert.Equal((float)(1 / (1 + Math.Exp(-4.5))), v));
    }

    [Fact]
    public void Trees_that_share_what_follows_do_not_multiply_it()
    {
        // Every tree begins at the top of one long chain.
        TreeBranch[] chain = [.. Enumerable.Range(0, 3000).Select(i => new TreeBranch(TreeComparison.Less, i, 0, ~0, i == 2999 ? ~1 : i + 1, false))];
        var forest = TreeForest.Pack(DType.Float32, [.. Enumerable.Repeat(0, 3000)], chain, [[new(0, 1)], [new(0, 2)]])!;
        Assert.Equal(3000, forest.Depth);
        Assert.InRange(forest.Bytes, 1, 1 << 20);
    }

    private static void Walk(int[] roots, List<TreeBranch> branches, List<TreeVote[]> leaves, TreeDescriptor d, ReadOnlySpan<double> x, Span<double> scores)
    {
        var voted = new bool[scores.Length];
        foreach (var root in roots)
        {
            var at = root;
            while (at >= 0)
            {
                var b = branches[at];
                var v = x[b.Feature];
                var yes = double.IsNaN(v) ? b.MissingIsTrue : b.Comparison switch
                {
                    TreeComparison.LessOrEqual => v <= b.Split,
                    TreeComparison.Less => v < b.Split,
                    TreeComparison.GreaterOrEqual => v >= b.Split,
                    TreeComparison.Greater => v > b.Split,
                    TreeComparison.Equal => v == b.Split,
                    TreeComparison.NotEqual => v != b.Split,
                    _ => b.Members.Span.Contains(v),
                };
                at = yes ? b.True : b.False;
            }
            foreach (var (target, weight) in leaves[~at])
            {
                scores[target] = !voted[target] || d.Total is TreeTotal.Sum or TreeTotal.Average ? scores[target] + weight
                    : d.Total == TreeTotal.Min ? Math.Min(scores[target], weight) : Math.Max(scores[target], weight);
                voted[target] = true;
            }
        }
        if (d.Total == TreeTotal.Average)
            foreach (ref var s in scores) s /= Math.Max(1, roots.Length);
        for (var i = 0; i < d.Base.Length; i++) scores[i] += d.Base[i];
    }
}
