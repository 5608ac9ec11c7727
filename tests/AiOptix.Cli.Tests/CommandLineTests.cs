namespace AiOptix.Cli.Tests;

public sealed class CommandLineTests : IDisposable
{
    private readonly Desk desk = new();

    public void Dispose() => desk.Dispose();

    /// <summary>The forms are a contract: adding is allowed, changing or removing is not.</summary>
    [Theory]
    [InlineData("inspect", "<MODEL>", "--dim", "--json")]
    [InlineData("run", "<MODEL>", "--input", "--dim", "--seed", "--output-dir", "--threads")]
    [InlineData("verify", "<PATH>...", "--level", "--threads", "--isa", "--rtol", "--atol", "--scaled-atol")]
    [InlineData("optimize", "<MODEL>", "-o, --output", "--json", "--stop-after-patch", "--threads", "--dim", "--data", "--seed", "--dialect", "--max-accuracy-drop", "--max-error", "--metric", "--labels", "--objective", "--time", "--report", "--recipe", "--replay", "--allow-little-data", "--batch")]
    [InlineData("bench", "<MODEL>", "--threads", "--dim", "--data", "--seconds", "--json")]
    [InlineData("zoo", "[<NAME>]", "-o, --output", "--seed")]
    [InlineData("doctor", "--json")]
    public void FormsStay(string command, params string[] forms)
    {
        Assert.Contains($"\n  {command}", Desk.Run("--help").Output, StringComparison.Ordinal);
        var help = Desk.Run(command, "--help");
        Assert.Equal(ExitCode.Done, help.Code);
        Assert.All(forms, f => Assert.Contains(f, help.Output, StringComparison.Ordinal));
    }

    [Theory]
    [InlineData]
    [InlineData("fly")]
    [InlineData("inspect")]
    [InlineData("inspect", "a.onnx", "b.onnx")]
    [InlineData("inspect", "a.onnx", "--dim", "batch")]
    [InlineData("inspect", "a.onnx", "--dim", "batch=two")]
    [InlineData("inspect", "a.onnx", "--dim", "b=1", "--dim", "b=2")]
    [InlineData("run", "a.onnx", "--input", "x")]
    [InlineData("run", "a.onnx", "--threads", "-1")]
    [InlineData("verify", "x", "--isa", "sse")]
    [InlineData("verify", "x", "--level", "some")]
    [InlineData("verify", "x", "--rtol", "-1")]
    [InlineData("optimize", "a.onnx")]
    [InlineData("optimize", "a.onnx", "-o", "b.onnx", "--stop-after-patch", "-1")]
    [InlineData("optimize", "a.onnx", "-o", "b.onnx", "--max-accuracy-drop", "0.5%")]
    [InlineData("optimize", "a.onnx", "-o", "b.onnx", "--max-accuracy-drop", "0", "--data", "d.npz")]
    [InlineData("optimize", "a.onnx", "-o", "b.onnx", "--max-accuracy-drop", "half", "--data", "d.npz")]
    [InlineData("optimize", "a.onnx", "-o", "b.onnx", "--max-accuracy-drop", "100%", "--data", "d.npz")]
    [InlineData("optimize", "a.onnx", "-o", "b.onnx", "--max-accuracy-drop", "1%", "--max-error", "1e-2", "--data", "d.npz")]
    [InlineData("optimize", "a.onnx", "-o", "b.onnx", "--max-error", "1e-2", "--metric", "top1")]
    [InlineData("optimize", "a.onnx", "-o", "b.onnx", "--max-error", "1e-2", "--metric", "command:")]
    [InlineData("optimize", "a.onnx", "-o", "b.onnx", "--max-error", "1e-2", "--time", "soon")]
    [InlineData("optimize", "a.onnx", "-o", "b.onnx", "--max-error", "1e-2", "--objective", "beauty")]
    [InlineData("optimize", "a.onnx", "-o", "b.onnx", "--time", "1m")]
    [InlineData("optimize", "a.onnx", "-o", "b.onnx", "--recipe", "r.json")]
    [InlineData("optimize", "a.onnx", "-o", "b.onnx", "--batch", "0")]
    [InlineData("bench", "a.onnx", "--seconds", "-1")]
    [InlineData("zoo", "resnet-50")]
    public void AWrongCommandLineIsAUsageError(params string[] arguments)
    {
        var outcome = Desk.Run(arguments);
        Assert.Equal(ExitCode.Usage, outcome.Code);
        Assert.Empty(outcome.Output);
        Assert.StartsWith("optix: ", outcome.Error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("missing.onnx", "inspect", "MODEL")]
    [InlineData("text.onnx", "inspect", "TEXT")]
    [InlineData("'depth'", "inspect", "DIGITS", "--dim", "depth=1")]
    [InlineData("'depth'", "run", "DIGITS", "--dim", "depth=1")]
    [InlineData("'picture'", "run", "DIGITS", "--input", "picture=IMAGES")]
    [InlineData("missing.npy", "run", "DIGITS", "--input", "image=missing.npy")]
    [InlineData("'batch'", "run", "DIGITS", "--input", "image=IMAGES", "--dim", "batch=7")]
    [InlineData("nowhere", "verify", "nowhere")]
    [InlineData("nowhere", "bench", "DIGITS", "--data", "nowhere")]
    [InlineData("resnet-50", "zoo", "alexnet", "-o", "x.onnx")]
    public void BadInputIsAMessage(string says, params string[] arguments)
    {
        File.WriteAllText(desk.File("text.onnx"), "This is not a model.");
        var images = desk.Images(2);
        var outcome = Desk.Run([.. arguments.Select(a => a.Replace("MODEL", desk.File("missing.onnx"), StringComparison.Ordinal)
            .Replace("TEXT", desk.File("text.onnx"), StringComparison.Ordinal).Replace("DIGITS", Desk.Digits, StringComparison.Ordinal).Replace("IMAGES", images, StringComparison.Ordinal))]);
        Assert.Equal(ExitCode.BadInput, outcome.Code);
        Assert.Empty(outcome.Output);
        Assert.Contains("optix: ", outcome.Error, StringComparison.Ordinal);
        Assert.Contains(says, outcome.Error, StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", outcome.Error, StringComparison.Ordinal);
    }

    [Fact]
    public void CancellationHasItsOwnCode()
    {
        using var output = new StringWriter();
        using var error = new StringWriter();
        using var cancelled = new CancellationTokenSource();
        cancelled.Cancel();
        Assert.Equal(ExitCode.Cancelled, CommandLine.Run(["bench", Desk.Digits, "--seconds", "60"], new Terminal(output, error), cancelled.Token));
        Assert.Contains("optix: cancelled", error.ToString(), StringComparison.Ordinal);
    }
}
