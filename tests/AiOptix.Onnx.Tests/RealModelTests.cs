using AiOptix.Graphs;

namespace AiOptix.Onnx.Tests;

public class RealModelTests
{
    [SkippableFact]
    public void Every_real_model_reads()
    {
        var errors = new List<string>();
        foreach (var file in Directory.EnumerateFiles(SharedData.Folder("models"), "*.onnx", SearchOption.AllDirectories).Order())
            try
            {
                var graph = OnnxFile.Read(file);
                Verifier.Verify(graph);
            }
            catch (Exception e)
            {
                errors.Add($"{Path.GetFileName(Path.GetDirectoryName(file))}: {e.GetType().Name} {e.Message}{(e is AiOptix.Tensors.AiOptixException ? "" : e.StackTrace)}");
            }
        Assert.True(errors.Count == 0, string.Join("\n", errors));
    }

    [SkippableFact]
    public void Every_conformance_case_reads()
    {
        var errors = new List<string>();
        foreach (var file in Directory.EnumerateFiles(SharedData.Folder("onnx-backend"), "*.onnx", SearchOption.AllDirectories).Order())
            try
            {
                var graph = OnnxFile.Read(file);
                Verifier.Verify(graph);
            }
            catch (Exception e)
            {
                errors.Add($"{Path.GetFileName(Path.GetDirectoryName(file))}: {e.GetType().Name} {e.Message}{(e is AiOptix.Tensors.AiOptixException ? "" : e.StackTrace)}");
            }
        Assert.True(errors.Count == 0, string.Join("\n", errors));
    }
}
