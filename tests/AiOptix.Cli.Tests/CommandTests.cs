using System.Text.Json;
using AiOptix.Data;
using AiOptix.Tensors;

namespace AiOptix.Cli.Tests;

public sealed class CommandTests : IDisposable
{
    private readonly Desk desk = new();

    public void Dispose() => desk.Dispose();

    [Fact]
    public void InspectDescribesAModel()
    {
        var outcome = Desk.Run("inspect", Desk.Digits, "--dim", "batch=1");
        Assert.Equal(ExitCode.Done, outcome.Code);
        foreach (var part in new[] { "ai.onnx 13", "float32[batch,1,8,8]", "float32[batch,10]", "BatchNormalization", "Without a kernel  none", "flop a run" })
            Assert.Contains(part, outcome.Output, StringComparison.Ordinal);
        Assert.Empty(outcome.Error);
        Assert.DoesNotContain('\u001b', outcome.Output);
        Assert.All(outcome.Output.Split('\n'), l => Assert.Equal(l.TrimEnd(), l.TrimEnd('\r')));
    }

    [Fact]
    public void InspectFitsEightyColumns() =>
        Assert.All(Desk.Run(80, ["inspect", Desk.Digits]).Output.Split('\n'), l => Assert.InRange(l.TrimEnd('\r').Length, 0, 80));

    [Fact]
    public void InspectPrintsJsonOnly()
    {
        var json = Desk.Run("inspect", Desk.Digits, "--dim", "batch=2", "--json").Json;
        Assert.Equal("image", json.GetProperty("inputs")[0].GetProperty("name").GetString());
        Assert.Equal("batch", json.GetProperty("inputs")[0].GetProperty("shape")[0].GetString());
        Assert.Equal(10, json.GetProperty("outputs")[0].GetProperty("shape")[1].GetInt64());
        Assert.Equal(3, json.GetProperty("operators").GetProperty("Conv").GetInt32());
        Assert.Equal(0, json.GetProperty("unsupported").GetArrayLength());
        Assert.True(json.GetProperty("flops").GetInt64() > 0);
        Assert.True(json.GetProperty("intermediate_bytes").GetInt64() > 0);
    }

    [Fact]
    public void ProfileTellsWhereTheTimeGoes()
    {
        var (trace, page) = (desk.File("trace.json"), desk.File("page.html"));
        var outcome = Desk.Run("profile", Desk.Digits, "--dim", "batch=2", "--threads", "1", "--runs", "3", "--json", "--trace", trace, "--html", page);
        Assert.Equal(ExitCode.Done, outcome.Code);
        var json = outcome.Json;
        var steps = json.GetProperty("steps").EnumerateArray().ToArray();
        Assert.Equal(1, steps.Sum(s => s.GetProperty("share").GetDouble()), 6);
        var convolutions = steps.Where(s => s.GetProperty("operation").GetString()!.StartsWith("Conv", StringComparison.Ordinal)).ToArray();
        Assert.Equal(3, convolutions.Length);
        Assert.All(convolutions, s => Assert.True(s.GetProperty("flops").GetDouble() > 0 && s.GetProperty("bytes").GetDouble() > 0 && s.GetProperty("origins").GetArrayLength() > 0));
        Assert.Equal(json.GetProperty("steps").GetArrayLength(), Trace(trace).Count(e => e.GetProperty("ph").GetString() == "X"));
        Assert.Contains("</html>", File.ReadAllText(page), StringComparison.Ordinal);
        Assert.Equal(ExitCode.Usage, Desk.Run("profile", Desk.Digits, "--runs", "0").Code);
    }

    private static JsonElement[] Trace(string file)
    {
        using var json = JsonDocument.Parse(File.ReadAllText(file));
        return [.. json.RootElement.GetProperty("traceEvents").EnumerateArray().Select(e => e.Clone())];
    }

    [Fact]
    public void RunWritesWhatTheModelAnswers()
    {
        const int count = 100;
        var outcome = Desk.Run("run", Desk.Digits, "--input", "image=" + desk.Images(count), "--output-dir", desk.File("out"));
        Assert.Equal(ExitCode.Done, outcome.Code);
        Assert.DoesNotContain("drawn", outcome.Error, StringComparison.Ordinal);
        using var logits = NpyFile.Read(Path.Combine(desk.File("out"), "logits.npy"));
        using var labels = NpyFile.Read(Path.Combine(Path.GetDirectoryName(Desk.Digits)!, "labels.npy"));
        Assert.Equal(new Shape(count, 10), logits.Shape);
        var answers = logits.Span<float>().ToArray().Chunk(10).Select(r => Array.IndexOf(r, r.Max()));
        var right = answers.Zip(labels.Span<byte>().ToArray()).Count(p => p.First == p.Second);
        Assert.InRange(right, 95, count);
    }

    [Fact]
    public void ACompiledModelRunsLikeItsFile()
    {
        var folder = desk.Case("case");
        var compiled = desk.File("compiled");
        var outcome = Desk.Run("compile", Path.Combine(folder, "model.onnx"), "-o", compiled);
        Assert.Equal(ExitCode.Done, outcome.Code);
        Assert.Contains(compiled, outcome.Output, StringComparison.Ordinal);
        string[] behind = ["--dim", "batch=2", "--threads", "1"];
        Assert.Equal(Desk.Run(["run", Path.Combine(folder, "model.onnx"), .. behind]).Output, Desk.Run(["run", compiled, .. behind]).Output);
        Assert.Equal(ExitCode.Done, Desk.Run("bench", compiled, "--seconds", "0", "--threads", "1").Code);
        Assert.Equal("1 passed, 0 failed, 0 skipped", Desk.Run("verify", compiled, "--level", "plan", "--scaled-atol", "1e-4").LastLine);
        File.WriteAllBytes(Path.Combine(compiled, "program.optix"), File.ReadAllBytes(Path.Combine(compiled, "program.optix"))[..9000]);
        var again = Desk.Run(["run", compiled, .. behind]);
        Assert.Equal(ExitCode.Done, again.Code);
        Assert.Contains("compiled anew", again.Error, StringComparison.Ordinal);
        Directory.Delete(folder, recursive: true);
        Assert.Equal(ExitCode.BadInput, Desk.Run(["run", compiled, .. behind]).Code);
    }

    [Fact]
    public void AFileOfSamplesIsBenchedAndADamagedOneRefused()
    {
        var (data, labels) = desk.Archive(20);
        var outcome = Desk.Run("bench", Desk.Digits, "--data", data, "--seconds", "0", "--threads", "1");
        Assert.Equal(ExitCode.Done, outcome.Code);
        Assert.Contains("20 samples", outcome.Output, StringComparison.Ordinal);
        Assert.Equal(ExitCode.BadInput, Desk.Run("bench", Desk.Digits, "--data", labels, "--seconds", "0").Code);
        File.WriteAllBytes(data, File.ReadAllBytes(data)[..500]);
        var damaged = Desk.Run("bench", Desk.Digits, "--data", data, "--seconds", "0");
        Assert.Equal(ExitCode.BadInput, damaged.Code);
        Assert.Contains(data, damaged.Error, StringComparison.Ordinal);
    }

    [Fact]
    public void WhatIsDrawnFollowsTheSeedAndIsNamed()
    {
        string[] Arguments(int seed) => ["run", Desk.Digits, "--seed", $"{seed}", "--dim", "batch=3", "--threads", "1"];
        var first = Desk.Run(Arguments(1));
        Assert.Contains("inputs drawn from seed 1: image", first.Error, StringComparison.Ordinal);
        Assert.Equal(first.Output, Desk.Run(Arguments(1)).Output);
        Assert.NotEqual(first.Output, Desk.Run(Arguments(2)).Output);
        Assert.Contains("dimensions taken as 1: batch", Desk.Run("run", Desk.Digits).Error, StringComparison.Ordinal);
    }

    [Fact]
    public void VerifyCountsAndNamesWhatFails()
    {
        var good = desk.Case("cases/good");
        var passing = Desk.Run("verify", good, "--level", "all", "--scaled-atol", "1e-4");
        Assert.Equal("3 passed, 0 failed, 0 skipped", passing.LastLine);
        Assert.Equal(ExitCode.Done, passing.Code);

        desk.Case("cases/wrong", wrongBy: 0.5f);
        var failing = Desk.Run("verify", desk.File("cases"), "--scaled-atol", "1e-4");
        Assert.Equal("1 passed, 1 failed, 0 skipped", failing.LastLine);
        Assert.Contains("FAILED wrong (plan): test_data_set_0, output 'logits': 1 of 10 elements differ", failing.Output, StringComparison.Ordinal);
        Assert.Equal(ExitCode.BadInput, failing.Code);
        Assert.Equal(ExitCode.Done, Desk.Run("verify", desk.File("cases"), "--atol", "0.6").Code);
    }

    [Fact]
    public void VerifyingNothingIsNotASuccess()
    {
        Directory.CreateDirectory(desk.File("empty"));
        var outcome = Desk.Run("verify", desk.File("empty"));
        Assert.Equal("0 passed, 0 failed, 0 skipped", outcome.LastLine);
        Assert.Equal(ExitCode.BadInput, outcome.Code);
    }

    [Fact]
    public void OptimizeWritesAModelAndItsReport()
    {
        var outcome = Desk.Run("optimize", Desk.Digits, "-o", desk.File("out.onnx"), "--json", desk.File("out.json"), "--threads", "1");
        Assert.Equal(ExitCode.Done, outcome.Code);
        Assert.Contains("BatchNormFolding", outcome.Output, StringComparison.Ordinal);
        Assert.DoesNotContain(Model.Load(desk.File("out.onnx")).Graph.Nodes, n => n.Operator.Name == "BatchNormalization");
        var report = System.Text.Json.JsonDocument.Parse(File.ReadAllText(desk.File("out.json"))).RootElement;
        Assert.True(report.GetProperty("proof").GetProperty("holds").GetBoolean());
        Assert.Equal(3, report.GetProperty("patches").GetArrayLength());
        Assert.Equal(["out.json", "out.onnx"], Directory.GetFileSystemEntries(desk.File("")).Select(Path.GetFileName).Order(StringComparer.Ordinal));
    }

    [Fact]
    public void OptimizeStopsAfterAPatch()
    {
        Assert.Equal(ExitCode.Done, Desk.Run("optimize", Desk.Digits, "-o", desk.File("one.onnx"), "--stop-after-patch", "1", "--threads", "1").Code);
        Assert.Equal(2, Model.Load(desk.File("one.onnx")).Graph.Nodes.Count(n => n.Operator.Name == "BatchNormalization"));
    }

    [Fact]
    public void AFailedProofWritesNothing()
    {
        var outcome = Desk.Run("optimize", Desk.Digits, "-o", desk.File("out.onnx"), "--rtol", "0", "--atol", "0", "--scaled-atol", "0", "--threads", "1");
        Assert.Equal(ExitCode.ProofFailed, outcome.Code);
        Assert.Contains("nothing was written: output 'logits', sample 0", outcome.Error, StringComparison.Ordinal);
        Assert.Empty(Directory.GetFileSystemEntries(desk.File("")));
    }

    [Fact]
    public void BenchMeasuresSamplesOfAFolder()
    {
        desk.Images(4);
        var json = Desk.Run("bench", Desk.Digits, "--data", desk.File(""), "--seconds", "0", "--threads", "1", "--json").Json;
        Assert.Equal("float32[4,1,8,8]", json.GetProperty("inputs")[0].GetString());
        Assert.InRange(json.GetProperty("median_seconds").GetDouble(), json.GetProperty("p10_seconds").GetDouble(), json.GetProperty("p99_seconds").GetDouble());
        var recorded = Desk.Run("bench", Desk.Digits, "--data", desk.Case("case"), "--seconds", "0", "--json").Json;
        Assert.Equal("float32[1,1,8,8]", recorded.GetProperty("inputs")[0].GetString());
    }

    [SkippableFact]
    public void GeneratedKernelsAreWrittenWithTheirDisassembly()
    {
        Skip.If(MachineReport.Create().GeneratedCodeObstacle is not null, $"no generated code: {MachineReport.Create().GeneratedCodeObstacle}");
        var folder = desk.File("kernels");
        Desk.Run("run", Desk.Digits, "--threads", "1", "--dump-kernels", folder);
        var names = Directory.GetFiles(folder, "*.bin").Select(f => Path.GetFileNameWithoutExtension(f)).ToArray();
        Assert.Contains(names, n => n.StartsWith("tile_f32_", StringComparison.Ordinal) && n.EndsWith("_jit", StringComparison.Ordinal));
        Assert.All(names, n => Assert.Contains(n.Contains("f32", StringComparison.Ordinal) ? "vfmadd231ps" : n.Contains("vnni", StringComparison.Ordinal) ? "vpdpbusd" : "vpmaddwd", File.ReadAllText(Path.Combine(folder, n + ".asm")), StringComparison.Ordinal));
    }

    [Fact]
    public void ZooListsItsModels()
    {
        var outcome = Desk.Run("zoo");
        Assert.All(Zoo.ModelZoo.Entries, e => Assert.Contains(e.Name, outcome.Output, StringComparison.Ordinal));
    }

    [Fact]
    public void DoctorDescribesTheMachine()
    {
        var json = Desk.Run("doctor", "--json").Json;
        Assert.InRange(json.GetProperty("default_threads").GetInt32(), 1, json.GetProperty("logical_cores").GetInt32());
        Assert.True(json.GetProperty("float32_gflops").GetDouble() > 0);
        Assert.Contains("Instruction sets", Desk.Run("doctor").Output, StringComparison.Ordinal);
    }
}
