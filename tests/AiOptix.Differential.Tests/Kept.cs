using AiOptix.Onnx;
using AiOptix.Tensors;

namespace AiOptix.Differential.Tests;

/// <summary>Graphs that once differed, as cases in the layout of the ONNX backend tests.</summary>
internal static class Kept
{
    /// <summary>Where they lie.</summary>
    public static string Folder => Path.Combine(AiOptix.Bench.Repository.Root, "tests", "AiOptix.Differential.Tests", "Kept");

    /// <summary>Writes a graph with its inputs and the answers of ONNX Runtime, or where it has none those of the reference evaluation.</summary>
    public static void Write(string folder, Generated g)
    {
        var data = Directory.CreateDirectory(Path.Combine(folder, "test_data_set_0")).FullName;
        File.WriteAllBytes(Path.Combine(folder, "model.onnx"), g.File);
        var inputs = OnnxFile.Read(g.File).Inputs.Select(i => g.Inputs[i.Name]).ToArray();
        for (var i = 0; i < inputs.Length; i++) TensorFile.Write(Path.Combine(data, $"input_{i}.pb"), inputs[i]);
        var answers = OrtPeer.Run(g, out _) is { } theirs && theirs.All(t => t is not null) ? [.. theirs.Select(t => (RuntimeValue)t!)] : Levels.Reference(g);
        for (var i = 0; i < answers.Count; i++) TensorFile.Write(Path.Combine(data, $"output_{i}.pb"), answers[i]);
    }
}
