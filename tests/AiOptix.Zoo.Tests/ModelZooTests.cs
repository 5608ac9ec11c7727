using AiOptix.Graphs;
using AiOptix.Tensors;

namespace AiOptix.Zoo.Tests;

public class ModelZooTests
{
    public static TheoryData<string> Names { get; } = [.. ModelZoo.Entries.Select(e => e.Name)];

    /// <summary>The published counts: torchvision's resnet50, and all-MiniLM-L6-v2 (22,713,216) without the 384·384 + 384 weights of its pooler.</summary>
    [Theory]
    [InlineData("resnet-50", 25_557_032)]
    [InlineData("minilm-l6", 22_713_216 - 384 * 384 - 384)]
    public void ItHasAsManyParametersAsPublished(string name, long parameters)
    {
        var weights = Built.Of(name).Constants.Where(c => c.DType == DType.Float32 && !c.Name.StartsWith('/') && !c.Name.Contains(".running_", StringComparison.Ordinal));
        Assert.Equal(parameters, weights.Sum(c => c.Constant!.Count));
    }

    [Theory]
    [InlineData("resnet-50", "output", "2x1000", 13)]
    [InlineData("minilm-l6", "last_hidden_state", "2x9x384", 14)]
    public void ItGivesTheOutputsAndTheOperatorSetOfTheExport(string name, string output, string shape, long opset)
    {
        var graph = Built.Of(name);
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
        var graph = Built.Of(name);
        Verifier.Verify(graph);
        Assert.All(graph.Constants, c => Assert.False(c.IsUnused, c.Name));
        Assert.All(graph.Nodes, n => Assert.False(n.Outputs.All(o => o.IsUnused), n.Name));
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void TheSeedDecidesEveryBit(string name)
    {
        var (a, again, other) = (Built.Of(name), ModelZoo.Build(name), ModelZoo.Build(name, 1));
        Assert.Equal(Printer.Print(a), Printer.Print(again));
        foreach (var c in a.Constants)
        {
            Assert.True(c.Constant!.BitEquals(again.Values[c.Name].Constant!), c.Name);
            if (c.DType == DType.Float32 && !c.Name.StartsWith('/') && !c.Name.Contains(".running_", StringComparison.Ordinal)) Assert.False(c.Constant.BitEquals(other.Values[c.Name].Constant!), c.Name);
        }
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void SamplesFitTheInputs(string name)
    {
        var entry = ModelZoo.Find(name);
        var samples = entry.Inputs(0, new Dictionary<string, long> { ["batch"] = 3 });
        foreach (var input in Built.Of(name).Inputs)
        {
            var t = Assert.IsType<Tensor>(samples[input.Name]);
            Assert.Equal(input.DType, t.DType);
            Assert.Equal(3, t.Shape[0]);
            Assert.Equal(input.Shape!.Rank, t.Shape.Rank);
        }
    }

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
        Assert.Contains("resnet-50, minilm-l6", e.Message, StringComparison.Ordinal);
    }
}
