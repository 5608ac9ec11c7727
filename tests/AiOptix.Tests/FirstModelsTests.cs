using AiOptix.Optimization;
using AiOptix.Passes;
using AiOptix.Runtime;
using AiOptix.Tensors;
using AiOptix.Zoo;
using RuntimeValue = AiOptix.Tensors.RuntimeValue;

namespace AiOptix.Tests;

/// <summary>The models of the first slice: the digits network, MiniLM-L6 and ResNet-50 (on small images; full size runs in the sweep).</summary>
public class FirstModelsTests
{
    public static TheoryData<string> Names => ["digits", "minilm-l6", "resnet-50"];

    public static TheoryData<string, int> NamesAndThreads => new() { { "digits", 1 }, { "digits", 2 }, { "minilm-l6", 1 }, { "minilm-l6", 2 }, { "resnet-50", 1 }, { "resnet-50", 2 } };

    [Theory]
    [MemberData(nameof(Names))]
    public void EveryLevelAgrees(string name)
    {
        var model = Open(name);
        var inputs = Inputs(model, name);
        var named = model.Inputs.Zip(inputs).ToDictionary(p => p.First.Name, p => (RuntimeValue)p.Second);
        var expected = (Tensor)Graphs.ReferenceEvaluator.Run(model.Graph, named)[0];
        var (rewritten, report) = model.Rewrite(new PassOptions { VerifyWholeGraph = true });
        Assert.NotEmpty(report.Applied);
        Check(expected, (Tensor)Graphs.ReferenceEvaluator.Run(rewritten.Graph, named)[0], "passes");
        foreach (var isa in new[] { IsaCap.None, IsaCap.Avx2, IsaCap.Avx512 })
        {
            Tensor? first = null;
            foreach (var threads in new[] { 1, 2 })
            {
                using var session = model.Compile(new CompileOptions { Threads = threads, Isa = isa });
                Assert.DoesNotContain(session.Program.Steps, s => s is ReferenceStep);
                for (var run = 0; run < 2; run++)
                {
                    var found = (Tensor)session.Run(inputs)[0];
                    Check(expected, found, $"plan, {isa}, {threads} threads");
                    first ??= found;
                    Assert.True(first.BitEquals(found), $"{name}, {isa}: other bits with {threads} threads or in another run");
                }
            }
        }
    }

    [Fact]
    public void TheTransformersPartsAreRecognised()
    {
        var (_, report) = Open("minilm-l6").Rewrite();
        var counts = report.Applied.GroupBy(p => p.Pass).ToDictionary(g => g.Key, g => g.Count());
        Assert.Equal((6, 6, 13), (counts["AttentionFusion"], counts["GeluFusion"], counts["LayerNormFusion"]));
        using var session = Open("minilm-l6").Compile(new CompileOptions { Threads = 1 });
        Assert.Equal(6, session.Program.Steps.Count(s => s.Operation == "Attention+Transpose"));
        var e = Assert.Throws<InvalidInputException>(() => session.Run(SampleInputs.Draw(Open("minilm-l6"), 0, new Dictionary<string, long> { ["batch"] = 1, ["sequence"] = 513 }).Values.ToArray()));
        Assert.Contains("does not broadcast", e.Message, StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(NamesAndThreads))]
    public void ASteadyRunIntoTheCallersMemoryAllocatesNothing(string name, int threads) => Assert.Equal(["0", "0"], OwnProcess.Start("steady", name, threads));

    [Theory]
    [MemberData(nameof(NamesAndThreads))]
    public void TheFirstRunCompilesNoKernel(string name, int threads) => Assert.Empty(OwnProcess.Start("first", name, threads));

    [SkippableTheory]
    [InlineData("mnist-8")]
    [InlineData("magika")]
    [InlineData("ultraface-rfb-320")]
    [InlineData("yolox-nano")]
    [InlineData("deeplabv3-mobile")]
    [InlineData("cct-vit-fp32")]
    [InlineData("dtln-1")]
    [InlineData("gtcrn-stream")]
    public void TheFirstRunOfARealModelCompilesNoKernel(string name)
    {
        Skip.IfNot(File.Exists(Repository.SharedModel(name)), $"the shared model {name} is not here");
        Assert.Empty(OwnProcess.Start("first", name, 2));
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void SavedAndLoadedAgainItAnswersTheSame(string name)
    {
        var model = Open(name);
        var inputs = Inputs(model, name);
        var file = Path.Combine(Path.GetTempPath(), $"aioptix-{Guid.NewGuid():N}.onnx");
        try
        {
            model.Rewrite().Model.Save(file);
            using var before = model.Compile(new CompileOptions { Threads = 1 });
            using var after = Model.Load(file).Compile(new CompileOptions { Threads = 1, Rewrite = false });
            Check((Tensor)before.Run(inputs)[0], (Tensor)after.Run(inputs)[0], "saved");
        }
        finally
        {
            File.Delete(file);
        }
    }

    internal static Model Open(string name) => name switch
    {
        "digits" => Model.Load(Repository.Digits),
        _ when File.Exists(Repository.SharedModel(name)) => Model.Load(Repository.SharedModel(name)),
        "resnet-50" => Model.Of(ModelZoo.Find(name).Build(new ZooOptions { ImageSize = 64 })),
        _ => Model.Of(ModelZoo.Build(name)),
    };

    internal static Tensor[] Inputs(Model model, string name)
    {
        if (File.Exists(Repository.SharedModel(name))) return [.. SampleInputs.Draw(model, 3).Values];
        var dims = name == "minilm-l6" ? new Dictionary<string, long> { ["batch"] = 2, ["sequence"] = 7 } : new() { ["batch"] = 1 };
        return [.. SampleInputs.Draw(model, 3, dims).Values];
    }

    private static void Check(Tensor expected, Tensor found, string what)
    {
        var result = TensorComparison.Compare(expected, found, new Tolerance(1e-3, 1e-7, 1e-5));
        Assert.True(result.Matches, $"{what}: {result.Failure}");
    }
}
