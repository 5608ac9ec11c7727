using AiOptix.Optimization;
using AiOptix.Passes;
using AiOptix.Tensors;
using AiOptix.Zoo;
using RuntimeValue = AiOptix.Tensors.RuntimeValue;

namespace AiOptix.Tests;

/// <summary>Every further architecture of the zoo, made small: the compiled program answers as the reference evaluation of the unchanged graph does.</summary>
public class ZooModelTests
{
    private static readonly Dictionary<string, long> extents = new() { ["batch"] = 2, ["sequence"] = 5, ["past"] = 3 };

    public static TheoryData<string> Names => [.. ModelZoo.Entries.Select(e => e.Name).Where(n => n is not ("resnet-50" or "minilm-l6"))];

    [Theory]
    [MemberData(nameof(Names))]
    public void ItCompilesAndAnswersAsTheReferenceDoes(string name)
    {
        var entry = ModelZoo.Find(name);
        var options = Small(name);
        var model = Model.Of(entry.Build(options));
        var named = entry.Inputs(3, extents, options);
        var expected = Graphs.ReferenceEvaluator.Run(model.Graph, named);
        var (rewritten, _) = model.Rewrite(new PassOptions { VerifyWholeGraph = true });
        Check(model, expected, Graphs.ReferenceEvaluator.Run(rewritten.Graph, named), "passes");
        using var session = model.Compile(new CompileOptions { Threads = 2 });
        var found = session.Run([.. model.Inputs.Select(i => named[i.Name])]);
        Check(model, expected, found, "plan");
    }

    internal static ZooOptions Small(string name) => name switch
    {
        "llama" => new() { Layers = 2, Width = 192 },
        "bert-base" or "gpt2-small" => new() { Layers = 2, Width = 128 },
        "vit-b-16" => new() { Layers = 2, Width = 128, ImageSize = 64 },
        "whisper-tiny-encoder" => new() { Layers = 2, Width = 128, Frames = 100 },
        "u-net" => new() { ImageSize = 32 },
        _ => new() { ImageSize = 64 },
    };

    private static void Check(Model model, IReadOnlyList<RuntimeValue> expected, IReadOnlyList<RuntimeValue> found, string what)
    {
        for (var i = 0; i < expected.Count; i++)
        {
            var result = TensorComparison.Compare((Tensor)expected[i], (Tensor)found[i], new Tolerance(1e-3, 1e-6, 1e-4));
            Assert.True(result.Matches, $"{what}, {model.Outputs[i].Name}: {result.Failure}");
        }
    }
}
