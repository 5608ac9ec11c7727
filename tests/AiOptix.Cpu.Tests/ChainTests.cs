using AiOptix.Graphs;
using AiOptix.Graphs.Ops;
using AiOptix.Runtime;
using AiOptix.Tensors;

namespace AiOptix.Cpu.Tests;

/// <summary>Operators of any number of operands, limits that come from data, and padding with own elements: none of them is left to the reference evaluation.</summary>
public class ChainTests
{
    private static readonly Dim N = Dim.Symbol("n");

    [Fact]
    public void AnyNumberOfOperands()
    {
        foreach (var op in new Operator[] { new Sum(), new Max(), new Min() })
            for (var count = 1; count < 5; count++)
                Check(g =>
                {
                    Value?[] operands = [g.Inputs[0], .. new[] { 3, 4, 5 }.Take(count - 1).Select(s => g.AddConstant(s == 4 ? PlanCheck.Random(s, 5, 1) : PlanCheck.Random(s, 7)))];
                    return g.Add(op, operands);
                });
    }

    [Fact]
    public void LimitsThatComeFromData()
    {
        Check(g => g.Add(new Clip(), g.Inputs[0], g.Add(new ReduceMin(KeepDims: false), g.AddConstant(PlanCheck.Random(1, 3))), g.Add(new ReduceMean(KeepDims: false), g.Inputs[0])));
        Check(g => g.Add(new Clip(), g.Inputs[0], null, g.Add(new ReduceMean(KeepDims: false), g.Inputs[0])));
        Check(g => g.Add(new Clip(), g.Add(new Cast(DType.Int32), g.Inputs[0]), g.AddConstant(Tensor.Scalar(0)), g.AddConstant(Tensor.Scalar(1))));
        Check(g => g.Add(new Clip(), g.Add(new Cast(DType.Float64), g.Inputs[0])));
    }

    [Theory]
    [InlineData(PadMode.Reflect)]
    [InlineData(PadMode.Edge)]
    [InlineData(PadMode.Wrap)]
    public void PaddingWithOwnElements(PadMode mode)
    {
        Check(g => g.Add(new Pad(mode), g.Inputs[0], g.AddConstant(Tensor.Vector<long>(0, 2, 3, 1, 0, 4))));
        Check(g => g.Add(new Pad(mode), g.Add(new Cast(DType.Float16), g.Inputs[0]), g.AddConstant(Tensor.Vector<long>(2, -1)), null, g.AddConstant(Tensor.Vector<long>(-1))));
    }

    private static void Check(Func<Graph, Value> build)
    {
        var g = new Graph("g");
        g.AddInput("x", PlanCheck.F32(N, 5, 7));
        g.AddOutput(build(g));
        Assert.DoesNotContain(PlanCheck.Compile(g).Steps, s => s is ReferenceStep);
        PlanCheck.Same(g, PlanCheck.Random(9, 3, 5, 7));
    }
}
