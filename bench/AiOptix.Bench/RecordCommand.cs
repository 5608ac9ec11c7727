using System.CommandLine;
using AiOptix.Graphs;
using AiOptix.Onnx;
using AiOptix.Tensors;
using AiOptix.Zoo;

namespace AiOptix.Bench;

/// <summary>Writes a model of the zoo as a case for <c>optix verify</c>: the file, inputs from a seed, and the reference evaluation's answers. Slow; meant for <c>sweep.sh</c>.</summary>
internal static class RecordCommand
{
    internal static Command Create()
    {
        var name = new Argument<string>("NAME") { Description = "A model of the zoo." };
        var target = new Argument<string>("FOLDER") { Description = "Where model.onnx and test_data_set_0 go." };
        var seed = new Option<int>("--seed") { Description = "Seeds weights and inputs." };
        var command = new Command("record", "Writes a model of the zoo with the reference evaluation's answers.") { name, target, seed };
        command.SetAction((parsed, cancellation) =>
        {
            Record(parsed.GetRequiredValue(name), parsed.GetRequiredValue(target), parsed.GetValue(seed), cancellation);
            return Task.FromResult(0);
        });
        return command;
    }

    private static void Record(string name, string folder, int seed, CancellationToken cancellation)
    {
        var data = Directory.CreateDirectory(Path.Combine(folder, "test_data_set_0")).FullName;
        var path = Path.Combine(folder, "model.onnx");
        var entry = ModelZoo.Find(name);
        entry.Write(path, new ZooOptions { Seed = seed });
        var graph = OnnxFile.Read(path);
        var inputs = entry.Inputs(seed);
        var outputs = ReferenceEvaluator.Run(graph, inputs, Limits.Default, cancellation);
        for (var i = 0; i < graph.Inputs.Count; i++) TensorFile.Write(Path.Combine(data, $"input_{i}.pb"), inputs[graph.Inputs[i].Name]);
        for (var i = 0; i < outputs.Count; i++) TensorFile.Write(Path.Combine(data, $"output_{i}.pb"), outputs[i]);
    }
}
