using AiOptix.Bench.Ort;
using AiOptix.Graphs;
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
