using AiOptix.Graphs;
using AiOptix.Graphs.Ops;
using AiOptix.Runtime;
using AiOptix.Tensors;

namespace AiOptix.Cpu.Tests;

public class ScatterTests
{
    [Fact]
    public void AnIndexOutOfRangeIsRefused()
    {
        var g = new Graph("g");
        var x = g.AddInput("x", PlanCheck.F32(3, 2));
        var i = g.AddInput("i", new TensorType(DType.Int64, new(Dim.Symbol("n"), 1)));
        g.AddOutput(g.Add(new ScatterND(), x, i, g.AddInput("u", PlanCheck.F32(Dim.Symbol("n"), 2))));
        Assert.DoesNotContain(PlanCheck.Compile(g).Steps, s => s is ReferenceStep);
        PlanCheck.Same(g, PlanCheck.Random(1, 3, 2), Tensor.From<long>([2, -3], new Shape(2, 1)), PlanCheck.Random(2, 2, 2));
        using var session = PlanCheck.Open(g);
        Assert.Contains("[3]", Assert.Throws<InvalidInputException>(() => session.Run([PlanCheck.Random(1, 3, 2), Tensor.From<long>([3], new Shape(1, 1)), PlanCheck.Random(2, 1, 2)])).Message);
    }
}
