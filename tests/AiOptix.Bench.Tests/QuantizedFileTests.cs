using AiOptix.Bench.Ort;
using AiOptix.Graphs;
using AiOptix.Graphs.Evaluate;
using AiOptix.Optimization.Calibrate;
using AiOptix.Passes.Quantize;
using AiOptix.Tensors;
using AiOptix.Zoo;

namespace AiOptix.Bench.Tests;

/// <summary>
/// Files that are written quantised are standard ONNX: ONNX Runtime opens them and agrees, each quantised node, fed recorded inputs, within one step; whole models by top-1 and by a cosine
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
    [InlineData("minilm-l6")]
    [InlineData("yolov8-n")]
    [InlineData("u-net")]
    public void EveryNodeIsWithinAStepOfOnnxRuntimes(string name)
    {
        Skip.IfNot(OrtLibrary.IsInstalled, "ONNX Runtime is not installed (npm ci in bench/)");
        var (graph, inputs, plan) = Planned(name, QuantizedForm.Static);
        var written = QuantizationWriter.Write(graph, plan);
        // Everything that goes into and comes out of a node, by the peer itself: each is then fed what the peer's own had.
        var recorded = written.Clone();
        var steps = recorded.Nodes.Where(n => n.Operator is Graphs.Ops.QuantizeLinear).ToArray();
        foreach (var step in steps.Where(s => s.Output.OutputUses == 0)) recorded.AddOutput(step.Output);
        var file = Path.Combine(folder.FullName, "recorded.onnx");
        AiOptix.Model.Of(recorded).Save(file);
        using var peer = new OrtSession(file, 1);
        var values = peer.Run(Named(graph, inputs[0]));
        var one = Piecewise(written, values, Named(graph, inputs[0]));
        Assert.True(one.Checked >= plan.Nodes.Count, $"{one.Checked} nodes were checked, {plan.Nodes.Count} are quantised");
        Assert.True(one.Worst <= 1, $"{one.Where} is {one.Worst} steps away");
    }

    /// <summary>Each quantised node as a model of its own between the bytes that it reads and the bytes that it makes.</summary>
    private static (int Checked, int Worst, string Where) Piecewise(Graph written, IReadOnlyDictionary<string, Tensor> recorded, Dictionary<string, Tensor> inputs)
    {
        var (count, worst, where) = (0, 0, "");
        foreach (var last in written.Nodes.Where(n => n.Operator is Graphs.Ops.QuantizeLinear).ToArray())
        {
            var piece = new Graph("piece");
            var map = new Dictionary<Value, Value>();
            var given = new List<RuntimeValue>();
            if (!Copy(last.Output)) continue;
            piece.AddOutput(map[last.Output]);
            var expected = recorded[last.Output.Name];
            using var own = AiOptix.Model.Of(piece).Compile(new CompileOptions { Threads = 1 });
            using var found = (Tensor)own.Run([.. given])[0];
            count++;
            var (a, b) = (expected.ToInt64(), found.ToInt64());
            for (var i = 0; i < a.Length; i++)
                if (Math.Abs(a[i] - b[i]) > worst) (worst, where) = ((int)Math.Abs(a[i] - b[i]), $"{last.Inputs[0]!.Producer}");

            bool Copy(Value value)
            {
                if (map.ContainsKey(value)) return true;
                if (value.IsConstant) map[value] = piece.AddConstant(value.Constant!, value.Name);
                else if (value != last.Output && recorded.TryGetValue(value.Name, out var bytes)) Give(value, bytes);
                else if (value.Producer is null) Give(value, inputs[value.Name]);
                else
                {
                    var node = value.Producer;
                    // What stands between in floats (normalisations, attention) is no quantised node: it is compared as a part of the whole.
                    if (node.Operator is not (Graphs.Ops.QuantizeLinear or Graphs.Ops.DequantizeLinear or Graphs.Ops.Conv or Graphs.Ops.Gemm or Graphs.Ops.MatMul or Graphs.Ops.Relu or Graphs.Ops.Clip) && !Quantized(node)) return false;
                    foreach (var input in node.Inputs)
                        if (input is not null && !Copy(input)) return false;
                    var made = piece.Add(node.Operator, [.. node.Inputs.Select(i => i is null ? null : map[i])], new string?[node.Outputs.Count], node.Name);
                    for (var o = 0; o < node.Outputs.Count; o++) map[node.Outputs[o]] = made.Outputs[o];
                }
                return true;
            }

            void Give(Value value, Tensor tensor)
            {
                map[value] = piece.AddInput(value.Name, new TensorType(tensor.DType, SymbolicShape.Of(tensor.Shape)));
                given.Add(tensor);
            }
        }
        return (count, worst, where);
    }

    private static double Distance(Tensor a, Tensor b) => Optimization.Metric.Cosine.Score(new(0, [a], [b], null))[0];

    private static bool Quantized(Node node) => node.Inputs.Any(i => i?.Producer?.Operator is Graphs.Ops.DequantizeLinear);

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
