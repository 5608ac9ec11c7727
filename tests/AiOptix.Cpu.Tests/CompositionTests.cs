using AiOptix.Cpu.Lower;
using AiOptix.Graphs;
using AiOptix.Graphs.Ops;
using AiOptix.Graphs.Ops.Ml;
using AiOptix.Runtime;
using AiOptix.Tensors;

namespace AiOptix.Cpu.Tests;

/// <summary>Operators that run as more basic ones: forms beyond those of <see cref="RuleTests"/>, with special values, and what must not be composed.</summary>
public class CompositionTests
{
    private static readonly Dim N = Dim.Symbol("n"), M = Dim.Symbol("m");

    [Fact]
    public void EveryOperatorThatCanBeComposedIs() => Assert.Equal(
        typeof(Operator).Assembly.GetTypes().Where(t => t.IsSubclassOf(typeof(Operator)) && t.GetMethod(nameof(Operator.Compose))!.DeclaringType == t).Select(t => t.Name).Order(StringComparer.Ordinal),
        Compositions.Operators.Order(StringComparer.Ordinal));

    [Theory]
    [InlineData("bij,bjk->bik")]
    [InlineData("bij,kj->ikb")]
    [InlineData("bij,bij->")]
    [InlineData("bij,bkl->kijl")]
    [InlineData("ij,bjk")]
    [InlineData("bii->bi")]
    [InlineData("bij->jb")]
    [InlineData("...ij,...jk->...ik")]
    [InlineData("...i,...->i...")]
    [InlineData("bij,ij,jk->kb")]
    [InlineData("bij,bik,bil->bjkl")]
    [InlineData("bij,ck->bcijk")]
    public void EinsumIsProducts(string equation)
    {
        var letters = equation.Split("->")[0].Split(',');
        var g = new Graph("g");
        Dim Extent(char c) => c switch { 'b' => N, 'k' => M, 'l' => 2, 'c' => 3, _ => 4 };
        long Size(char c) => c switch { 'b' => 3, 'k' => 5, 'l' => 2, 'c' => 3, _ => 4 };
        var inputs = new List<Tensor>();
        foreach (var term in letters)
        {
            var dims = term.Replace("...", "bc", StringComparison.Ordinal);
            g.AddInput($"x{inputs.Count}", PlanCheck.F32([.. dims.Select(Extent)]));
            inputs.Add(PlanCheck.Random(inputs.Count, [.. dims.Select(Size)]));
        }
        g.AddOutput(g.Add(new Einsum(equation), [.. g.Inputs]));
        Composed(g);
        PlanCheck.Same(g, [.. inputs]);
    }

    [Fact]
    public void EinsumOfExtentsThatBroadcast()
    {
        var g = new Graph("g");
        var (x, y) = (g.AddInput("x", PlanCheck.F32(1, 3, 4)), g.AddInput("y", PlanCheck.F32(5, 4, 1)));
        g.AddOutput(g.Add(new Einsum("bij,bjk->bik"), x, y));
        g.AddOutput(g.Add(new Einsum("...j,k...->..."), x, y));
        Composed(g);
        PlanCheck.Same(g, PlanCheck.Random(1, 1, 3, 4), PlanCheck.Random(2, 5, 4, 1));
    }

    [Fact]
    public void SpecialValues()
    {
        var g = new Graph("g");
        var x = g.AddInput("x", PlanCheck.F32(N, 4));
        g.AddOutput(g.Add(new Hardmax(), x));
        g.AddOutput(g.Add(new ReduceLogSumExp(KeepDims: false), x, g.AddConstant(Tensor.Vector(-1L))));
        g.AddOutput(g.Add(new ReduceLogSumExp(), x));
        g.AddOutput(g.Add(new LpNormalization(), x));
        g.AddOutput(g.Add(new Normalizer(RowNorm.L1), x));
        g.AddOutput(g.Add(new Shrink(0.25f), x));
        Composed(g);
        const float Inf = float.PositiveInfinity, NaN = float.NaN;
        PlanCheck.Same(g, Tensor.From<float>([1, 3, 3, 2, 0, 0, 0, 0, -Inf, -Inf, -Inf, -Inf, 100, 90, -5, 100], new Shape(4, 4)));
        PlanCheck.Same(g, Tensor.From<float>([NaN, 3, 3, 2, 1, NaN, 0, 7], new Shape(2, 4)));
        PlanCheck.Same(g, Tensor.From<float>([1, Inf, 3, 2], new Shape(1, 4)));
        PlanCheck.Same(g, Tensor.Allocate(DType.Float32, new Shape(0, 4)));
    }

    [Fact]
    public void FeaturesOfOtherTypes()
    {
        var g = new Graph("g");
        var x = g.AddInput("x", new TensorType(DType.Int64, new SymbolicShape(N, 3)));
        g.AddOutput(g.Add(new Binarizer(2.5f), x));
        g.AddOutput(g.Add(new Imputer(default, 0, new([7, 8, 9]), -1), x));
        g.AddOutput(g.Add(new Scaler(new([0.5f]), new([1, 2, 3])), x));
        Composed(g);
        PlanCheck.Same(g, Tensor.From<long>([-1, 2, 3, long.MaxValue, -1, -1], new Shape(2, 3)));
    }

    [Fact]
    public void ClassesOfALine()
    {
        var g = new Graph("g");
        var x = g.AddInput("x", PlanCheck.F32(N, 3));
        foreach (var (labels, lines) in new[] { (new ClassLabels(new([4, 5])), 1), (new ClassLabels(default, new(["yes"])), 1), (new ClassLabels(default, new(["a", "b", "c"])), 3), (new ClassLabels(), 3) })
            foreach (var transform in new[] { PostTransform.None, PostTransform.Logistic, PostTransform.Softmax })
            {
                var node = g.Add(new LinearClassifier(new(PlanCheck.Random(3, 3 * lines).Span<float>()), default, labels, transform), [x], [null, null]);
                g.AddOutput(node.Outputs[0]);
                g.AddOutput(node.Outputs[1]);
            }
        Composed(g);
        PlanCheck.Same(g, PlanCheck.Random(5, 4, 3));
    }

    [Theory]
    [InlineData(false, false, 12, 1)]
    [InlineData(false, false, 7, 2)]
    [InlineData(false, false, 20, 2)]
    [InlineData(true, false, 12, 2)]
    [InlineData(true, false, 9, 1)]
    [InlineData(false, true, 12, 1)]
    [InlineData(true, true, 22, 2)]
    [InlineData(true, true, 21, 2)]
    [InlineData(true, true, 12, 2)]
    public void FourierTransformsAreProducts(bool inverse, bool oneSided, long length, long parts)
    {
        foreach (var axis in new[] { 1L, -2L })
        {
            var g = new Graph("g");
            var x = g.AddInput("x", PlanCheck.F32(N, 12, 12, parts));
            g.AddOutput(g.Add(new DFT(inverse, oneSided), x, g.AddConstant(Tensor.Scalar(length)), g.AddConstant(Tensor.Scalar(axis))));
            Composed(g);
            PlanCheck.Same(g, PlanCheck.Random(5, 2, 12, 12, parts));
        }
    }

    [Theory]
    [InlineData(SvmKernelKind.Linear)]
    [InlineData(SvmKernelKind.Rbf)]
    [InlineData(SvmKernelKind.Sigmoid)]
    public void VotesOfSupportVectors(SvmKernelKind kind)
    {
        var g = new Graph("g");
        var x = g.AddInput("x", PlanCheck.F32(N, 3));
        ValueList<float> Numbers(int seed, int count) => new(PlanCheck.Random(seed, count).Span<float>());
        var kernel = new SvmKernel(kind, 0.3f, 0.5f);
        foreach (var (classes, labels) in new[] { (3, new ClassLabels(default, new(["a", "b", "c"]))), (2, new ClassLabels(new([7, 5]))) })
        {
            var node = g.Add(new SVMClassifier(kernel, Numbers(1, (classes - 1) * 2 * classes), Numbers(2, 6 * classes), new(Enumerable.Repeat(2L, classes).ToArray()), Numbers(3, 3), default, default, labels), [x], [null, null]);
            g.AddOutput(node.Outputs[0]);
            g.AddOutput(node.Outputs[1]);
        }
        var linear = g.Add(new SVMClassifier(kernel, Numbers(1, 9), default, default, new([0.25f]), default, default, new(new([1, 2, 3]))), [x], [null, null]);
        g.AddOutput(linear.Outputs[0]);
        g.AddOutput(linear.Outputs[1]);
        g.AddOutput(g.Add(new SVMRegressor(kernel, Numbers(1, 3), default, 0, new([0.25f]), OneClass: true), x));
        Composed(g);
        PlanCheck.Same(g, PlanCheck.Random(5, 4, 3));
    }

    [Fact]
    public void DropoutHandsThrough()
    {
        var g = new Graph("g");
        var x = g.AddInput("x", PlanCheck.F32(N, 3));
        var node = g.Add(new Dropout(), [x], [null, null]);
        g.AddOutput(node.Outputs[0]);
        g.AddOutput(node.Outputs[1]);
        Composed(g);
        PlanCheck.Same(g, PlanCheck.Random(5, 4, 3));
    }

    [Fact]
    public void LossesOfClasses()
    {
        var g = new Graph("g");
        var x = g.AddInput("x", PlanCheck.F32(N, 4, M));
        var classes = g.AddInput("c", new TensorType(DType.Int32, new SymbolicShape(N, M)));
        var weights = g.AddConstant(PlanCheck.Random(3, 4));
        foreach (var reduction in Enum.GetValues<LossReduction>())
            foreach (var ignored in new long?[] { null, 1, -7 })
            {
                g.AddOutput(g.Add(new NegativeLogLikelihoodLoss(reduction, ignored), x, classes));
                g.AddOutput(g.Add(new NegativeLogLikelihoodLoss(reduction, ignored), x, classes, weights));
            }
        Composed(g);
        PlanCheck.Same(g, PlanCheck.Random(5, 2, 4, 3), Tensor.From<int>([0, 1, 2, 3, 1, 0], new Shape(2, 3)));
    }

    [Theory]
    [InlineData(4)]
    [InlineData(-1)]
    public void ALossRefusesWhatIsNoClass(int c)
    {
        var g = new Graph("g");
        var x = g.AddInput("x", PlanCheck.F32(N, 4));
        g.AddOutput(g.Add(new NegativeLogLikelihoodLoss(), x, g.AddInput("c", new TensorType(DType.Int32, new SymbolicShape(N)))));
        Composed(g);
        using var session = PlanCheck.Open(g);
        Assert.Throws<InvalidInputException>(() => session.Run([PlanCheck.Random(1, 2, 4), Tensor.From<int>([0, c], new Shape(2))]));
    }

    [Fact]
    public void MaximaGoBackToWhereTheyWere()
    {
        var g = new Graph("g");
        var x = g.AddInput("x", PlanCheck.F32(N, 2, M));
        var positions = g.AddInput("p", new TensorType(DType.Int64, new SymbolicShape(N, 2, M)));
        g.AddOutput(g.Add(new MaxUnpool([2], [3], [0, 1]), x, positions));
        g.AddOutput(g.Add(new MaxUnpool([2]), x, positions, g.AddConstant(Tensor.Vector(2L, 3, 9))));
        Composed(g);
        PlanCheck.Same(g, PlanCheck.Random(5, 2, 2, 3), Tensor.From<long>([0, 2, 3, 4, 6, 7, 9, 8, 10, 12, 13, 15], new Shape(2, 2, 3)));
        using var session = PlanCheck.Open(g);
        Assert.Throws<InvalidInputException>(() => session.Run([PlanCheck.Random(5, 1, 2, 1), Tensor.From<long>([0, -1], new Shape(1, 2, 1))]));
    }

    /// <summary>Of constants the moved windows are evaluated, not run.</summary>
    [Fact]
    public void DeformedWindowsOfConstants()
    {
        var g = new Graph("g");
        var (x, w, moves) = (g.AddConstant(PlanCheck.Random(1, 2, 4, 3, 3)), g.AddInput("w", PlanCheck.F32(4, 2, 3, 1)), g.AddConstant(PlanCheck.Random(3, 2, 12, 1, 3)));
        g.AddOutput(g.Add(new DeformConv(new Conv(Group: 2), 2), x, w, moves, g.AddConstant(PlanCheck.Random(4, 4))));
        PlanCheck.Same(g, PlanCheck.Random(2, 4, 2, 3, 1));
    }

    [Fact]
    public void TypesOfOtherPrecisionStay()
    {
        var g = new Graph("g");
        var x = g.AddInput("x", new TensorType(DType.Float64, new SymbolicShape(N, 3)));
        g.AddOutput(g.Add(new MeanVarianceNormalization(new([1])), x));
        var y = g.AddInput("y", new TensorType(DType.UInt16, new SymbolicShape(N, 3)));
        g.AddOutput(g.Add(new Einsum("ij,kj"), y, y));
        Assert.Equal(2, PlanCheck.Compile(g).Steps.Count(s => s is ReferenceStep));
    }

    private static void Composed(Graph g) => Assert.DoesNotContain(PlanCheck.Compile(g).Steps, s => s is ReferenceStep);
}
