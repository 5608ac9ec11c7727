using AiOptix.Bench.Compare;
using AiOptix.Bench.Ort;
using AiOptix.Graphs;
using AiOptix.Graphs.Evaluate;
using AiOptix.Optimization.Calibrate;
using AiOptix.Passes.Quantize;
using AiOptix.Tensors;
using AiOptix.Zoo;

namespace AiOptix.Bench.Tests;

/// <summary>
/// Files that are written quantised are standard ONNX: ONNX Runtime opens them and agrees, each node, fed recorded bytes, within one step; whole models by top-1 and by a cosine
/// of 0.999, or, where made-up weights let steps grow through many layers, by a tenth of what quantising itself moved the answers.
/// </summary>
public sealed class QuantizedFileTests : IDisposable
{
    private readonly DirectoryInfo folder = Directory.CreateTempSubdirectory("quantized-");

    public static TheoryData<string, QuantizedForm> Forms
    {
        get
        {
            var data = new TheoryData<string, QuantizedForm>();
            foreach (var name in new[] { "digits", "resnet-50", "mobilenet-v2", "efficientnet-b0", "u-net" }) data.Add(name, QuantizedForm.Static);
            foreach (var form in Enum.GetValues<QuantizedForm>().Where(f => f != QuantizedForm.Float)) data.Add("minilm-l6", form);
            return data;
        }
    }

    public void Dispose() => folder.Delete(recursive: true);

    [SkippableTheory]
    [MemberData(nameof(Forms))]
    public void OnnxRuntimeAgreesOnWholeModels(string name, QuantizedForm form)
    {
        Skip.IfNot(OrtLibrary.IsInstalled, "ONNX Runtime is not installed (npm ci in bench/)");
        var (graph, inputs, plan) = Planned(name, form);
        var file = Path.Combine(folder.FullName, "quantized.onnx");
        AiOptix.Model.Of(QuantizationWriter.Write(graph, plan)).Save(file);
        using var peer = new OrtSession(file, 1);
        using var own = AiOptix.Model.Load(file).Compile(new CompileOptions { Threads = 1 });
        using var floats = AiOptix.Model.Of(graph).Compile(new CompileOptions { Threads = 1 });
        foreach (var sample in inputs)
        {
            var expected = peer.Run(Named(graph, sample));
            var found = own.Run(sample);
            var exact = floats.Run(sample);
            for (var i = 0; i < found.Length; i++)
            {
                var (ours, theirs) = ((Tensor)found[i], expected[graph.Outputs[i].Name]);
                var (apart, moved) = (Distance(ours, theirs), Distance((Tensor)exact[i], theirs));
                Assert.True(apart <= Math.Max(1e-3, moved / 10), $"output {graph.Outputs[i].Name}: the cosine is {1 - apart}, that of both forms {1 - moved}; {Optimization.TensorComparison.Compare(theirs, ours).Failure}");
                if (graph.Outputs[i].Shape?.Rank == 2) Assert.Equal(1, Optimization.Metric.Top1.Score(new(0, [ours], [theirs], null)).Average(), 0.26);
            }
        }
    }

    /// <summary>
    /// For ONNX Runtime a product takes its stored weights itself. It agrees, and read again the file gives the very answers of the standard form, whatever the type, the zero points, the order of
    /// the axes and the last block.
    /// </summary>
    [SkippableTheory]
    [InlineData(DType.Int4, false, false, 70, 32)]
    [InlineData(DType.Int4, true, true, 96, 32)]
    [InlineData(DType.UInt4, true, false, 96, 32)]
    [InlineData(DType.UInt4, false, true, 64, 16)]
    [InlineData(DType.Int8, false, false, 96, 32)]
    [InlineData(DType.Int8, true, true, 70, 64)]
    [InlineData(DType.UInt8, true, false, 70, 32)]
    [InlineData(DType.UInt8, false, true, 128, 128)]
    public void ProductsOfStoredWeightsAreOneOperatorForOnnxRuntime(DType type, bool hasZeros, bool isTransposed, long terms, long block)
    {
        const int Results = 17;
        var random = new Random(31);
        var blocks = (terms + block - 1) / block;
        Shape Of(long t) => isTransposed ? new(Results, t) : new(t, Results);
        var (least, most) = type switch { DType.Int4 => (-8, 7), DType.UInt4 => (0, 15), DType.Int8 => (-128, 127), _ => (0, 255) };
        Tensor Draw(long t) => ElementTypes.From([.. Enumerable.Range(0, (int)(t * Results)).Select(_ => (double)random.Next(least, most + 1))], type, Of(t));
        var graph = new Graph("stored") { Metadata = GraphMetadata.Empty with { Opsets = new Dictionary<string, long> { [""] = 21 } } };
        var x = graph.AddInput("x", new TensorType(DType.Float32, new SymbolicShape(3, terms)));
        var scales = ElementTypes.From([.. Enumerable.Range(0, (int)blocks * Results).Select(_ => 0.01 + random.NextDouble() / 10)], DType.Float32, Of(blocks));
        var numbers = graph.Add(new Graphs.Ops.DequantizeLinear(isTransposed ? 1 : 0, block),
            [graph.AddConstant(Draw(terms), "q"), graph.AddConstant(scales, "s"), hasZeros ? graph.AddConstant(Draw(blocks), "z") : null], ["w"]).Output;
        if (isTransposed) numbers = graph.Add(new Graphs.Ops.Transpose([1, 0]), [numbers], ["wt"]).Output;
        graph.AddOutput(graph.Add(new Graphs.Ops.MatMul(), [x, numbers], ["y"]).Output);
        ForOnnxRuntime(graph, [ElementTypes.From([.. Enumerable.Range(0, (int)(3 * terms)).Select(_ => random.NextDouble() - 0.5)], DType.Float32, new Shape(3, terms))], 1);
    }

    [SkippableTheory]
    [InlineData(QuantizedForm.Weights4)]
    [InlineData(QuantizedForm.Weights8)]
    public void AModelOfStoredWeightsIsWrittenForOnnxRuntime(QuantizedForm form)
    {
        var (graph, inputs, plan) = Planned("minilm-l6", form);
        ForOnnxRuntime(QuantizationWriter.Write(graph, plan), inputs[0], plan.Nodes.Count);
    }

    private void ForOnnxRuntime(Graph graph, Tensor[] sample, int products)
    {
        Skip.IfNot(OrtLibrary.IsInstalled, "ONNX Runtime is not installed (npm ci in bench/)");
        var (standard, file) = (Path.Combine(folder.FullName, "standard.onnx"), Path.Combine(folder.FullName, "ort.onnx"));
        AiOptix.Model.Of(graph).Save(standard);
        AiOptix.Model.Of(graph).Save(file, FileDialect.OnnxRuntime);
        var text = System.Text.Encoding.Latin1.GetString(File.ReadAllBytes(file));
        Assert.Equal(products, text.Split("MatMulNBits").Length - 1);
        Assert.DoesNotContain("DequantizeLinear", text, StringComparison.Ordinal);
        using var peer = new OrtSession(file, 1);
        using var expected = AiOptix.Model.Load(standard).Compile(new CompileOptions { Threads = 1 });
        using var own = AiOptix.Model.Load(file).Compile(new CompileOptions { Threads = 1 });
        var theirs = peer.Run(Named(graph, sample));
        foreach (var (output, (a, b)) in graph.Outputs.Zip(expected.Run(sample).Zip(own.Run(sample))))
        {
            Assert.True(((Tensor)a).BitEquals((Tensor)b), $"output {output.Name} is not that of the standard form");
            var apart = Optimization.TensorComparison.Compare(theirs[output.Name], (Tensor)b);
            Assert.True(apart.MaxScaled < 1e-5, $"output {output.Name} is {apart.MaxScaled} of its largest magnitude from ONNX Runtime's");
        }
    }

    [SkippableTheory]
    [InlineData("digits")]
    [InlineData("resnet-50")]
    [InlineData("mobilenet-v2")]
    [InlineData("efficientnet-b0")]
    [InlineData("minilm-l6")]
    [InlineData("bert-base")]
    [InlineData("yolov8-n")]
    [InlineData("u-net")]
    public void EveryNodeIsWithinAStepOfOnnxRuntimes(string name)
    {
        Skip.IfNot(OrtLibrary.IsInstalled, "ONNX Runtime is not installed (npm ci in bench/)");
        var (graph, inputs, plan) = Planned(name, QuantizedForm.Static);
        var file = Path.Combine(folder.FullName, "quantized.onnx");
        AiOptix.Model.Of(QuantizationWriter.Write(graph, plan)).Save(file);
        var pieces = Stepwise.Of(file, Named(graph, inputs[0]));
        Assert.True(pieces.Problem is null, pieces.Problem);
        Assert.True(pieces.Pieces > plan.Nodes.Count, $"{pieces.Pieces} values were checked, {plan.Nodes.Count} nodes are quantised");
    }

    /// <summary>The pieces decide only where the whole lies apart, and then all of them must agree.</summary>
    [Fact]
    public void PiecesThatLieApartAreAProblem()
    {
        var apart = new Agreement(0.2, "the whole lies apart");
        Assert.Equal("the whole lies apart; a piece", apart.Held(() => new(3, 1, "a piece")).Problem);
        Assert.Null(apart.Held(() => new(3, 1, null)).Problem);
        Assert.Equal("the whole lies apart", apart.Held(() => new(3, 1, null)).OnlyInPieces);
        Assert.Null(new Agreement(0, null).Held(() => throw new InvalidOperationException("not asked")).OnlyInPieces);
    }

    private static double Distance(Tensor a, Tensor b) => Optimization.Metric.Cosine.Score(new(0, [a], [b], null))[0];

    private static (Graph Graph, List<Tensor[]> Inputs, QuantizationPlan Plan) Planned(string name, QuantizedForm form)
    {
        var model = name == "digits" ? AiOptix.Model.Load(Path.Combine(Repository.Root, "demo", "digits", "model.onnx")) : AiOptix.Model.Of(ModelZoo.Find(name).Build(new ZooOptions { ImageSize = 64 }));
        var dims = SampleInputs.Symbols(model).ToDictionary(s => s, s => s == "batch" ? 2L : 9L);
        List<Tensor[]> inputs = [.. Enumerable.Range(0, 3).Select(i => SampleInputs.Draw(model, i + 5, dims).Values.ToArray())];
        var graph = model.Rewrite().Model.Graph;
        var calibration = Calibration.Collect(graph, new Cpu.CpuBackend(), inputs, Limits.Default, 1);
        return (graph, inputs, new()
        {
            Nodes = Quantizable.Products(graph).Where(p => form == QuantizedForm.Static || p.IsMatrix).ToDictionary(p => p.Name, _ => form),
            Ranges = calibration.Ranges(CalibrationMethod.MinMax),
        });
    }

    private static Dictionary<string, Tensor> Named(Graph graph, Tensor[] sample) => graph.Inputs.Zip(sample).ToDictionary(p => p.First.Name, p => p.Second);
}
