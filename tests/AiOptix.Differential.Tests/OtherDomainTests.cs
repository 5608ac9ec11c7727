using AiOptix.Differential.Tests.Recipes;
using AiOptix.Onnx;
using Xunit.Abstractions;

namespace AiOptix.Differential.Tests;

/// <summary>Every operator of <c>com.microsoft</c> and of <c>ai.onnx.ml</c> that a recipe draws gives the answers of ONNX Runtime, where its CPU build has it.</summary>
public class OtherDomainTests(ITestOutputHelper output)
{
    private const int Draws = 10;

    /// <summary>Those that ONNX Runtime has no kernel of for CPUs; <see cref="MicrosoftDefinitionTests"/> holds them to their definitions.</summary>
    private static readonly string[] notForCpus =
    [
        "BiasAdd", "BiasSplitGelu", "FusedMatMulActivation", "GroupNorm", "NhwcConv", "PackedMultiHeadAttention", "QLinearReduceMean", "RemovePadding", "RestorePadding", "SkipGroupNorm",
        "com.microsoft::SimplifiedLayerNormalization",
    ];

    public static TheoryData<string> Operators => [.. Book.OtherDomains.Select(r => $"{r.Domain}::{r.OpType}")];

    /// <summary>What transformers in the wild are made of.</summary>
    private static readonly string[] ofTransformers =
    [
        "Attention", "BiasAdd", "BiasGelu", "BiasSplitGelu", "DynamicQuantizeMatMul", "EmbedLayerNormalization", "FastGelu", "FusedGemm", "FusedMatMul", "FusedMatMulActivation", "Gelu", "GroupNorm",
        "GroupQueryAttention", "MatMulNBits", "MultiHeadAttention", "PackedMultiHeadAttention", "QAttention", "QuickGelu", "RemovePadding", "RestorePadding", "RotaryEmbedding",
        "SimplifiedLayerNormalization", "SkipGroupNorm", "SkipLayerNormalization", "SkipSimplifiedLayerNormalization", "TransposeMatMul", "Trilu",
    ];

    public static TheoryData<string> OfTransformers => [.. ofTransformers];

    [Theory]
    [MemberData(nameof(OfTransformers))]
    public void OperatorsOfTransformersRunOnKernels(string name)
    {
        var found = new HashSet<string>(StringComparer.Ordinal);
        foreach (var recipe in Book.OtherDomains.Where(r => r.Domain == "com.microsoft" && r.OpType == name))
            for (var seed = 0; seed < Draws; seed++)
            {
                if (Book.Foreign(recipe, new Draw(seed)) is not { } draft) continue;
                // Models hold their weights; kernels pack them.
                if (name == "DynamicQuantizeMatMul" && !draft.Inputs[1]!.Constant) continue;
                // Mean and deviation, beside the normalised values, are for training.
                if (name.StartsWith("Skip", StringComparison.Ordinal) && draft.Outputs > 1) continue;
                using var session = Model.Load(Generated.Of(name, draft, hasOpenExtents: false).File).Compile(new CompileOptions { Threads = 1 });
                found.UnionWith(session.Program.AllSteps.OfType<AiOptix.Runtime.ReferenceStep>().Select(s => $"{s.Node} ({draft})"));
            }
        Assert.True(found.Count == 0, string.Join(Environment.NewLine, found));
    }

    [Fact]
    public void EveryOperatorOfOnnxRuntimeHasARecipe() =>
        Assert.Equal(OnnxRegistry.All.Where(o => o.Domain == "com.microsoft").Select(o => o.Name).Order(StringComparer.Ordinal), Book.OtherDomains.Where(r => r.Domain == "com.microsoft").Select(r => r.OpType).Order(StringComparer.Ordinal));

    [SkippableTheory]
    [MemberData(nameof(Operators))]
    public void AgreesWithOnnxRuntime(string name)
    {
        Skip.IfNot(OrtPeer.IsInstalled, "ONNX Runtime is not installed (npm ci in bench/)");
        var recipe = Book.OtherDomains.Single(r => $"{r.Domain}::{r.OpType}" == name);
        var agreed = 0;
        for (var seed = 0; seed < Draws; seed++)
        {
            if (Book.Foreign(recipe, new Draw(seed)) is not { } draft) continue;
            var g = Generated.Of($"{name}, seed {seed}", draft);
            var (verdict, what) = Comparison.Of(g);
            Assert.True(verdict != Verdict.Differs, $"{what} ({draft})");
            if (verdict == Verdict.Agrees) agreed++;
            else output.WriteLine($"{verdict}: {what} ({draft})");
        }
        Assert.Equal(notForCpus.Contains(recipe.OpType) || notForCpus.Contains(name), agreed == 0);
    }
}
