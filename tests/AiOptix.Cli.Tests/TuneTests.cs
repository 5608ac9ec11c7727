using AiOptix.Tuning;

namespace AiOptix.Cli.Tests;

public sealed class TuneTests : IDisposable
{
    private readonly Desk desk = new();

    public void Dispose() => desk.Dispose();

    [Fact]
    public void BenchTimesEveryKernelOfAShape()
    {
        var outcome = Desk.Run("bench", "--kernels", "gemm:M=3,N=40,K=30", "--kernel-seconds", "0");
        Assert.Contains(outcome.Code, new[] { ExitCode.Done, ExitCode.PickLags });
        Assert.Equal(outcome.Code == ExitCode.PickLags, outcome.Error.Contains("faster than the pick", StringComparison.Ordinal));
        foreach (var part in new[] { "gemm:M=3,N=40,K=30", "pick", "Gflop/s", "gemm_f32_4x8_v128", "_inplace" }) Assert.Contains(part, outcome.Output, StringComparison.Ordinal);
        var json = Desk.Run("bench", "--kernels", Desk.Digits, "--kernel-seconds", "0", "--json").Json;
        Assert.Equal(KernelBench.ProblemsOf(Model.Load(Desk.Digits)), json.EnumerateArray().Select(p => p.GetProperty("problem").GetString()));
        Assert.All(json.EnumerateArray(), p => Assert.Contains(p.GetProperty("pick").GetString(), p.GetProperty("kernels").EnumerateArray().Select(k => k.GetProperty("name").GetString())));
    }

    [Fact]
    public void ALaggingPickIsSaidInTheExitCode()
    {
        var (pick, far, near) = (Of("a", 1, 0), Of("b", 1.11, 1.02), Of("c", 1.09, 1.02));
        Assert.True(new KernelComparison("p", 1, false, "a", [pick, far]).IsLagging);
        Assert.False(new KernelComparison("p", 1, false, "a", [pick, near]).IsLagging);
        Assert.False(new KernelComparison("p", 1, false, "a", [pick, Of("b", 2, 0.99)]).IsLagging);
        Assert.Equal(3, ExitCode.PickLags);

        static KernelTime Of(string name, double ratio, double low) => new(name, 1, 1, new(ratio, 1, ratio, low, 3, 9));
    }

    [Fact]
    public void ShapesMayStandInAFile()
    {
        File.WriteAllText(desk.File("shapes.txt"), "# two\ngemm:M=1,N=8,K=8\n\nconv:1x4x5x5,4x4x3x3,pad=1\n");
        var json = Desk.Run("bench", "--kernels", desk.File("shapes.txt"), "--kernel-seconds", "0", "--json").Json;
        Assert.Equal(["gemm:M=1,N=8,K=8", "conv:1x4x5x5,4x4x3x3,pad=1,stride=1,group=1"], json.EnumerateArray().Select(p => p.GetProperty("problem").GetString()));
    }

    [Theory]
    [InlineData("bench")]
    [InlineData("bench", "--kernels", "gemm:M=0,N=1,K=1")]
    [InlineData("bench", "--kernels", "nothing.onnx")]
    [InlineData("bench", "--kernels", "gemm:M=1,N=1,K=1", "--kernel-seconds", "-1")]
    [InlineData("tune")]
    public void WhatIsNoShapeIsAUsageError(params string[] arguments) => Assert.Equal(ExitCode.Usage, Desk.Run(arguments).Code);

    [Fact]
    public void TunedKernelsAreKeptAndRun()
    {
        var kept = desk.File("kernels.json");
        var outcome = Desk.Run("tune", Desk.Digits, "--tuning", kept, "--kernel-seconds", "0");
        Assert.Equal(ExitCode.Done, outcome.Code);
        Assert.Contains($"in {kept}", outcome.LastLine, StringComparison.Ordinal);
        Assert.NotEmpty(KernelTuning.Load(kept).Winners);
        Assert.Contains("0 problems timed", Desk.Run("tune", Desk.Digits, "--tuning", kept).LastLine, StringComparison.Ordinal);
        var run = Desk.Run("run", Desk.Digits, "--dim", "batch=1", "--threads", "1", "--tuning", kept);
        Assert.Equal(ExitCode.Done, run.Code);
        Assert.DoesNotContain("left out", run.Error, StringComparison.Ordinal);
        File.WriteAllText(kept, "{");
        var damaged = Desk.Run("run", Desk.Digits, "--dim", "batch=1", "--threads", "1", "--tuning", kept);
        Assert.Equal(ExitCode.Done, damaged.Code);
        Assert.Contains("is not used", damaged.Error, StringComparison.Ordinal);
    }

    [Fact]
    public void OptimizeTunesToo()
    {
        var kept = desk.File("kernels.json");
        var outcome = Desk.Run("optimize", Desk.Digits, "-o", desk.File("fast.onnx"), "--dim", "batch=1", "--threads", "1", "--tune", "--tuning", kept, "--kernel-seconds", "0");
        Assert.Equal(ExitCode.Done, outcome.Code);
        Assert.NotEmpty(KernelTuning.Load(kept).Winners);
    }
}
