using AiOptix.Graphs;
using AiOptix.Graphs.Ops;
using AiOptix.Runtime;
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

    /// <summary>Scores and contexts of attention: batches, broadcasts, transposes read through, zero points that need one part or several.</summary>
    [Theory]
    [InlineData("heads", DType.UInt8, 128, DType.UInt8)]
    [InlineData("heads", DType.Int8, 0, DType.Int8)]
    [InlineData("turned", DType.UInt8, 3, DType.UInt8)]
    [InlineData("turned left", DType.Int8, -5, DType.UInt8)]
    [InlineData("broadcast", DType.UInt8, 255, DType.Int8)]
    [InlineData("one matrix", DType.UInt8, 128, DType.UInt8)]
    public void Products_of_two_values_of_a_run_are_integers(string form, DType right, int zero, DType result)
    {
        var g = new Graph("g");
        Value Bytes(string name, DType type, int z, params Dim[] dims) =>
            g.Add(new QuantizeLinear(), g.AddInput(name, PlanCheck.F32(dims)), g.AddConstant(Tensor.Scalar(0.03f)), g.AddConstant(Byte(type, z)));
        Tensor Byte(DType type, int z) => type == DType.Int8 ? Tensor.Scalar((sbyte)z) : Tensor.Scalar((byte)z);
        var a = form == "turned left" ? g.Add(new Transpose([0, 2, 1, 3]), Bytes("a", DType.UInt8, 120, 2, N, 3, 20)) : Bytes("a", DType.UInt8, 120, 2, 3, N, 20);
        var b = form switch
        {
            "turned" => g.Add(new Transpose([0, 1, 3, 2]), Bytes("b", right, zero, 2, 3, N, 20)),
            "broadcast" => Bytes("b", right, zero, 3, 20, N),
            "one matrix" => Bytes("b", right, zero, 20, N),
            _ => Bytes("b", right, zero, 2, 3, 20, N),
        };
        Value Scale(float s) => g.AddConstant(Tensor.Scalar(s));
        g.AddOutput(g.Add(new QLinearMatMul(), a, Scale(0.03f), g.AddConstant(Byte(DType.UInt8, 120)), b, Scale(0.03f), g.AddConstant(Byte(right, zero)), Scale(0.02f), g.AddConstant(Byte(result, result == DType.Int8 ? -3 : 90))));
        Assert.Contains(PlanCheck.Compile(g).Steps, s => s.Operation == "QLinearMatMul" && s is not ReferenceStep);
        foreach (var n in new[] { 1, 9, 70 })
        {
            var left = form == "turned left" ? PlanCheck.Random(7, 2, n, 3, 20) : PlanCheck.Random(7, 2, 3, n, 20);
            PlanCheck.Same(g, left, form switch
            {
                "turned" => PlanCheck.Random(8, 2, 3, n, 20),
                "broadcast" => PlanCheck.Random(8, 3, 20, n),
                "one matrix" => PlanCheck.Random(8, 20, n),
                _ => PlanCheck.Random(8, 2, 3, 20, n),
            });
        }
    }

    [Theory]
    [InlineData(37, 1)]
    [InlineData(64, 64)]
    public void A_bias_is_part_of_the_sums(int outputs, int scales)
    {
        var g = new Graph("g");
        var x = g.Add(new QuantizeLinear(), g.AddInput("x", PlanCheck.F32(N, 3, 70)), g.AddConstant(Tensor.Scalar(0.03f)), g.AddConstant(Tensor.Scalar((byte)120)));
        var w = Tensor.Allocate(DType.Int8, new Shape(70, outputs));
        new Random(3).NextBytes(w.Bytes);
        var scale = scales == 1 ? Tensor.Scalar(0.003f) : Tensor.Vector<float>([.. Enumerable.Range(1, outputs).Select(i => 0.0002f * i)]);
        var zero = scales == 1 ? Tensor.Scalar<sbyte>(0) : Tensor.Vector<sbyte>(new sbyte[outputs]);
        g.AddOutput(g.Add(new QLinearMatMul(), x, g.AddConstant(Tensor.Scalar(0.03f)), g.AddConstant(Tensor.Scalar((byte)120)), g.AddConstant(w), g.AddConstant(scale), g.AddConstant(zero),
            g.AddConstant(Tensor.Scalar(0.04f)), g.AddConstant(Tensor.Scalar((byte)90)), g.AddConstant(Tensor.Vector<int>([.. Enumerable.Range(0, outputs).Select(i => 700 * i - 9000)]))));
        Assert.Contains(PlanCheck.Compile(g).Steps, s => s.Operation == "QLinearMatMul" && s is not ReferenceStep);
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
