using AiOptix.Graphs;
using AiOptix.Graphs.Ops;
using AiOptix.Tensors;

namespace AiOptix.Cpu.Tests;

public class ProductTests
{
    [Theory]
    [InlineData(new long[] { 5, 7 }, new long[] { 7, 9 })]
    [InlineData(new long[] { 1, 64 }, new long[] { 64, 33 })]
    [InlineData(new long[] { 3, 5, 7 }, new long[] { 7, 9 })]
    [InlineData(new long[] { 3, 5, 7 }, new long[] { 3, 7, 9 })]
    [InlineData(new long[] { 3, 1, 5, 7 }, new long[] { 4, 7, 2 })]
    [InlineData(new long[] { 2, 3, 2, 5, 7 }, new long[] { 3, 1, 7, 2 })]
    [InlineData(new long[] { 7 }, new long[] { 7, 9 })]
    [InlineData(new long[] { 4, 7 }, new long[] { 7 })]
    [InlineData(new long[] { 7 }, new long[] { 7 })]
    [InlineData(new long[] { 4, 0 }, new long[] { 0, 3 })]
    [InlineData(new long[] { 0, 4 }, new long[] { 4, 3 })]
    public void MatMulOfAnyRanks(long[] a, long[] b)
    {
        foreach (var constant in new[] { false, true })
        {
            var g = new Graph("g");
            var x = g.AddInput("x", PlanCheck.F32([.. a.Select(d => (Dim)d)]));
            var y = constant ? g.AddConstant(PlanCheck.Random(2, b)) : g.AddInput("y", PlanCheck.F32([.. b.Select(d => (Dim)d)]));
            g.AddOutput(g.Add(new MatMul(), x, y));
            Tensor[] inputs = constant ? [PlanCheck.Random(1, a)] : [PlanCheck.Random(1, a), PlanCheck.Random(2, b)];
            PlanCheck.Same(g, inputs);
        }
    }

    [Fact]
    public void LinearWithBiasResidualAndGeluIsOneStep()
    {
        var g = new Graph("g");
        var x = g.AddInput("x", PlanCheck.F32(Dim.Symbol("batch"), Dim.Symbol("seq"), 24));
        var r = g.AddInput("r", PlanCheck.F32(Dim.Symbol("batch"), Dim.Symbol("seq"), 40));
        var m = g.Add(new MatMul(), x, g.AddConstant(PlanCheck.Random(3, 24, 40)));
        var biased = g.Add(new Add(), g.AddConstant(PlanCheck.Random(4, 40)), m);
        g.AddOutput(g.Add(new Gelu(), g.Add(new Add(), biased, r)));
        PlanCheck.Same(g, PlanCheck.Random(1, 2, 13, 24), PlanCheck.Random(2, 2, 13, 40));
        var step = Assert.Single(PlanCheck.Compile(g).Steps);
        Assert.Equal("MatMul+Add+Add+Gelu", step.Operation);
    }

    [Theory]
    [InlineData(30, 16)]
    [InlineData(24, 24)]
    [InlineData(700, 64)]
    public void ATableThatIsTheLastLayerTooIsThereOnce(int count, int width)
    {
        var table = PlanCheck.Random(5, count, width);
        Graph Build(bool isTied)
        {
            var g = new Graph("g");
            var words = g.AddConstant(table);
            var read = g.Add(new Gather(0), words, g.AddInput("ids", new TensorType(DType.Int64, new(Dim.Symbol("batch"), Dim.Symbol("seq")))));
            var turned = isTied ? g.Add(new Transpose([1, 0]), words) : g.AddConstant(Turned(table));
            g.AddOutput(g.Add(new MatMul(), read, turned));
            return g;
        }
        var ids = Tensor.From<long>([1, 5, 22, 0, 7, 7], new Shape(2, 3));
        var graph = Build(isTied: true);
        PlanCheck.Same(graph, ids);
        foreach (var cap in PlanCheck.Caps)
        {
            using var tied = PlanCheck.Open(graph, 1, cap);
            using var apart = PlanCheck.Open(Build(isTied: false), 1, cap);
            Assert.Equal(["Gather", "MatMul"], tied.Program.Steps.Select(s => s.Operation));
            Assert.Single(tied.Program.Slots, s => s.Constant is { Shape: var shape } && shape.Count == table.Count);
            Assert.True(((Tensor)apart.Run([ids])[0]).BitEquals((Tensor)tied.Run([ids])[0]), $"{cap}: other bits");
        }
    }

    [Fact]
    public void ATurnedTableThatOthersReadTurnedIsEvaluated()
    {
        var g = new Graph("g");
        var table = g.AddConstant(PlanCheck.Random(5, 6, 4));
        var turned = g.Add(new Transpose([1, 0]), table);
        g.AddOutput(g.Add(new Relu(), g.Add(new MatMul(), g.AddInput("x", PlanCheck.F32(3, 4)), turned)));
        g.AddOutput(g.Add(new Add(), g.AddInput("y", PlanCheck.F32(4, 6)), turned));
        g.AddOutput(g.Add(new Add(), g.AddInput("z", PlanCheck.F32(6, 4)), table));
        PlanCheck.Same(g, PlanCheck.Random(1, 3, 4), PlanCheck.Random(2, 4, 6), PlanCheck.Random(3, 6, 4));
        Assert.DoesNotContain(PlanCheck.Compile(g).Steps, s => s.Operation == "Transpose");
    }

    private static Tensor Turned(Tensor matrix)
    {
        var turned = Tensor.Allocate(DType.Float32, new Shape(matrix.Shape[1], matrix.Shape[0]));
        for (var i = 0; i < matrix.Shape[0]; i++)
            for (var k = 0; k < matrix.Shape[1]; k++) turned.Span<float>()[(int)(k * matrix.Shape[0] + i)] = matrix.Span<float>()[(int)(i * matrix.Shape[1] + k)];
        return turned;
    }

    [Fact]
    public void TransposesAreReadThrough()
    {
        var g = new Graph("g");
        var x = g.AddInput("x", PlanCheck.F32(2, 5, 3, 8));
        var y = g.AddInput("y", PlanCheck.F32(2, 6, 3, 8));
        var q = g.Add(new Transpose([0, 2, 1, 3]), x);
        var k = g.Add(new Transpose([0, 2, 3, 1]), y);
        g.AddOutput(g.Add(new MatMul(), q, k));
        PlanCheck.Same(g, PlanCheck.Random(1, 2, 5, 3, 8), PlanCheck.Random(2, 2, 6, 3, 8));
        Assert.Single(PlanCheck.Compile(g).Steps);
    }

    [Theory]
    [InlineData(false, false, 1f, 1f, new long[] { 9 })]
    [InlineData(true, false, 0.5f, 2f, new long[] { 1, 9 })]
    [InlineData(false, true, 1f, 1f, new long[] { })]
    [InlineData(true, true, 1f, 1f, new long[] { 5, 9 })]
    [InlineData(true, true, 1f, 3f, new long[] { 5, 9 })]
    [InlineData(false, false, 2f, 1f, new long[] { 5, 1 })]
    public void GemmOfEveryForm(bool transA, bool transB, float alpha, float beta, long[] c)
    {
        foreach (var constant in new[] { false, true })
        {
            var g = new Graph("g");
            var a = g.AddInput("a", PlanCheck.F32(transA ? [7, 5] : [5, 7]));
            long[] b = transB ? [9, 7] : [7, 9];
            var w = constant ? g.AddConstant(PlanCheck.Random(2, b)) : g.AddInput("b", PlanCheck.F32(b[0], b[1]));
            var bias = constant ? g.AddConstant(PlanCheck.Random(3, c)) : g.AddInput("c", PlanCheck.F32([.. c.Select(d => (Dim)d)]));
            g.AddOutput(g.Add(new Relu(), g.Add(new Gemm(alpha, beta, transA, transB), a, w, bias)));
            var x = PlanCheck.Random(1, transA ? [7, 5] : [5, 7]);
            PlanCheck.Same(g, constant ? [x] : [x, PlanCheck.Random(2, b), PlanCheck.Random(3, c)]);
        }
    }

    // The products of a decoder: called for a few rows, with a past that grows.
    private static Graph Decoder(Dim rows, bool isIncremental)
    {
        var g = new Graph("g");
        var x = g.AddInput("x", PlanCheck.F32(Dim.Symbol("batch"), rows, 96));
        var past = g.AddInput("past", PlanCheck.F32(Dim.Symbol("batch"), Dim.Symbol("past"), 70));
        var keys = g.Add(new MatMul(), x, g.AddConstant(PlanCheck.Random(3, 96, 70)));
        var y = g.Add(new Gelu(), g.Add(new Add(), g.Add(new MatMul(), keys, g.AddConstant(PlanCheck.Random(4, 70, 133))), g.AddConstant(PlanCheck.Random(5, 133))));
        g.AddOutput(y);
        g.AddOutput(isIncremental ? g.Add(new Concat(1), past, keys) : g.Add(new Neg(), past));
        return g;
    }

    [Theory]
    [InlineData(true, 1, true)]
    [InlineData(true, int.MaxValue, true)]
    [InlineData(true, int.MaxValue, false)]
    [InlineData(false, int.MaxValue, true)]
    public void WeightsThatASingleRowReadsFromMemoryAreCompact(bool isIncremental, int l3, bool isLarge)
    {
        Target Change(Target t) => t with { L3Bytes = isLarge ? 1000 : l3 };
        var g = Decoder(Dim.Symbol("rows"), isIncremental);
        foreach (var rows in new long[] { 1, 2, 7, 30 }) PlanCheck.Same(g, Change, PlanCheck.Random(1, 1, rows, 96), PlanCheck.Random(2, 1, 5, 70));
        using var session = PlanCheck.Open(g, change: Change);
        var kernels = new List<string>();
        session.StepDone = timing => kernels.Add(timing.Bound?.Kernel ?? "");
        session.Run([PlanCheck.Random(1, 1, 1, 96), PlanCheck.Random(2, 1, 5, 70)]);
        Assert.Equal(isIncremental && isLarge ? 2 : 0, kernels.Count(k => k.EndsWith("_28bit", StringComparison.Ordinal)));
    }

    [Fact]
    public void ExtentsThatBreakTheRulesAreRefused()
    {
        var g = new Graph("g");
        var x = g.AddInput("x", PlanCheck.F32(Dim.Symbol("n"), Dim.Symbol("k")));
        var y = g.AddInput("y", PlanCheck.F32(Dim.Symbol("j"), 4));
        g.AddOutput(g.Add(new MatMul(), x, y));
        using var session = PlanCheck.Open(g);
        Assert.Single(session.Run([PlanCheck.Random(1, 2, 3), PlanCheck.Random(2, 3, 4)]));
        var e = Assert.Throws<InvalidInputException>(() => session.Run([PlanCheck.Random(1, 2, 3), PlanCheck.Random(2, 5, 4)]));
        Assert.Contains("MatMul", e.Message, StringComparison.Ordinal);
        Assert.Single(session.Run([PlanCheck.Random(1, 2, 3), PlanCheck.Random(2, 3, 4)]));
    }
}
