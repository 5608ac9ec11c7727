using AiOptix.Graphs;
using AiOptix.Graphs.Ops;
using AiOptix.Onnx;
using AiOptix.Tensors;

namespace AiOptix.Tests;

/// <summary>A process that is killed while it writes a model and its data file leaves a whole pair, the old one or the new one, and nothing that stays for ever.</summary>
public sealed class InterruptedWriteTests : IDisposable
{
    private const int Kills = 8;
    private const int Elements = 1 << 19;

    private readonly DirectoryInfo folder = Directory.CreateTempSubdirectory("aioptix-");

    public void Dispose() => folder.Delete(recursive: true);

    [Fact]
    public void AKilledWriteLeavesAWholePair()
    {
        var path = Path.Combine(folder.FullName, "model.onnx");
        Write(path, 1);
        for (var kill = 0; kill < Kills; kill++)
        {
            using (var process = OwnProcess.Begin([], "write", path, 0))
            {
                Assert.Equal("writing", process.StandardOutput.ReadLine());
                Thread.Sleep(kill * 7);
                process.Kill();
                process.WaitForExit();
            }
            var constants = Model.Load(path).Graph.Constants.Select(c => c.Constant!).Where(t => t.Count == Elements).ToArray();
            Assert.Equal(3, constants.Length);
            Assert.Single(constants.SelectMany(t => t.Span<float>().ToArray()).Distinct());
        }
        Write(path, 2);
        Assert.Equal(2, folder.GetFiles().Length);
    }

    /// <summary>Writes one model and another in its place, on and on.</summary>
    internal static string[] WriteUntilKilled(string path)
    {
        Write(path, 3);
        Console.WriteLine("writing");
        for (var value = 4; ; value++) Write(path, value);
    }

    private static void Write(string path, float value)
    {
        var g = new Graph("pair");
        var sum = g.AddInput("x", new TensorType(DType.Float32, new SymbolicShape(Elements)));
        for (var i = 0; i < 3; i++)
        {
            var t = Tensor.Allocate(DType.Float32, new Shape(Elements));
            t.Span<float>().Fill(value);
            sum = g.Add(new Add(), sum, g.AddConstant(t, $"w{i}"));
        }
        g.AddOutput(sum);
        OnnxFile.Write(g, path, new OnnxWriteOptions { ExternalDataThreshold = 0 });
    }
}
