using AiOptix.Graphs;
using AiOptix.Graphs.Ops;
using AiOptix.Graphs.Ops.Ml;
using AiOptix.Tensors;

namespace AiOptix.Cpu.Tests;

/// <summary>Tree ensembles compiled, against the reference evaluation: every type of features, way to finish a row and kind of label.</summary>
public class TreeTests
{
    private const int Features = 6;

    public static TheoryData<DType> FeatureTypes => [DType.Float32, DType.Float64, DType.Int64, DType.Int32];

    [Theory]
    [MemberData(nameof(FeatureTypes))]
    public void RegressorTakesEveryType(DType type)
    {
        foreach (var rows in new[] { 1, 7, 100 })
            Check(type, rows, (g, x) => [g.Add(new TreeEnsembleRegressor(Forest(1, 3), 3, TreeAggregate.Average, PostTransform.Softmax, [0.5, 1, 2]), x)]);
    }

    [Theory]
    [InlineData(DType.Float16)]
    [InlineData(DType.Float32)]
    [InlineData(DType.Float64)]
    public void EnsembleKeepsTheTypeOfItsFeatures(DType type)
    {
        foreach (var aggregate in Enum.GetValues<TreeAggregate>())
            Check(type, 21, (g, x) => [g.Add(new TreeEnsemble(Forest(2, 2), 2, aggregate, PostTransform.Logistic), x)]);
    }

    [Fact]
    public void ClassifierLabelsAreIntegersOrTexts()
    {
        foreach (var transform in Enum.GetValues<PostTransform>())
        {
            Check(DType.Float32, 33, (g, x) => g.Add(new TreeEnsembleClassifier(Forest(3, 3), new([10, 20, 30]), transform), [x], [null, null]).Outputs);
            Check(DType.Float32, 33, (g, x) => g.Add(new TreeEnsembleClassifier(Forest(4, 1), new(default, ["no", "yes"]), transform, [0.1]), [x], [null, null]).Outputs);
            Check(DType.Float32, 33, (g, x) => g.Add(new TreeEnsembleClassifier(Forest(5, 1, negative: true), new(default, ["only"]), transform), [x], [null, null]).Outputs);
        }
    }

    [Fact]
    public void OneRowWithoutABatchAxis()
    {
        var g = new Graph("g");
        g.AddOutput(g.Add(new TreeEnsembleRegressor(Forest(6, 1), 1), g.AddInput("x", PlanCheck.F32(Features))));
        PlanCheck.Same(g, PlanCheck.Random(1, Features));
    }

    [Fact]
    public void FewerFeaturesThanTheTreesAskForAreAnError()
    {
        var g = new Graph("g");
        g.AddOutput(g.Add(new TreeEnsembleRegressor(Forest(6, 1), 1), g.AddInput("x", PlanCheck.F32(Dim.Symbol("n"), Dim.Symbol("f")))));
        using var session = PlanCheck.Open(g);
        Assert.Contains("features", Assert.Throws<InvalidInputException>(() => session.Run([PlanCheck.Random(1, 2, 3)])).Message, StringComparison.Ordinal);
    }

    /// <summary>Trees read few bytes and calculate next to nothing, but a walk takes its time: rows that are worth another thread are more than one task, and these go to it.</summary>
    [Fact]
    public void AFewHundredRowsAreSharedAmongThreads()
    {
        foreach (var (n, isShared) in new[] { (8L, false), (800, true) })
        {
            var g = new Graph("g");
            g.AddOutput(g.Add(new TreeEnsembleRegressor(Forest(6, 1), 1), g.AddInput("x", PlanCheck.F32(Dim.Symbol("n"), Features))));
            var step = Assert.Single(PlanCheck.Compile(g).Bind(0, new Dictionary<string, long> { ["n"] = n }).Steps)!;
            Assert.Equal(isShared, step.Tasks > 1 && !step.IsShort);
        }
    }

    internal static Value Rows(Graph g, Value x) => g.Add(new Reshape(), x, g.AddConstant(Tensor.Vector<long>(-1, 9)));

    internal static Forest Forest(int seed, int targets, bool negative = false)
    {
        var random = new Random(seed);
        var (nodes, leaves) = (new List<TreeNode>(), new List<ValueList<TreeVote>>());
        return new([.. Enumerable.Range(0, 11).Select(_ => Grow(6))], [.. nodes], [.. leaves], [[1, 0.5, -2], []]);

        int Grow(int depth)
        {
            if (depth == 0 || random.Next(6) == 0)
            {
                leaves.Add([.. Enumerable.Range(0, targets).Select(t => new TreeVote(t, (float)random.NextDouble() - (negative ? 1 : 0)))]);
                return ~(leaves.Count - 1);
            }
            nodes.Add(default);
            var at = nodes.Count - 1;
            nodes[at] = new((float)(random.NextDouble() * 4 - 2), random.Next(Features), Grow(depth - 1), Grow(depth - 1), random.Next(2), (TreeMode)random.Next(7), random.Next(2) == 0);
            return at;
        }
    }

    private static void Check(DType type, int rows, Func<Graph, Value, IReadOnlyList<Value>> build)
    {
        var g = new Graph("g");
        var x = g.AddInput("x", PlanCheck.F32(Dim.Symbol("n"), Features));
        foreach (var output in build(g, type == DType.Float32 ? x : g.Add(new Cast(type), x))) g.AddOutput(output);
        PlanCheck.Same(g, PlanCheck.Random(rows, rows, Features));
    }
}
