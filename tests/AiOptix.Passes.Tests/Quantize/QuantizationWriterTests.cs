using AiOptix.Graphs;
using AiOptix.Graphs.Ops;
using AiOptix.Passes.Quantize;
using AiOptix.Tensors;
using static AiOptix.Passes.Tests.Rewriting;

namespace AiOptix.Passes.Tests.Quantize;

/// <summary>Graphs written quantised: near the floats, in the pattern that is computed in integers, in part when asked.</summary>
public class QuantizationWriterTests
{
    private readonly Graph graph = new("test");

    [Fact]
    public void AConvolutionalRegionStaysInBytes()
    {
        Network();
        var written = Check(Plan(), 0.03);
        PassDriver.Run(written);
        Assert.Equal(3, written.Nodes.Count(n => n.Operator is QLinearConv));
        Assert.DoesNotContain(written.Nodes, n => n.Operator is Conv or Gemm);
    }

    [Theory]
    [InlineData("Gemm")]
    [InlineData("Gemm transposed")]
    [InlineData("MatMul")]
    public void MatricesAreQuantisedByColumn(string form)
    {
        var x = graph.Input("x", DType.Float32, N, 12);
        graph.Returning(form switch
        {
            "Gemm" => graph.Add(new Gemm(), x, Uneven(12, 5), graph.Weights(3, 5)),
            "MatMul" => graph.Add(new MatMul(), x, Uneven(12, 5)),
            _ => graph.Add(new Gemm(TransB: true), x, graph.Weights(2, 5, 12), graph.Weights(3, 5)),
        });
        var written = Check(Plan(), 0.02);
        PassDriver.Run(written);
        Assert.Contains(written.Nodes, n => n.Operator is QLinearConv or QLinearMatMul);
    }

    /// <summary>Two layers of a transformer's kind: the bias that stands behind a product is part of it, so that all between the two stays in bytes.</summary>
    [Theory]
    [InlineData(QuantizedForm.Static, "QuantizeLinear QLinearMatMul DequantizeLinear Gelu QuantizeLinear QLinearMatMul DequantizeLinear")]
    [InlineData(QuantizedForm.Dynamic, "DynamicQuantizeLinear MatMulInteger Mul Cast Mul Add Gelu DynamicQuantizeLinear MatMulInteger Mul Cast Mul Add")]
    public void ABiasBehindAMatrixIsPartOfIt(QuantizedForm form, string operators)
    {
        var x = graph.Input("x", DType.Float32, N, 3, 12);
        var hidden = graph.Add(new Gelu(), graph.Add(new Add(), graph.Weights(2, 8), graph.Add(new MatMul(), x, Uneven(12, 8))));
        graph.Returning(graph.Add(new Add(), graph.Add(new MatMul(), hidden, graph.Weights(3, 8, 5)), graph.Weights(4, 5)));
        var written = Check(Plan(form), 0.02);
        PassDriver.Run(written);
        Assert.Equal(operators, written.Operators());
        Assert.Equal(form == QuantizedForm.Static ? 2 : 0, written.Nodes.Count(n => n.Operator is QLinearMatMul && n.Input(8) is not null));
    }

    [Fact]
    public void UpscalingStaysInBytes()
    {
        var x = graph.Input("x", DType.Float32, N, 3, 12, 12);
        var a = graph.Add(new Conv(default, [1, 1, 1, 1]), x, graph.Weights(1, 8, 3, 3, 3), graph.Weights(2, 8));
        var small = graph.Add(new MaxPool([2, 2], [2, 2]), a);
        var joined = graph.Add(new Concat(1), a, graph.Add(new ConvTranspose([2, 2]), small, graph.Weights(3, 8, 6, 2, 2), graph.Weights(4, 6)));
        graph.Returning(graph.Add(new Conv(), joined, graph.Weights(5, 4, 14, 1, 1)));
        var written = Check(Plan(), 0.03);
        PassDriver.Run(written);
        Assert.Equal("QuantizeLinear QLinearConv MaxPool QLinearConv DepthToSpace Concat QLinearConv DequantizeLinear", written.Operators());
    }

    [Fact]
    public void OnlyWhatThePlanNamesIsQuantised()
    {
        Network();
        var plan = Plan();
        var one = plan.Nodes.Keys.Skip(1).First();
        var written = Check(plan with { Nodes = new Dictionary<string, QuantizedForm> { [one] = QuantizedForm.Static } }, 0.03);
        PassDriver.Run(written);
        Assert.Single(written.Nodes, n => n.Operator is QLinearConv);
        Assert.Equal(graph.Nodes.Count, Written(plan with { Nodes = new Dictionary<string, QuantizedForm>() }).Nodes.Count);
        Assert.Contains("no such product", Assert.Throws<InvalidGraphException>(() => Written(plan with { Nodes = new Dictionary<string, QuantizedForm> { ["other"] = QuantizedForm.Static } })).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void WithoutRangesNothingIsWritten() => Assert.Equal(Network().Nodes.Count, Written(Plan() with { Ranges = new Dictionary<string, ActivationRange>() }).Nodes.Count);

    [Fact]
    public void WhatOnlyMovesSharesAScale()
    {
        var x = graph.Input("x", DType.Float32, N, 4, 6, 6);
        var a = graph.Add(new Conv(), x, graph.Weights(1, 4, 4, 1, 1));
        var b = graph.Add(new Conv(), x, graph.Weights(8, 4, 4, 1, 1));
        var pooled = graph.Add(new MaxPool([2, 2], [2, 2]), graph.Add(new Concat(1), a, b));
        var flat = graph.Add(new Flatten(), graph.Add(new Transpose([0, 2, 3, 1]), pooled));
        graph.Returning(graph.Add(new Gemm(), flat, graph.Weights(4, 72, 3), graph.Weights(5, 3)));
        var written = Check(Plan(), 0.03);
        var scales = written.Nodes.Where(n => n.Operator is QuantizeLinear && n.Inputs[0]!.Producer?.Operator is Conv or Concat or MaxPool or Transpose or Flatten)
            .Select(n => n.Inputs[1]!.Constant!.Span<float>()[0]).ToArray();
        Assert.Equal(6, written.Nodes.Count(n => n.Operator is QuantizeLinear && n.Inputs[0]!.Producer?.Operator is Conv or Concat or MaxPool or Transpose or Flatten));
        Assert.Single(scales.Distinct());
    }

    [Theory]
    [InlineData(true, 4)]
    [InlineData(false, 3)]
    public void FollowersStayInBytesUnlessToldOtherwise(bool followers, int quantised)
    {
        var x = graph.Input("x", DType.Float32, N, 4, 6, 6);
        var a = graph.Add(new Conv(), x, graph.Weights(1, 4, 4, 1, 1));
        var sum = graph.Add(new Relu(), graph.Add(new Add(), a, graph.Add(new Conv(), a, graph.Weights(2, 4, 4, 1, 1))));
        graph.Returning(graph.Add(new Neg(), sum));
        // x and both products, and the sum with its Relu when it follows.
        Assert.Equal(quantised, Check(Plan() with { Followers = followers }, 0.03).Nodes.Count(n => n.Operator is QuantizeLinear));
    }

    /// <summary>Swish behind a depthwise convolution and the gate that it is multiplied with, as squeeze and excitation have them: all of it stays in bytes.</summary>
    [Theory]
    [InlineData("Swish")]
    [InlineData("HardSwish")]
    [InlineData("Gelu")]
    [InlineData("Tanh")]
    public void CurvesAndGatesStayInBytes(string curve)
    {
        Operator Curve() => curve switch
        {
            "Swish" => new Swish(),
            "HardSwish" => new HardSwish(),
            "Gelu" => new Gelu(),
            _ => new Tanh(),
        };
        var x = graph.Input("x", DType.Float32, N, 4, 6, 6);
        var wide = graph.Add(Curve(), graph.Add(new Conv(), x, graph.Weights(1, 4, 4, 1, 1)));
        var squeezed = graph.Add(Curve(), graph.Add(new Conv(), graph.Add(new GlobalAveragePool(), wide), graph.Weights(2, 2, 4, 1, 1)));
        var gate = graph.Add(new Sigmoid(), graph.Add(new Conv(), squeezed, graph.Weights(3, 4, 2, 1, 1)));
        graph.Returning(graph.Add(new Conv(), graph.Add(new Mul(), wide, gate), graph.Weights(4, 3, 4, 1, 1)));
        var written = Check(Plan(), 0.05);
        // x, four products, three curves, the mean and the gated product.
        Assert.Equal(10, written.Nodes.Count(n => n.Operator is QuantizeLinear));
        PassDriver.Run(written);
        Assert.Equal(4, written.Nodes.Count(n => n.Operator is QLinearConv));
        Assert.Equal(8, Check(Plan() with { Followers = false }, 0.05).Nodes.Count(n => n.Operator is QuantizeLinear));
    }

    [Fact]
    public void FloatResultsAreNotRoundedWhereNobodyReadsBytes()
    {
        var x = graph.Input("x", DType.Float32, N, 12);
        var hidden = graph.Add(new Relu(), graph.Add(new Gemm(), x, graph.Weights(1, 12, 8), graph.Weights(2, 8)));
        graph.Returning(graph.Add(new Gemm(), hidden, graph.Weights(3, 8, 4), graph.Weights(4, 4)));
        var (bytes, floats) = (Written(Plan()), Written(Plan() with { FloatResults = true }));
        Assert.Equal(3, bytes.Nodes.Count(n => n.Operator is QuantizeLinear));
        Assert.Equal(2, floats.Nodes.Count(n => n.Operator is QuantizeLinear));
        Assert.IsType<Gemm>(floats.Outputs[0].Producer!.Operator);
        Assert.True(Distance(floats) < Distance(bytes));
    }

    [Theory]
    [InlineData(QuantizedForm.Dynamic, 0.02)]
    [InlineData(QuantizedForm.Weights8, 0.01)]
    [InlineData(QuantizedForm.Weights4, 0.2)]
    public void OtherFormsOfMatrices(QuantizedForm form, double bound)
    {
        var x = graph.Input("x", DType.Float32, N, 3, 20);
        var y = graph.Add(new Gelu(), graph.Add(new MatMul(), x, Uneven(20, 7)));
        graph.Returning(graph.Add(new Gemm(TransB: true), graph.Add(new Reshape(), y, graph.Integers(-1, 7)), graph.Weights(4, 3, 7), graph.Weights(5, 3)));
        var written = Check(Plan(form) with { BlockSize = 8 }, bound);
        Assert.Equal(2, written.Nodes.Count(n => form == QuantizedForm.Dynamic ? n.Operator is MatMulInteger : n.Operator is DequantizeLinear { BlockSize: 8 }));
    }

    [Fact]
    public void TheBiasTakesBackWhatRoundingShifts()
    {
        // Inputs far from 0 on average, and weights of which a large one makes the steps coarse.
        var x = graph.Input("x", DType.Float32, N, 16);
        var lifted = graph.Add(new Add(), x, graph.Number(20));
        var w = Tensor.Allocate(DType.Float32, new Shape(16, 4));
        var random = new Random(1);
        for (var i = 0; i < w.Count; i++) w.Span<float>()[i] = i < 4 ? 5 : (float)(random.NextDouble() * 0.03);
        graph.Returning(graph.Add(new Gemm(), lifted, graph.AddConstant(w), graph.Weights(2, 4)));
        var plan = Plan() with { FloatResults = true };
        var corrected = plan with { Means = new Dictionary<string, double[]> { [lifted.Name] = [.. Enumerable.Repeat(20.0, 16)] } };
        Assert.True(Distance(Written(corrected)) < 0.5 * Distance(Written(plan)), $"{Distance(Written(corrected))} is not much less than {Distance(Written(plan))}");
    }

    [Fact]
    public void TheBiasOfUpscalingTakesBackWhatRoundingShiftsOverAllTaps()
    {
        var x = graph.Input("x", DType.Float32, N, 16, 3, 3);
        var lifted = graph.Add(new Add(), x, graph.Number(20));
        // Every tap of a filter is rounded alike, but for the largest weight.
        var w = Tensor.Allocate(DType.Float32, new Shape(16, 4, 2, 2));
        for (var i = 0; i < w.Count; i++) w.Span<float>()[i] = i < 16 ? 5 : 0.015f;
        graph.Returning(graph.Add(new ConvTranspose([2, 2]), lifted, graph.AddConstant(w), graph.Weights(2, 4)));
        var plan = Plan() with { FloatResults = true };
        var corrected = plan with { Means = new Dictionary<string, double[]> { [lifted.Name] = [.. Enumerable.Repeat(20.0, 16)] } };
        Assert.True(Distance(Written(corrected)) < 0.5 * Distance(Written(plan)), $"{Distance(Written(corrected))} is not much less than {Distance(Written(plan))}");
    }

    [Fact]
    public void SmoothingKeepsTheMathematicsAndHelpsUnevenChannels()
    {
        var x = graph.Input("x", DType.Float32, N, 5, 16);
        var scale = Tensor.Allocate(DType.Float32, new Shape(16));
        for (var i = 0; i < 16; i++) scale.Span<float>()[i] = i == 3 ? 40 : 0.5f;
        var norm = graph.Add(new LayerNormalization(), x, graph.AddConstant(scale), graph.Weights(1, 16));
        graph.Returning(graph.Add(new MatMul(), norm, graph.Weights(2, 16, 6)), graph.Add(new MatMul(), norm, graph.Weights(3, 16, 6)));
        Assert.Single(Smoothing.Places(graph));
        double[] maxima = [.. Enumerable.Range(0, 16).Select(i => i == 3 ? 90.0 : 1.5)];
        var factors = Smoothing.Factors(graph, new Dictionary<string, double[]> { [norm.Name] = maxima }, 0.5);
        var smoothed = graph.Clone();
        Smoothing.Apply(smoothed, factors);
        Assert.True(Distance(smoothed) < 1e-6);
        var plain = Written(Plan() with { FloatResults = true });
        var better = QuantizationWriter.Write(graph, Plan(smoothed, QuantizedForm.Static) with { FloatResults = true, Smoothing = factors });
        Assert.True(Distance(better) < 0.7 * Distance(plain), $"{Distance(better)} is not much less than {Distance(plain)}");
    }

    [Fact]
    public void OutputsKeepTheirNamesAndNodesTheirOrigins()
    {
        Network();
        foreach (var node in graph.Nodes) node.SetOrigin("file " + node.Name);
        var written = Written(Plan());
        Assert.Equal(graph.Outputs.Select(o => o.Name), written.Outputs.Select(o => o.Name));
        Assert.Subset(graph.Nodes.SelectMany(n => n.Origins).ToHashSet(), written.Nodes.SelectMany(n => n.Origins).ToHashSet());
        Assert.All(graph.Nodes, n => Assert.Contains(written.Nodes, w => w.Name == n.Name && w.Operator == n.Operator));
    }

    [Fact]
    public void TinyWeightsWithALargeBiasKeepTheBias()
    {
        var x = graph.Input("x", DType.Float32, N, 4);
        var w = Tensor.From<float>([1e-20f, 1, 1e-20f, 1, 0, 1, 0, 1], new Shape(4, 2));
        graph.Returning(graph.Add(new Gemm(), x, graph.AddConstant(w), graph.AddConstant(Tensor.Vector<float>(3, 0))));
        Check(Plan(), 0.02);
    }

    /// <summary>Conv, Relu, pool, two more with a sum, average, Gemm.</summary>
    private Graph Network()
    {
        var x = graph.Input("x", DType.Float32, N, 3, 12, 12);
        var a = graph.Add(new Relu(), graph.Add(new Conv([2, 2], [1, 1, 1, 1]), x, graph.Weights(1, 8, 3, 3, 3), graph.Weights(2, 8)));
        var b = graph.Add(new Conv(default, [1, 1, 1, 1], default, 8), a, graph.Weights(3, 8, 1, 3, 3), graph.Weights(4, 8));
        var sum = graph.Add(new Relu(), graph.Add(new Add(), a, b));
        var mean = graph.Add(new Flatten(), graph.Add(new GlobalAveragePool(), sum));
        return graph.Returning(graph.Add(new Gemm(), mean, graph.Weights(5, 8, 4), graph.Weights(6, 4)));
    }

    private Value Uneven(long rows, long columns)
    {
        var w = (Tensor)Random(DType.Float32, new Shape(rows, columns), new Random(9));
        for (var i = 0; i < w.Count; i++) w.Span<float>()[i] *= MathF.Pow(10, i % columns - 2);
        return graph.AddConstant(w, "weights");
    }

    private QuantizationPlan Plan(QuantizedForm form = QuantizedForm.Static) => Plan(graph, form);

    /// <summary>All products, with the ranges that the test's own inputs have.</summary>
    private QuantizationPlan Plan(Graph of, QuantizedForm form)
    {
        var watched = of.Clone();
        var values = Quantizable.Watched(watched);
        var outputs = watched.Outputs.Count;
        var made = values.Where(v => v.Producer is not null).ToArray();
        foreach (var value in made) watched.AddOutput(value);
        var inputs = Inputs();
        var found = ReferenceEvaluator.Run(watched, inputs);
        var ranges = values.Where(v => v.Producer is null).ToDictionary(v => v.Name, v => Range((Tensor)inputs[v.Name]));
        for (var i = 0; i < made.Length; i++) ranges[made[i].Name] = Range((Tensor)found[outputs + i]);
        return new() { Nodes = Quantizable.Products(of).ToDictionary(p => p.Name, _ => form), Ranges = ranges };
    }

    private Graph Check(QuantizationPlan plan, double bound)
    {
        var text = Printer.Print(graph);
        var written = Written(plan);
        Assert.Equal(text, Printer.Print(graph));
        var distance = Distance(written);
        Assert.True(distance < bound, $"the quantised answers are {distance} of the largest away");
        Assert.True(distance > 0, "nothing was quantised");
        return written;
    }

    private Graph Written(QuantizationPlan plan) => QuantizationWriter.Write(graph, plan);

    /// <summary>The largest difference over the largest magnitude, by the reference evaluation.</summary>
    private double Distance(Graph other)
    {
        var (expected, found) = (ReferenceEvaluator.Run(graph, Inputs()), ReferenceEvaluator.Run(other, Inputs()));
        return expected.Zip(found, (e, f) => Reals.Read((Tensor)e).Zip(Reals.Read((Tensor)f), (x, y) => Math.Abs(x - y)).Max() / Reals.Read((Tensor)e).Max(Math.Abs)).Max();
    }

    private Dictionary<string, RuntimeValue> Inputs() => graph.Inputs.Select((v, i) => (v.Name, Value: (RuntimeValue)Random(v.DType, v.Shape!.Evaluate(new Dictionary<string, long> { [Batch] = 4 }), new Random(i + 11)))).ToDictionary(p => p.Name, p => p.Value);

    private static ActivationRange Range(Tensor tensor) => Reals.Read(tensor).Aggregate(new ActivationRange(0, 0), (r, v) => r.Join(new((float)v, (float)v)));
}
