using AiOptix.Graphs;
using AiOptix.Graphs.Ops;
using AiOptix.Tensors;

namespace AiOptix.Zoo.Tests;

public class ModelZooTests
{
    public static TheoryData<string> Names { get; } = [.. ModelZoo.Entries.Select(e => e.Name)];

    /// <summary>The published counts, as of torchvision, timm, transformers: resnet50, and all-MiniLM-L6-v2 (22,713,216) without the 384·384 + 384 weights of its pooler.</summary>
    [Theory]
    [InlineData("resnet-50", 25_557_032)]
    [InlineData("mobilenet-v2", 3_504_872)]
    [InlineData("efficientnet-b0", 5_288_548)]
    [InlineData("u-net", 31_037_698)]
    [InlineData("yolov8-n", 3_151_904)]
    [InlineData("minilm-l6", 22_713_216 - 384 * 384 - 384)]
    [InlineData("bert-base", 109_482_240)]
    [InlineData("gpt2-small", 124_439_808)]
    [InlineData("vit-b-16", 86_567_656)]
    [InlineData("llama", 134_515_008)]
    [InlineData("whisper-tiny-encoder", 8_208_384)]
    [InlineData("lstm-tagger", 3_453_217)]
    public void ItHasAsManyParametersAsPublished(string name, long parameters)
    {
        var weights = ModelZoo.Find(name).Build(new ZooOptions { IsBlank = true }).Constants.Where(c => c.DType == DType.Float32 && !c.Name.StartsWith('/') && !c.Name.Contains(".running_", StringComparison.Ordinal));
        Assert.Equal(parameters, weights.Sum(c => c.Constant!.Count));
    }

    [Theory]
    [InlineData("resnet-50", "output", "2x1000", 13)]
    [InlineData("mobilenet-v2", "output", "2x1000", 13)]
    [InlineData("efficientnet-b0", "output", "2x1000", 13)]
    [InlineData("u-net", "output", "2x2x256x256", 13)]
    [InlineData("minilm-l6", "last_hidden_state", "2x9x384", 14)]
    [InlineData("vit-b-16", "output", "2x1000", 17)]
    [InlineData("whisper-tiny-encoder", "last_hidden_state", "2x1500x384", 17)]
    [InlineData("lstm-tagger", "logits", "2x9x17", 14)]
    public void ItGivesTheOutputsAndTheOperatorSetOfTheExport(string name, string output, string shape, long opset)
    {
        var graph = ModelZoo.Find(name).Build(new ZooOptions { IsBlank = true });
        var only = Assert.Single(graph.Outputs);
        Assert.Equal(output, only.Name);
        var extents = new Dictionary<string, long> { ["batch"] = 2, ["sequence"] = 9 };
        Assert.Equal(shape, string.Join('x', only.Shape!.Select(d => d.Evaluate(extents))));
        Assert.Equal(opset, graph.Metadata.Opsets[""]);
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void ItsGraphHoldsTogetherAndUsesEveryWeight(string name)
    {
        var graph = Built.SmallOf(name);
        Verifier.Verify(graph);
        Assert.All(graph.Constants, c => Assert.False(c.IsUnused, c.Name));
        Assert.All(graph.Nodes, n => Assert.False(n.Outputs.All(o => o.IsUnused), n.Name));
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void TheSeedDecidesEveryBit(string name)
    {
        var (a, again, other) = (Built.SmallOf(name), ModelZoo.Find(name).Build(Built.Small(name)), ModelZoo.Find(name).Build(Built.Small(name, seed: 1)));
        Assert.Equal(Printer.Print(a), Printer.Print(again));
        foreach (var c in a.Constants)
        {
            Assert.True(c.Constant!.BitEquals(again.Values[c.Name].Constant!), c.Name);
            if (c.DType == DType.Float32 && IsDrawn(c.Name)) Assert.False(c.Constant.BitEquals(other.Values[c.Name].Constant!), c.Name);
        }
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void SamplesFitTheInputs(string name)
    {
        var entry = ModelZoo.Find(name);
        var samples = entry.Inputs(0, new Dictionary<string, long> { ["batch"] = 3 }, Built.Small(name));
        foreach (var input in Built.SmallOf(name).Inputs)
        {
            var t = Assert.IsType<Tensor>(samples[input.Name]);
            Assert.Equal(input.DType, t.DType);
            Assert.Equal(3, t.Shape[0]);
            Assert.Equal(input.Shape!.Rank, t.Shape.Rank);
        }
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void OutputsAreFiniteVariedAndTellInputsApart(string name)
    {
        var entry = ModelZoo.Find(name);
        var graph = Built.SmallOf(name);
        var results = ReferenceEvaluator.Run(graph, entry.Inputs(1, Built.Extents, Built.Small(name)));
        var others = ReferenceEvaluator.Run(graph, entry.Inputs(2, Built.Extents, Built.Small(name)));
        for (var i = 0; i < graph.Outputs.Count; i++)
        {
            if (results[i] is not Tensor { DType: DType.Float32 } found) continue;
            var v = found.Span<float>().ToArray();
            Assert.True(v.All(float.IsFinite), graph.Outputs[i].Name);
            Assert.InRange(Activations.Deviation(v), 0.01, 200);
            Assert.False(v.AsSpan().SequenceEqual(((Tensor)others[i]).Span<float>()), graph.Outputs[i].Name);
        }
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void EveryLayerIsFiniteAndVaried(string name)
    {
        var entry = ModelZoo.Find(name);
        var values = Activations.Of(entry.Build(Built.Small(name)), entry.Inputs(1, Built.Extents, Built.Small(name)), n => n.Operator is Conv or BatchNormalization or MatMul or Gemm or Softmax or Clip);
        foreach (var (layer, v) in values)
        {
            Assert.True(v.All(float.IsFinite), layer);
            var deviation = Activations.Deviation(v);
            Assert.True(deviation is > 0.005 and < 200, $"{layer}: deviation {deviation}");
        }
    }

    /// <summary>Neither a constant of the program nor a running statistic nor the detector's list of bins.</summary>
    private static bool IsDrawn(string name) =>
        !name.StartsWith('/') && !name.Contains(".running_", StringComparison.Ordinal) && !name.Contains(".dfl.", StringComparison.Ordinal);

    [Fact]
    public void NamesAreLowerCaseWithHyphensAndDifferent()
    {
        Assert.All(ModelZoo.Entries, e => Assert.Matches("^[a-z0-9]+(-[a-z0-9]+)*$", e.Name));
        Assert.Distinct(ModelZoo.Entries.Select(e => e.Name));
    }

    [Fact]
    public void AnUnknownNameIsRefusedWithThoseThatThereAre()
    {
        var e = Assert.Throws<ArgumentException>(() => ModelZoo.Build("resnet-5"));
        Assert.Contains("resnet-50, mobilenet-v2", e.Message, StringComparison.Ordinal);
    }
}
