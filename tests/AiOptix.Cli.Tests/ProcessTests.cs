using System.Diagnostics;
using AiOptix.Tensors;

namespace AiOptix.Cli.Tests;

/// <summary>What only a process of its own can show: exit codes, redirected streams, signals, capped instruction sets.</summary>
public sealed class ProcessTests : IDisposable
{
    private readonly Desk desk = new();

    public void Dispose() => desk.Dispose();

    [Fact]
    public void TheProcessGivesItsExitCodesAndKeepsItsStreamsApart()
    {
        var version = Run("--version");
        Assert.Equal(ExitCode.Done, version.Code);
        Assert.Matches(@"^\d+\.\d+\.\d+", version.Output);
        var missing = Run("inspect", desk.File("missing.onnx"));
        Assert.Equal(ExitCode.BadInput, missing.Code);
        Assert.Empty(missing.Output);
        Assert.Contains("missing.onnx", missing.Error, StringComparison.Ordinal);
        Assert.Equal(ExitCode.Usage, Run("fly").Code);
        Assert.DoesNotContain('\u001b', Run("zoo").Output);
    }

    [SkippableTheory]
    [InlineData("none", IsaCap.None)]
    [InlineData("avx2", IsaCap.Avx2)]
    public void VerifyCapsInstructionSetsInAProcessOfItsOwn(string isa, IsaCap cap)
    {
        Skip.If(MachineReport.Create().StrongestCap <= cap, $"the machine has nothing above {isa}");
        var outcome = Run("verify", desk.Case("case"), "--isa", isa, "--scaled-atol", "1e-4");
        Assert.Equal("1 passed, 0 failed, 0 skipped", outcome.LastLine);
        Assert.Equal(ExitCode.Done, outcome.Code);
    }

    [SkippableFact]
    public void ACapThatDoesNotTakeIsAnError()
    {
        Skip.If(MachineReport.Create().StrongestCap == IsaCap.None, "the machine has nothing to cap");
        var outcome = Run(start => start.Environment["AIOPTIX_ISA_CAP"] = "None", "verify", desk.Case("case"), "--isa", "none");
        Assert.Equal(ExitCode.BadInput, outcome.Code);
        Assert.Contains("nothing was verified", outcome.Error, StringComparison.Ordinal);
    }

    [Fact]
    public void WithoutGeneratedCodeEverythingWorksAndDoctorSaysSo()
    {
        static void Forbid(ProcessStartInfo start) => start.Environment["AIOPTIX_JIT"] = "0";
        var doctor = Run(Forbid, "doctor", "--json").Json;
        Assert.False(doctor.GetProperty("generated_code").GetBoolean());
        Assert.Contains("no: ", Run(Forbid, "doctor").Output, StringComparison.Ordinal);
        var outcome = Run(Forbid, "verify", desk.Case("case"), "--scaled-atol", "1e-4");
        Assert.Equal("1 passed, 0 failed, 0 skipped", outcome.LastLine);
        Assert.Equal(ExitCode.Done, outcome.Code);
    }

    [SkippableFact]
    public void AnInterruptEndsARun()
    {
        Skip.IfNot(OperatingSystem.IsLinux(), "signals are sent with kill");
        using var process = Start(_ => { }, "bench", Desk.Digits, "--seconds", "600", "--threads", "1");
        Assert.Contains("dimensions", process.StandardError.ReadLine(), StringComparison.Ordinal);
        Assert.Contains("inputs", process.StandardError.ReadLine(), StringComparison.Ordinal);
        using (var kill = Process.Start("kill", ["-INT", $"{process.Id}"])) kill.WaitForExit();
        Assert.True(process.WaitForExit(TimeSpan.FromSeconds(60)));
        Assert.Equal(ExitCode.Cancelled, process.ExitCode);
        Assert.Contains("cancelled", process.StandardError.ReadToEnd(), StringComparison.Ordinal);
    }

    [SkippableFact]
    public void ASearchThatIsEndedKeepsWhatWasProven()
    {
        Skip.IfNot(OperatingSystem.IsLinux(), "signals are sent with kill");
        var (data, labels) = desk.Archive();
        // The bytes of the weights decide, not the machine's speed: the first form is proven for sure.
        using var process = Start(_ => { }, "optimize", Desk.Digits, "-o", desk.File("out.onnx"), "--data", data, "--labels", labels, "--batch", "50", "--max-accuracy-drop", "0.5%", "--objective", "size", "--threads", "1");
        while (process.StandardError.ReadLine() is { } line && !line.StartsWith("kept in", StringComparison.Ordinal)) { }
        using (var kill = Process.Start("kill", ["-KILL", $"{process.Id}"])) kill.WaitForExit();
        Assert.True(process.WaitForExit(TimeSpan.FromSeconds(60)));
        Assert.Contains(Model.Load(desk.File("out.onnx")).Graph.Nodes, n => n.Operator.Name == "DequantizeLinear");
    }

    [SkippableTheory]
    [InlineData("-INT")]
    [InlineData("-KILL")]
    public void ASearchThatIsEndedGoesOn(string signal)
    {
        Skip.IfNot(OperatingSystem.IsLinux(), "signals are sent with kill");
        var (data, labels) = desk.Archive();
        var state = desk.File("out.onnx.search.json");
        string[] arguments = ["optimize", Desk.Digits, "-o", desk.File("out.onnx"), "--data", data, "--labels", labels, "--max-accuracy-drop", "0.5%", "--threads", "1", "--json", desk.File("out.json")];
        using (var process = Start(_ => { }, arguments))
        {
            while (process.StandardError.ReadLine() is { } line && !line.StartsWith("timing static", StringComparison.Ordinal)) { }
            using (var kill = Process.Start("kill", [signal, $"{process.Id}"])) kill.WaitForExit();
            Assert.True(process.WaitForExit(TimeSpan.FromSeconds(60)));
            if (signal == "-INT") Assert.Equal(ExitCode.Cancelled, process.ExitCode);
        }
        Assert.True(File.Exists(state));
        Assert.Equal(ExitCode.Done, Run(arguments).Code);
        Assert.True(System.Text.Json.JsonDocument.Parse(File.ReadAllText(desk.File("out.json"))).RootElement.GetProperty("search").GetProperty("resumed").GetBoolean());
        Assert.False(File.Exists(state));
    }

    [Theory]
    [InlineData("zoo", "mobilenet-v2", "-o", "{}")]
    [InlineData("optimize", "{digits}", "-o", "{}")]
    public void AKilledWriteLeavesTheOldFileOrTheNewOne(params string[] arguments)
    {
        var target = desk.File("target.onnx");
        File.Copy(Desk.Digits, target);
        for (var kill = 0; kill < 3; kill++)
        {
            var before = Temporary();
            using var process = Start(_ => { }, [.. arguments.Select(a => a.Replace("{digits}", Desk.Digits, StringComparison.Ordinal).Replace("{}", target, StringComparison.Ordinal))]);
            while (!process.HasExited && Temporary().IsSubsetOf(before)) Thread.Sleep(1);
            Thread.Sleep(kill * 4);
            process.Kill();
            process.WaitForExit();
            Assert.NotEmpty(Model.Load(target).Graph.Nodes);
        }

        HashSet<string> Temporary() => [.. Directory.GetFileSystemEntries(Path.GetDirectoryName(target)!, "target.onnx.*.tmp")];
    }

    [SkippableFact]
    public void ACompileThatIsKilledLeavesNoFolder()
    {
        Skip.IfNot(OperatingSystem.IsLinux(), "a process is killed in the middle");
        var model = desk.File("model.onnx");
        Zoo.ModelZoo.Find("mobilenet-v2").Write(model);
        var target = desk.File("compiled");
        using var process = Start(_ => { }, "compile", model, "-o", target);
        while (!process.HasExited && !Directory.EnumerateDirectories(Path.GetDirectoryName(target)!, "compiled.*.tmp").Any()) Thread.Sleep(1);
        process.Kill();
        process.WaitForExit();
        Assert.True(!Directory.Exists(target) || Run("run", target, "--threads", "1").Code == ExitCode.Done);
    }

    private static Outcome Run(params string[] arguments) => Run(_ => { }, arguments);

    private static Outcome Run(Action<ProcessStartInfo> prepare, params string[] arguments)
    {
        using var process = Start(prepare, arguments);
        var error = process.StandardError.ReadToEndAsync();
        var output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return new(process.ExitCode, output, error.GetAwaiter().GetResult());
    }

    private static Process Start(Action<ProcessStartInfo> prepare, params string[] arguments)
    {
        var start = new ProcessStartInfo("dotnet", [Path.Combine(AppContext.BaseDirectory, "optix.dll"), .. arguments])
        {
            RedirectStandardOutput = true, RedirectStandardError = true, UseShellExecute = false,
        };
        prepare(start);
        return Process.Start(start)!;
    }
}
