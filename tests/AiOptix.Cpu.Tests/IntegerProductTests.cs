using AiOptix.Graphs;
using AiOptix.Graphs.Ops;
using AiOptix.Tensors;

namespace AiOptix.Cpu.Tests;

/// <summary>Products of bytes whose scale and zero point come with a run, as dynamic quantisation writes them.</summary>
public class IntegerProductTests
{
    private static readonly Dim N = Dim.Symbol("n");

    [Theory]
    [InlineData("MatMulInteger", "")]
    [InlineData("MatMulInteger+Cast+Mul", "scaled")]
    [InlineData("MatMulInteger+Cast+Mul", "scaled scales")]
    [InlineData("MatMulInteger+Cast+Mul+Add", "scaled scales bias")]
    [InlineData("MatMulInteger+Cast+Mul", "constant")]
    [InlineData("MatMulInteger+Cast+Mul", "scaled read")]
    public void What_follows_is_done_in_the_same_step(string operation, string form)
    {
        bool Has(string what) => form.Contains(what, StringComparison.Ordinal);
        var g = new Graph("g");
        var x = g.AddInput("x", PlanCheck.F32(N, 3, 70));
        var q = g.Add(new DynamicQuantizeLinear(), [x], [null, null, null]);
        var w = Tensor.Allocate(DType.Int8, new Shape(70, 37));
        new Random(3).NextBytes(w.Bytes);
        var y = g.Add(new MatMulInteger(), q.Outputs[0], g.AddConstant(w), q.Outputs[2], g.AddConstant(Tensor.Scalar<sbyte>(0)));
        if (form.Length > 0) y = g.Add(new Cast(DType.Float32), y);
        if (Has("scaled")) y = g.Add(new Mul(), y, g.Add(new Mul(), q.Outputs[1], g.AddConstant(Has("scales") ? PlanCheck.Random(5, 37) : Tensor.Scalar(0.01f))));
        if (Has("constant")) y = g.Add(new Mul(), y, g.AddConstant(Tensor.Scalar(0.25f)));
        if (Has("read")) g.AddOutput(g.Add(new Neg(), y));
        if (Has("bias") || Has("read")) y = g.Add(new Add(), y, g.AddConstant(PlanCheck.Random(6, 37)));
        g.AddOutput(y);
        Assert.Contains(PlanCheck.Compile(g).Steps, s => s.Operation == operation);
        PlanCheck.Same(g, PlanCheck.Random(7, 2, 3, 70));
        PlanCheck.Same(g, PlanCheck.Random(8, 50, 3, 70));
    }

    [Theory]
    [InlineData(1, "ConvInteger+Cast+Mul+Add")]
    [InlineData(6, "ConvInteger+Cast+Mul+Add")]
    public void Convolutions_are_scaled_in_the_same_step(int groups, string operation)
    {
        var g = new Graph("g");
        var x = g.AddInput("x", PlanCheck.F32(N, 6, 9, 7));
        var q = g.Add(new DynamicQuantizeLinear(), [x], [null, null, null]);
        var w = Tensor.Allocate(DType.UInt8, new Shape(12, 6 / groups, 3, 3));
        new Random(3).NextBytes(w.Bytes);
        var y = g.Add(new ConvInteger(new Conv([2, 1], [1, 1, 1, 1], Group: groups)), q.Outputs[0], g.AddConstant(w), q.Outputs[2], g.AddConstant(Tensor.Scalar((byte)100)));
        y = g.Add(new Mul(), g.Add(new Cast(DType.Float32), y), g.Add(new Mul(), q.Outputs[1], g.AddConstant(PlanCheck.Random(5, 1, 12, 1, 1))));
        g.AddOutput(g.Add(new Add(), y, g.AddConstant(PlanCheck.Random(6, 1, 12, 1, 1))));
        Assert.Contains(PlanCheck.Compile(g).Steps, s => s.Operation == operation);
        PlanCheck.Same(g, PlanCheck.Random(7, 2, 6, 9, 7));
    }

    [Fact]
    public void Many_values_are_measured_in_many_tasks()
    {
        var g = new Graph("g");
        var q = g.Add(new DynamicQuantizeLinear(), [g.AddInput("x", PlanCheck.F32(N))], [null, null, null]);
        foreach (var o in q.Outputs) g.AddOutput(o);
        foreach (var n in new[] { 1, 8191, 8192, 16_385, 300_001 }) PlanCheck.Same(g, PlanCheck.Random(n, n));
        PlanCheck.Same(g, Tensor.Vector(new float[40]));
        PlanCheck.Same(g, Tensor.Vector(3f, 5f));
    }
}
