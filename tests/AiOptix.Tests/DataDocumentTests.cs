using System.Runtime.CompilerServices;
using AiOptix.Data;

namespace AiOptix.Tests;

public class DataDocumentTests
{
    /// <summary>The .NET example of docs/data.md, run as it stands there.</summary>
    [Fact]
    public void TheExampleRuns()
    {
        var previous = Environment.CurrentDirectory;
        Environment.CurrentDirectory = Path.GetDirectoryName(Repository.Digits)!;
        try
        {
            using var session = Model.Load("model.onnx").Compile(new CompileOptions { Threads = 1 });
            // DOCUMENT
            using var data = Datasets.Zip(Datasets.Npy(["images.npy"], "image"), Datasets.Npy(["labels.npy"], "label"));
            using var loader = new DataLoader(data, new()
            {
                BatchSize = 100,
                Shuffle = true,
                Seed = 7,
                Transforms = [new Normalize([0], [1]) { Scale = 1 / 16f }, new Reshape(1, 8, 8)],
            });
            foreach (var batch in loader)
                using (batch) session.Run(batch.Inputs("image"));
            string state = loader.SaveState();
            // DOCUMENT
            Assert.Contains("\"epoch\":1", state, StringComparison.Ordinal);
            Assert.Equal(0, loader.ErrorCount);
        }
        finally
        {
            Environment.CurrentDirectory = previous;
        }
    }

    [Fact]
    public void TheExampleStandsInTheDocument()
    {
        var lines = File.ReadAllLines(Source());
        var from = Array.FindIndex(lines, l => l.Trim() == "// DOCUMENT");
        var to = Array.FindLastIndex(lines, l => l.Trim() == "// DOCUMENT");
        var indent = lines[from].Length - lines[from].TrimStart().Length;
        var code = string.Join('\n', lines[(from + 1)..to].Select(l => l.Length > indent ? l[indent..] : ""));
        Assert.Contains("```csharp\nusing AiOptix.Data;\n\n" + code + "\n```", File.ReadAllText(Path.Combine(Repository.Root, "docs", "data.md")), StringComparison.Ordinal);
    }

    private static string Source([CallerFilePath] string path = "") =>
        File.Exists(path) ? path : Path.Combine(Repository.Root, "tests", "AiOptix.Tests", "DataDocumentTests.cs");
}
