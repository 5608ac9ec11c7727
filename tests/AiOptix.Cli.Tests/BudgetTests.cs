using System.Text.Json;
using AiOptix.Optimization;

namespace AiOptix.Cli.Tests;

/// <summary><c>optix optimize</c> within a budget. Whether int8 is faster is the machine's to say; what is said of it must be consistent.</summary>
public sealed class BudgetTests : IDisposable
{
    private readonly Desk desk = new();

    public void Dispose() => desk.Dispose();

    [Fact]
    public void ABudgetIsSearchedProvenAndReported()
    {
        var (data, labels) = desk.Archive();
        string[] budget = ["--data", data, "--labels", labels, "--batch", "50", "--max-accuracy-drop", "0.5%", "--threads", "1"];
        var outcome = Desk.Run(["optimize", Desk.Digits, "-o", desk.File("out.onnx"), .. budget, "--json", desk.File("out.json"), "--report", desk.File("out.html"), "--recipe", desk.File("recipe.json")]);
        Assert.Equal(ExitCode.Done, outcome.Code);
        var report = JsonDocument.Parse(File.ReadAllText(desk.File("out.json"))).RootElement;
        var search = report.GetProperty("search");
        var isQuantised = search.GetProperty("chosen").ValueKind == JsonValueKind.Number;
        Assert.Equal(isQuantised, Model.Load(desk.File("out.onnx")).Graph.Nodes.Any(n => n.Operator.Name is "DequantizeLinear" or "DynamicQuantizeLinear"));
        Assert.Contains(search.GetProperty("summary").GetString()!, outcome.Output, StringComparison.Ordinal);
        Assert.Contains("static int8", outcome.Output, StringComparison.Ordinal);
        Assert.Equal(12, search.GetProperty("samples").GetProperty("held_back").GetInt32());
        if (isQuantised) Assert.True(search.GetProperty("proof").GetProperty("holds").GetBoolean());
        if (isQuantised) Assert.True(report.GetProperty("speed").GetProperty("ratio").GetDouble() > 0.5);
        Assert.Contains("out.onnx", File.ReadAllText(desk.File("out.html")), StringComparison.Ordinal);
        Assert.False(File.Exists(desk.File("out.onnx.search.json")));

        var recipe = Recipe.Parse(File.ReadAllText(desk.File("recipe.json")), "recipe");
        Assert.Equal(isQuantised, recipe.Plan is not null);
        Assert.Equal(ExitCode.Done, Desk.Run(["optimize", Desk.Digits, "-o", desk.File("again.onnx"), .. budget, "--replay", desk.File("recipe.json")]).Code);
    }

    [Fact]
    public void TheCommandOfTheDocumentRuns()
    {
        var (data, _) = desk.Archive();
        var root = Path.GetDirectoryName(Path.GetDirectoryName(Path.GetDirectoryName(Desk.Digits)!)!)!;
        var line = File.ReadLines(Path.Combine(root, "docs", "optimizer.md")).Single(l => l.StartsWith("optix optimize demo/digits/model.onnx", StringComparison.Ordinal));
        string[] arguments = [.. line.Split(' ').Skip(1).Select(w => w == "images.npz" ? data : w == "digits.int8.onnx" ? desk.File(w) : w.StartsWith("demo/", StringComparison.Ordinal) ? Path.Combine(root, w) : w)];
        var outcome = Desk.Run(arguments);
        Assert.Equal(ExitCode.Done, outcome.Code);
        Assert.True(File.Exists(desk.File("digits.int8.onnx")));
        Assert.Contains("6 held back", outcome.Output, StringComparison.Ordinal);
    }

    [Fact]
    public void AnErrorBudgetDrawsAsManySamplesAsItNeeds()
    {
        var outcome = Desk.Run("optimize", Desk.Digits, "-o", desk.File("out.onnx"), "--max-error", "5%", "--threads", "1", "--dim", "batch=2", "--json", desk.File("out.json"));
        Assert.Equal(ExitCode.Done, outcome.Code);
        Assert.True(JsonDocument.Parse(File.ReadAllText(desk.File("out.json"))).RootElement.GetProperty("search").GetProperty("samples").GetProperty("held_back").GetInt32() >= 59);
    }

    [Fact]
    public void TooLittleDataIsRefusedWithTheNumber()
    {
        var (data, labels) = desk.Archive(100);
        var outcome = Desk.Run("optimize", Desk.Digits, "-o", desk.File("out.onnx"), "--data", data, "--labels", labels, "--max-accuracy-drop", "0.5%", "--threads", "1");
        Assert.Equal(ExitCode.BadInput, outcome.Code);
        Assert.Contains("598 held-back", outcome.Error, StringComparison.Ordinal);
        Assert.False(File.Exists(desk.File("out.onnx")));
        Assert.Equal(ExitCode.Done, Desk.Run("optimize", Desk.Digits, "-o", desk.File("out.onnx"), "--data", data, "--labels", labels, "--max-accuracy-drop", "0.5%", "--threads", "1", "--allow-little-data").Code);
    }

    [SkippableFact]
    public void AProgramScoresTheAnswers()
    {
        Skip.If(OperatingSystem.IsWindows(), "the program is written for a Unix shell");
        var (data, labels) = desk.Archive(100);
        string[] arguments = ["optimize", Desk.Digits, "-o", desk.File("out.onnx"), "--data", data, "--labels", labels, "--max-accuracy-drop", "5%", "--threads", "1", "--json", desk.File("out.json"), "--metric"];
        var outcome = Desk.Run([.. arguments, "command:while read d; do test -s $d/logits.npy && test -s $d/label.npy && echo 0.5; done"]);
        Assert.Equal(ExitCode.Done, outcome.Code);
        Assert.StartsWith("command:", JsonDocument.Parse(File.ReadAllText(desk.File("out.json"))).RootElement.GetProperty("search").GetProperty("budget").GetProperty("metric").GetString(), StringComparison.Ordinal);
        foreach (var (command, text) in new[] { ("read d; echo good", "'good'"), ("read d; exit 3", "code 3") })
        {
            var failed = Desk.Run([.. arguments, "command:" + command]);
            Assert.Equal(ExitCode.BadInput, failed.Code);
            Assert.Contains(text, failed.Error, StringComparison.Ordinal);
        }
    }

    [Theory]
    [InlineData("labels", "holds 99 labels")]
    [InlineData("array", "no samples|expected")]
    [InlineData("recipe", "not a recipe")]
    public void WhatDoesNotFitIsSaid(string what, string text)
    {
        var (data, labels) = desk.Archive(100);
        List<string> arguments = ["optimize", Desk.Digits, "-o", desk.File("out.onnx"), "--threads", "1", "--max-accuracy-drop", "10%"];
        if (what == "labels") AiOptix.Data.NpyFile.Write(labels, Tensors.Tensor.Vector<byte>(new byte[99]));
        File.WriteAllText(desk.File("recipe.json"), "{}");
        var outcome = Desk.Run([.. arguments, "--data", what == "array" ? labels : data, "--labels", labels, .. what == "recipe" ? new[] { "--replay", desk.File("recipe.json") } : []]);
        Assert.Equal(ExitCode.BadInput, outcome.Code);
        Assert.Contains(text.Split('|'), t => outcome.Error.Contains(t, StringComparison.Ordinal));
    }
}
