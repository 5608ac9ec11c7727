using AiOptix.Graphs;
using AiOptix.Graphs.Ops;
using AiOptix.Runtime;
using AiOptix.Tensors;

namespace AiOptix.Cpu.Tests;

/// <summary>Values that have no raw form between kernels, and shapes that only data tells, in compiled programs.</summary>
public class SequenceTests
{
    [Fact]
    public void ASequenceOutlivesTheMemoryOfItsItems()
    {
        var g = new Graph("g");
        var x = g.AddInput("x", PlanCheck.F32(2, 3));
        var first = g.Add(new Neg(), x);
        var s = g.Add(new SequenceConstruct(), first, g.Add(new Relu(), x));
        var v = x;
        for (var i = 0; i < 6; i++) v = g.Add(new Tanh(), v);
        g.AddOutput(v);
        g.AddOutput(g.Add(new ConcatFromSequence(0), s));
        PlanCheck.Same(g, PlanCheck.Random(1, 2, 3));
    }

    [Fact]
    public void ALoopCollectsWhatItsKernelsMake()
    {
        var g = new Graph("g");
        var x = g.AddInput("x", PlanCheck.F32(4));
        var body = new Graph("body", g);
        var i = body.AddInput("i", new TensorType(DType.Int64, new()));
        var go = body.AddInput("go", new TensorType(DType.Bool, new()));
        var list = body.AddInput("list", null);
        body.AddOutput(go);
        body.AddOutput(body.Add(new SequenceInsert(), list, body.Add(new Mul(), x, body.Add(new Cast(DType.Float32), i))));
        var all = g.Add(new Loop(body), [g.AddConstant(Tensor.Scalar(5L)), null, g.Add(new SequenceEmpty())], [null]);
        g.AddOutput(g.Add(new ConcatFromSequence(0, NewAxis: true), all.Output));
        PlanCheck.Same(g, PlanCheck.Random(2, 4));
    }

    [Fact]
    public void AnExtentThatDataTellsMayChangeFromRunToRun()
    {
        var g = new Graph("g");
        var x = g.AddInput("x", PlanCheck.F32(6));
        g.AddOutput(g.Add(new Neg(), g.Add(new NonZero(), x)));
        using var session = PlanCheck.Open(g);
        Assert.Equal(new Shape(1, 2), ((Tensor)session.Run([Tensor.Vector(0f, 1, 0, 2, 0, 0)])[0]).Shape);
        Assert.Equal(new Shape(1, 3), ((Tensor)session.Run([Tensor.Vector(1f, 1, 0, 2, 0, 0)])[0]).Shape);
        Assert.Equal(new Shape(1, 0), ((Tensor)session.Run([Tensor.Vector(0f, 0, 0, 0, 0, 0)])[0]).Shape);
    }

    [Fact]
    public void AnExtentMayBeAllThatIsAskedOfAValue()
    {
        var g = new Graph("g");
        var x = g.AddInput("x", PlanCheck.F32(6));
        g.AddOutput(g.Add(new ShapeOf(), g.Add(new NonZero(), x)));
        PlanCheck.Same(g, Tensor.Vector(0f, 1, 0, 2, 0, 0));
    }
}
