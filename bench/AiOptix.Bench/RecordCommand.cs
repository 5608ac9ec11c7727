using System.CommandLine;
using AiOptix.Bench.Ort;
using AiOptix.Graphs;
using AiOptix.Onnx;
using AiOptix.Tensors;
using AiOptix.Zoo;

namespace AiOptix.Bench;

/// <summary>Writes a model of the zoo as a case for <c>optix verify</c>: the file, inputs from a seed, and the answers of ONNX Runtime or of the reference evaluation. For <c>sweep.sh</c>.</summary>
internal static class RecordCommand
{
    internal static Command Create()
    {
        var name = new Argument<string>("NAME") { Description = "A model of the zoo." };
        var target = new Argument<string>("FOLDER") { Description = "Where model.onnx and test_data_set_0 go." };
        var seed = new Option<int>("--seed") { Description = "Seeds weights and inputs." };
        var reference = new Option<bool>("--reference") { Description = "Record the answers of the reference evaluation, not those of ONNX Runtime. Slow." };
        var command = new Command("record", "Writes a model of the zoo with the answers of ONNX Runtime.") { name, target, seed, reference };
        command.SetAction((parsed, cancellation) =>
        {
            Record(parsed.GetRequiredValue(name), parsed.GetRequiredValue(target), parsed.GetValue(seed), parsed.GetValue(reference), cancellation);
            return Task.FromResult(0);
        });
        return command;
    }

    private static void Record(string name, string folder, int seed, bool byReference, CancellationToken cancellation)
    {
        var data = Directory.CreateDirectory(Path.Combine(folder, "test_data_set_0")).FullName;
        var path = Path.Combine(folder, "model.onnx");
        var entry = ModelZoo.Find(name);
        entry.Write(path, new ZooOptions { Seed = seed });
        var graph = OnnxFile.Read(path);
        var inputs = entry.Inputs(seed);
        var outputs = byReference ? ReferenceEvaluator.Run(graph, inputs, Limits.Default, cancellation) : ByOrt(path, graph, inputs);
        for (var i = 0; i < graph.Inputs.Count; i++) TensorFile.Write(Path.Combine(data, $"input_{i}.pb"), inputs[graph.Inputs[i].Name]);
        for (var i = 0; i < outputs.Count; i++) TensorFile.Write(Path.Combine(data, $"output_{i}.pb"), outputs[i]);
    }

    private static IReadOnlyList<RuntimeValue> ByOrt(string path, Graph graph, IReadOnlyDictionary<string, RuntimeValue> inputs)
    {
        using var session = new OrtSession(path, Environment.ProcessorCount);
        var answers = session.Run(inputs.ToDictionary(i => i.Key, i => (Tensor)i.Value, StringComparer.Ordinal));
        return [.. graph.Outputs.Select(o => answers[o.Name])];
    }
}
