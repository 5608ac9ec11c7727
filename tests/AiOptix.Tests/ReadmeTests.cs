using System.Runtime.CompilerServices;
using AiOptix.Tensors;

namespace AiOptix.Tests;

public class ReadmeTests
{
    /// <summary>The quick start, run as it stands in the README (but for the model's path).</summary>
    [Fact]
    public void TheQuickStartRuns()
    {
        var pixels = Enumerable.Range(0, 64).Select(i => i % 17 / 16f).ToArray();
        var previous = Environment.CurrentDirectory;
        Environment.CurrentDirectory = Path.GetDirectoryName(Repository.Digits)!;
        try
        {
            // README
            var model = Model.Load("model.onnx");                     // weights are mapped, not copied
            using var session = model.Compile(new CompileOptions { Threads = 2 });

            using var x = Tensor.From<float>(pixels, new Shape(1, 1, 8, 8));
            var outputs = session.Run([x]);                           // in the order of model.Outputs
            var logits = ((Tensor)outputs[0]).Span<float>();

            using var y = Tensor.Allocate(DType.Float32, new Shape(1, 10));
            session.Run([x], [y]);                                    // into your own memory: a steady run allocates nothing
            // README
            Assert.Equal(10, logits.Length);
            Assert.Equal(logits.ToArray(), y.Span<float>().ToArray());

            var into = new float[10];
            session.Run(new System.Numerics.Tensors.ReadOnlyTensorSpan<float>(pixels, [1, 1, 8, 8]), new System.Numerics.Tensors.TensorSpan<float>(into, [1, 10]));
            Assert.Equal(logits.ToArray(), into);
            Assert.Throws<InvalidInputException>(() => session.Run(pixels, new Shape(1, 1, 8, 9), into, new Shape(1, 10)));
            GC.KeepAlive(outputs);
        }
        finally
        {
            Environment.CurrentDirectory = previous;
        }
    }

    [Fact]
    public void TheQuickStartStandsInTheReadme()
    {
        var lines = File.ReadAllLines(Source());
        var from = Array.FindIndex(lines, l => l.Trim() == "// README");
        var to = Array.FindLastIndex(lines, l => l.Trim() == "// README");
        var indent = lines[from].Length - lines[from].TrimStart().Length;
        var code = string.Join('\n', lines[(from + 1)..to].Select(l => l.Length > indent ? l[indent..] : ""));
        Assert.Contains("```csharp\n" + code + "\n```", File.ReadAllText(Path.Combine(Repository.Root, "README.md")), StringComparison.Ordinal);
    }

    private static string Source([CallerFilePath] string path = "") =>
        File.Exists(path) ? path : Path.Combine(Repository.Root, "tests", "AiOptix.Tests", "ReadmeTests.cs");
}
