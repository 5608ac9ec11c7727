using System.Runtime.CompilerServices;
using AiOptix.Data;
using AiOptix.Optimization;
using AiOptix.Reporting;
using AiOptix.Tensors;

namespace AiOptix.Tests;

/// <summary>The code in docs/optimizer.md, run as it stands there.</summary>
public class OptimizerDocumentTests
{
    [Fact]
    public void TheExampleRunsAndStandsInTheDocument()
    {
        var folder = Path.GetDirectoryName(Repository.Digits)!;
        using var images = NpyFile.Read(Path.Combine(folder, "images.npy"));
        var pixels = images.Bytes.ToArray();
        var model = Model.Load(Repository.Digits);
        Tensor[][] samples = [.. Enumerable.Range(0, 16).Select(b => new[] { Tensor.From<float>(pixels.AsSpan(b * 50 * 64, 50 * 64).ToArray().Select(p => p / 16f).ToArray(), new Shape(50, 1, 8, 8)) })];
        var labels = SampleFile.Labels(Path.Combine(folder, "labels.npy"), samples);
        var previous = Environment.CurrentDirectory;
        Environment.CurrentDirectory = Directory.CreateTempSubdirectory("aioptix-").FullName;
        try
        {
            // DOCUMENT
            var (fast, result) = model.Optimize(samples, new OptimizerOptions
            {
                Budget = new ErrorBudget { MaxAccuracyDrop = 0.005 },
                Labels = labels,
            });
            Console.WriteLine(result.Search!.Summary);
            fast.Save("fast.onnx");
            File.WriteAllText("report.html", result.ToHtml(new OptimizationSubject("digits", "a test"), MachineReport.Create()));
            // DOCUMENT
            Assert.Equal(result.Search.Chosen is not null, Model.Load("fast.onnx").Graph.Nodes.Any(n => n.Operator.Name is "DequantizeLinear" or "DynamicQuantizeLinear"));
            Assert.Contains(result.Search.Summary, File.ReadAllText("report.html"), StringComparison.Ordinal);
        }
        finally
        {
            Environment.CurrentDirectory = previous;
        }
        var lines = File.ReadAllLines(Source());
        var from = Array.FindIndex(lines, l => l.Trim() == "// DOCUMENT");
        var to = Array.FindLastIndex(lines, l => l.Trim() == "// DOCUMENT");
        var code = string.Join('\n', lines[(from + 1)..to].Select(l => l.Length > 12 ? l[12..] : ""));
        Assert.Contains("```csharp\n" + code + "\n```", File.ReadAllText(Path.Combine(Repository.Root, "docs", "optimizer.md")), StringComparison.Ordinal);
    }

    private static string Source([CallerFilePath] string path = "") => File.Exists(path) ? path : Path.Combine(Repository.Root, "tests", "AiOptix.Tests", "OptimizerDocumentTests.cs");
}
