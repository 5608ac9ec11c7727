using AiOptix.Graphs;
using AiOptix.Graphs.Ops;
using AiOptix.Runtime;
using AiOptix.Tensors;

namespace AiOptix.Cpu.Tests;

/// <summary>If, Loop and Scan: their subgraphs are programs of their own and give what the reference evaluation gives.</summary>
public class ControlFlowTests
{
    private static readonly TensorType integer = new(DType.Int64, new()), flag = new(DType.Bool, new());

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void IfRunsOneBranchOverWhatItCaptures(bool condition)
    {
        var g = new Graph("if");
        var c = g.AddInput("c", flag);
        var x = g.AddInput("x", PlanCheck.F32(Dim.Symbol("n"), 8));
        var scaled = g.Add(new Mul(), x, g.AddConstant(Tensor.Scalar(3f)));
        var then = new Graph("then", g);
        then.AddOutput(then.Add(new MatMul(), scaled, then.AddConstant(PlanCheck.Random(1, 8, 5))));
        var otherwise = new Graph("else", g);
        otherwise.AddOutput(otherwise.Add(new Relu(), x));
        var y = g.Add(new If(then, otherwise), c);
        g.AddOutput(y);
        Assert.Equal("[n,", y.Shape!.ToString()[..3]);
        Assert.False(y.Shape[1].IsConstant);
        PlanCheck.Same(g, Tensor.Scalar(condition), PlanCheck.Random(2, 6, 8));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(7)]
    public void ALoopCarriesValuesThatGrowAndStacksOthers(int trips)
    {
        var g = new Graph("loop");
        var m = g.AddInput("m", integer);
        var x = g.AddInput("x", PlanCheck.F32(1, 4));
        var weights = g.AddInput("w", PlanCheck.F32(4, 4));
        var body = new Graph("body", g);
        var i = body.AddInput("i", integer);
        var go = body.AddInput("go", flag);
        var state = body.AddInput("state", null);
        var cache = body.AddInput("cache", null);
        var next = body.Add(new Tanh(), body.Add(new MatMul(), state, weights));
        body.AddOutput(go);
        body.AddOutput(next);
        body.AddOutput(body.Add(new Concat(0), cache, next));
        body.AddOutput(body.Add(new Add(), next, body.Add(new Cast(DType.Float32), i)));
        var loop = g.Add(new Loop(body), [m, null, x, x], [null, null, null]);
        foreach (var o in loop.Outputs) g.AddOutput(o);
        Assert.Equal("[1,4]", loop.Outputs[0].Shape!.ToString());
        Assert.False(loop.Outputs[1].Shape![0].IsConstant);
        Assert.Equal(4, loop.Outputs[1].Shape![1].Constant);
        Assert.Equal(3, loop.Outputs[2].Shape!.Rank);
        PlanCheck.Same(g, Tensor.Scalar((long)trips), PlanCheck.Random(3, 1, 4), PlanCheck.Random(4, 4, 4));
        var step = Assert.Single(PlanCheck.Compile(g).Steps.OfType<ControlFlowStep>());
        Assert.DoesNotContain(step.Programs[0].AllSteps, s => s is ReferenceStep r && r.Node.Operator is MatMul or Tanh);
    }

    [Fact]
    public void ALoopEndsWithItsConditionAndNestedGraphsSeeAllAround()
    {
        var g = new Graph("while");
        var x = g.AddInput("x", PlanCheck.F32(3));
        var limit = g.AddInput("limit", PlanCheck.F32());
        var body = new Graph("body", g);
        body.AddInput("i", integer);
        body.AddInput("go", flag);
        var v = body.AddInput("v", null);
        var total = body.Add(new ReduceSum(KeepDims: false), v);
        var small = body.Add(new Less(), total, limit);
        var then = new Graph("then", body);
        then.AddOutput(then.Add(new Add(), v, x));
        var otherwise = new Graph("else", body);
        otherwise.AddOutput(v);
        var chosen = body.Add(new If(then, otherwise), small);
        body.AddOutput(small);
        body.AddOutput(chosen);
        g.AddOutput(g.Add(new Loop(body), null, g.AddConstant(Tensor.Scalar(true)), x));
        var input = Tensor.Vector(1f, 2f, 3f);
        PlanCheck.Same(g, input, Tensor.Scalar(40f));
        PlanCheck.Same(g, input, Tensor.Scalar(-1f));
        Assert.Equal(2, PlanCheck.Compile(g).AllSteps.OfType<ControlFlowStep>().Count());
    }

    [Theory]
    [InlineData(0, false, 0, false)]
    [InlineData(-1, true, 1, true)]
    public void AScanSlicesAndStacksAlongItsAxes(int inputAxis, bool inputReversed, int outputAxis, bool outputReversed)
    {
        var g = new Graph("scan");
        var h = g.AddInput("h", PlanCheck.F32(5));
        var x = g.AddInput("x", inputAxis == 0 ? PlanCheck.F32(Dim.Symbol("t"), 5) : PlanCheck.F32(5, Dim.Symbol("t")));
        var body = new Graph("body", g);
        var state = body.AddInput("state", null);
        var slice = body.AddInput("slice", null);
        var sum = body.Add(new Add(), state, slice);
        body.AddOutput(sum);
        body.AddOutput(body.Add(new Mul(), sum, slice));
        var scan = g.Add(new Scan(body, 1, [inputAxis], [inputReversed], [outputAxis], [outputReversed]), [h, x], [null, null]);
        foreach (var o in scan.Outputs) g.AddOutput(o);
        Assert.Equal(outputAxis == 0 ? "[t,5]" : "[5,t]", scan.Outputs[1].Shape!.ToString());
        PlanCheck.Same(g, PlanCheck.Random(5, 5), inputAxis == 0 ? PlanCheck.Random(6, 9, 5) : PlanCheck.Random(6, 5, 9));
    }

    [Fact]
    public void AnEndlessLoopEndsAtTheLimit()
    {
        var g = new Graph("endless");
        var x = g.AddInput("x", PlanCheck.F32());
        var body = new Graph("body", g);
        body.AddInput("i", integer);
        var go = body.AddInput("go", flag);
        body.AddOutput(go);
        body.AddOutput(body.Add(new Neg(), body.AddInput("v", null)));
        g.AddOutput(g.Add(new Loop(body), null, null, x));
        var backend = new CpuBackend();
        using var session = new Session(backend.Compile(g, Limits.Default with { MaxLoopTrips = 100 }), backend.CreateRunner(1));
        var e = Assert.Throws<LimitExceededException>(() => session.Run([Tensor.Scalar(1f)]));
        Assert.Contains("MaxLoopTrips", e.Message);
    }
}
