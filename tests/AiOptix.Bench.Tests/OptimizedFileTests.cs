using AiOptix.Bench.Compare;
using AiOptix.Bench.Ort;
using AiOptix.Onnx;
using AiOptix.Optimization;
using AiOptix.Tensors;
using AiOptix.Zoo;

namespace AiOptix.Bench.Tests;

/// <summary>Files that the optimiser wrote are standard ONNX: ONNX Runtime opens them and gives the answers that the original file has.</summary>
public sealed class OptimizedFileTests : IDisposable
{
    private readonly DirectoryInfo folder = Directory.CreateTempSubdirectory("optimized-");

    /// <summary>The models beside the repository; one placeholder where they are absent, so that the skip is counted.</summary>
    public static TheoryData<string> SharedModels => SharedFolder() is { } models ? [.. Directory.GetDirectories(models).Select(d => Path.GetFileName(d)).Order(StringComparer.Ordinal)] : ["(none)"];

    public void Dispose() => folder.Delete(recursive: true);

    [SkippableTheory]
    [InlineData("digits")]
    [InlineData("minilm-l6")]
    [InlineData("resnet-50")]
    public void OnnxRuntimeAgreesOnTheFirstModels(string name)
    {
        RequireOnnxRuntime();
        var original = name == "digits" ? Path.Combine(Repository.Root, "demo", "digits", "model.onnx") : Path.Combine(folder.FullName, "original.onnx");
        if (name != "digits") ModelZoo.Find(name).Write(original, new ZooOptions { ImageSize = 64 });
        var model = AiOptix.Model.Load(original);
        var dims = name == "minilm-l6" ? new Dictionary<string, long> { ["batch"] = 2, ["sequence"] = 9 } : new() { ["batch"] = 2 };
        var inputs = SampleInputsOf(model, dims);
        var (optimized, result) = model.Optimize([[.. inputs.Values]], new OptimizerOptions { Threads = 1, TimingTime = TimeSpan.Zero, PassTimingTime = TimeSpan.Zero });
        Assert.True(result.Proof.Holds);
        Assert.NotEmpty(result.Report.Applied);
        Check(optimized, inputs, Answers(original, inputs));
    }

    [SkippableTheory]
    [MemberData(nameof(SharedModels))]
    public void OnnxRuntimeAgreesOnEveryModelThatRunsHere(string name)
    {
        var models = SharedFolder();
        Skip.If(models is null, "../shared/models is not there");
        RequireOnnxRuntime();
        var original = Path.Combine(models!, name, "model.onnx");
        var model = AiOptix.Model.Load(original);
        try
        {
            model.Compile(new CompileOptions { Threads = 1 }).Dispose();
        }
        catch (UnsupportedModelException)
        {
            Skip.If(true, "the model uses operators that are not supported yet");
        }
        var data = Path.Combine(models!, name, "test_data_set_0");
        var inputs = model.Inputs.Select((input, i) => (input.Name, Tensor: TensorFile.Read(Path.Combine(data, $"input_{i}.pb")))).ToDictionary(p => p.Name, p => p.Tensor);
        Check(model.Rewrite().Model, inputs, Answers(original, inputs));
    }

    private void Check(AiOptix.Model optimized, Dictionary<string, Tensor> inputs, IReadOnlyDictionary<string, Tensor> expected)
    {
        var written = Path.Combine(folder.FullName, "optimized.onnx");
        optimized.Save(written);
        var agreement = Agreement.Of(Answers(written, inputs), expected);
        Assert.True(agreement.Problem is null, agreement.Problem);
        using var own = new OptixEngine(written, 1, inputs);
        agreement = Agreement.Of(own.Answers(), expected);
        Assert.True(agreement.Problem is null, $"AI Optix: {agreement.Problem}");
    }

    private static Dictionary<string, Tensor> Answers(string path, Dictionary<string, Tensor> inputs)
    {
        using var session = new OrtSession(path, 1);
        Assert.Equal(inputs.Keys.Order(StringComparer.Ordinal), session.Inputs.Select(i => i.Name).Order(StringComparer.Ordinal));
        return session.Run(inputs);
    }

    private static Dictionary<string, Tensor> SampleInputsOf(AiOptix.Model model, Dictionary<string, long> dims) =>
        model.Inputs.Zip(AiOptix.SampleInputs.Draw(model, 5, dims).Values).ToDictionary(p => p.First.Name, p => p.Second);

    private static void RequireOnnxRuntime() => Skip.IfNot(OrtLibrary.IsInstalled, "ONNX Runtime is not installed (npm ci in bench/)");

    private static string? SharedFolder()
    {
        var given = Environment.GetEnvironmentVariable("AIOPTIX_SHARED");
        var models = Path.Combine(string.IsNullOrEmpty(given) ? Path.Combine(Repository.Root, "..", "shared") : given, "models");
        return Directory.Exists(models) ? models : null;
    }
}
