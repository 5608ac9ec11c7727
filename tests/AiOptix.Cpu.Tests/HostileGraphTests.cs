using AiOptix.Graphs;
using AiOptix.Graphs.Ops;
using AiOptix.Runtime;
using AiOptix.Tensors;

namespace AiOptix.Cpu.Tests;

/// <summary>Graphs that ask for what cannot be: typed errors that name the node, at the latest when they run.</summary>
public class HostileGraphTests
{
    private static readonly TensorType integer = new(DType.Int64, new()), flag = new(DType.Bool, new());

    [Fact]
    public void AnOperatorHasNoFurtherOutputs()
    {
        var g = new Graph("g");
        var x = g.AddInput("x", PlanCheck.F32(4));
        var e = Assert.Throws<InvalidGraphException>(() => g.Add(new Relu(), [x], ["y", "more"], "act"));
        Assert.Contains("Relu 'act'", e.Message, StringComparison.Ordinal);
        Assert.Contains("no output 1 ('more')", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void ExtentsThatDoNotFitNameTheNode()
    {
        var g = new Graph("g");
        var x = g.AddInput("x", PlanCheck.F32(1L << 40, Dim.Symbol("n")));
        var tiled = g.Add(new Tile(), x, g.AddConstant(Tensor.Vector(1L << 22, 2L)));
        var e = Assert.Throws<InvalidGraphException>(() => g.Add(new Flatten(2), tiled));
        Assert.Contains("Flatten", e.Message, StringComparison.Ordinal);
        Assert.Contains("63 bits", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void ShapesOfMoreAxesThanAnyTensorHasAreRefused()
    {
        Assert.Throws<LimitExceededException>(() => new Shape(new long[Shape.MaxRank + 1]));
        Assert.Throws<LimitExceededException>(() => new SymbolicShape(Enumerable.Repeat(Dim.One, Shape.MaxRank + 1).ToArray()));
        Assert.Equal(Shape.MaxRank, new Shape(new long[Shape.MaxRank]).Rank);
    }

    [Theory]
    [InlineData(DType.Float32)]
    [InlineData(DType.String)]
    public void TensorsOfAbsurdSizeAreHeldAgainstTheLimits(DType type)
    {
        foreach (var shape in new[] { new Shape(1L << 40), new Shape(long.MaxValue, long.MaxValue, 3), new Shape(long.MaxValue) })
            Assert.Contains("'x' would be", Assert.Throws<LimitExceededException>(() => new Limits { MaxTensorBytes = 1 << 20 }.CheckTensor(type, shape, "'x'")).Message, StringComparison.Ordinal);
        new Limits { MaxTensorBytes = 1 }.CheckTensor(type, new Shape(1L << 40, 0, long.MaxValue), "'x'");
    }

    [Fact]
    public void ASliceNeedsItsStartsAndEnds()
    {
        var g = new Graph("g");
        var x = g.AddInput("x", PlanCheck.F32(4));
        Assert.Contains("input 2 is required", Assert.Throws<InvalidGraphException>(() => g.Add(new Slice(), x, g.AddConstant(Tensor.Vector(0L)))).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void ABlockThatDoesNotFitItsImageIsRefused()
    {
        var g = new Graph("g");
        var shape = new TensorType(DType.Int64, new SymbolicShape(Dim.Symbol("n")));
        var (x, image, block) = (g.AddInput("x", PlanCheck.F32(1, 4, 4)), g.AddInput("image", shape), g.AddInput("block", new TensorType(DType.Int64, new SymbolicShape(Dim.Symbol("m")))));
        g.AddOutput(g.Add(new Col2Im(), x, image, block));
        using var session = PlanCheck.Open(g);
        string Refused(Tensor i, Tensor b) => Assert.Throws<InvalidInputException>(() => session.Run([PlanCheck.Random(1, 1, 4, 4), i, b])).Message;
        Assert.Contains("does not fit an image of 3", Refused(Tensor.Vector(4L, 4L, 4L), Tensor.Vector(2L, 2L)), StringComparison.Ordinal);
        Assert.Contains("Col2Im", Refused(Tensor.Vector(4L, 4L), Tensor.Vector(1L << 20, 1L << 12)), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(1, 1L << 62, 0)]
    [InlineData(1, long.MaxValue, 0)]
    [InlineData(1L << 40, 1, 0)]
    [InlineData(1, 1, 1L << 40)]
    [InlineData(1, 1L << 27, 1L << 28)]
    public void AWindowThatReachesBeyondReckoningIsRefused(long stride, long dilation, long pad)
    {
        var g = new Graph("g");
        var x = g.AddInput("x", PlanCheck.F32(1, 1, 8));
        var e = Assert.Throws<InvalidGraphException>(() => g.Add(new Conv(Strides: [stride], Dilations: [dilation], Pads: [pad, pad]), x, g.AddConstant(PlanCheck.Random(1, 1, 1, 4))));
        Assert.Contains("Conv", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void ANodeMayLeaveOutTheLastOutputsOfALoop()
    {
        var g = Counting(out var loop, trips: 3, outputs: 1);
        g.AddOutput(loop.Outputs[0]);
        using var session = PlanCheck.Open(g);
        Assert.Equal(8f, ((Tensor)session.Run([Tensor.Scalar(1f)])[0]).Span<float>()[0]);
    }

    [Fact]
    public void AnEndlessLoopEndsAtTheLimitOfTimeOrOfTrips()
    {
        var g = Counting(out var loop, trips: long.MaxValue, outputs: 1);
        g.AddOutput(loop.Outputs[0]);
        Assert.Contains("MaxRunTime", Refused(g, new Limits { MaxRunTime = TimeSpan.FromMilliseconds(50), MaxLoopTrips = long.MaxValue }), StringComparison.Ordinal);
        Assert.Contains("MaxLoopTrips", Refused(g, new Limits { MaxLoopTrips = 100 }), StringComparison.Ordinal);
    }

    [Fact]
    public void ALoopThatStacksMoreThanMayBeHeldEnds()
    {
        var g = Counting(out var loop, trips: long.MaxValue, outputs: 2);
        foreach (var o in loop.Outputs) g.AddOutput(o);
        Assert.Contains("MaxTotalBytes", Refused(g, new Limits { MaxTotalBytes = 4000 }), StringComparison.Ordinal);
    }

    [Fact]
    public void AStepThatBindsToImpossibleShapesNamesTheValue()
    {
        var g = new Graph("g");
        var (a, b) = (g.AddInput("a", PlanCheck.F32(Dim.Symbol("n"))), g.AddInput("b", PlanCheck.F32(Dim.Symbol("m"))));
        g.AddOutput(g.Add(new Add(), [a, b], ["sum"]).Output);
        using var session = PlanCheck.Open(g);
        var e = Assert.Throws<InvalidInputException>(() => session.Run([PlanCheck.Random(1, 4), PlanCheck.Random(2, 3)]));
        Assert.Contains("'sum'", e.Message, StringComparison.Ordinal);
        Assert.Equal(4, ((Tensor)session.Run([PlanCheck.Random(1, 4), PlanCheck.Random(2, 1)])[0]).Count);
    }

    [Fact]
    public void AnEvaluationOfDataItCannotUseNamesTheNode()
    {
        var g = new Graph("g");
        var x = g.AddInput("x", PlanCheck.F32(4));
        var axes = g.AddInput("axes", new TensorType(DType.Int64, new SymbolicShape(1)));
        g.AddOutput(g.Add(new Unsqueeze(), [x, axes], ["y"], "open").Output);
        using var session = PlanCheck.Open(g);
        Assert.Contains("open", Assert.Throws<InvalidInputException>(() => session.Run([PlanCheck.Random(1, 4), Tensor.Vector(long.MaxValue)])).Message, StringComparison.Ordinal);
    }

    /// <summary>A loop that doubles its input and, with two outputs, stacks what it had.</summary>
    private static Graph Counting(out Node loop, long trips, int outputs)
    {
        var g = new Graph("g");
        var x = g.AddInput("x", PlanCheck.F32());
        var body = new Graph("body", g);
        body.AddInput("i", integer);
        var go = body.AddInput("go", flag);
        var state = body.AddInput("state", PlanCheck.F32());
        body.AddOutput(go);
        body.AddOutput(body.Add(new Add(), state, state));
        body.AddOutput(state);
        loop = g.Add(new Loop(body), [g.AddConstant(Tensor.Scalar(trips)), null, x], new string?[outputs], "loop");
        return g;
    }

    private static string Refused(Graph graph, Limits limits)
    {
        var backend = new CpuBackend();
        using var session = new Session(backend.Compile(graph, limits), backend.CreateRunner(1));
        return Assert.Throws<LimitExceededException>(() => session.Run([Tensor.Scalar(1f)])).Message;
    }
}
