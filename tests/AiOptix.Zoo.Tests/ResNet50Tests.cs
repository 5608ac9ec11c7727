using AiOptix.Graphs.Ops;
using AiOptix.Tensors;

namespace AiOptix.Zoo.Tests;

public class ResNet50Tests
{
    private static readonly ZooOptions small = new() { ImageSize = 64 };

    [Fact]
    public void ItHasTheLayersOfTheExport()
    {
        var nodes = Built.Of("resnet-50").Nodes;
        Assert.Equal(53, nodes.Count(n => n.Operator is Conv));
        Assert.Equal(53, nodes.Count(n => n.Operator is BatchNormalization));
        Assert.Equal(49, nodes.Count(n => n.Operator is Relu));
        Assert.Equal(16, nodes.Count(n => n.Operator is Add));
        Assert.Equal(["MaxPool", "GlobalAveragePool", "Flatten", "Gemm"], nodes.Select(n => n.Operator).Where(o => o is not (Conv or BatchNormalization or Relu or Add)).Select(o => o.Name));
    }

    [Fact]
    public void TheConvolutionInTheMiddleOfABlockHasTheStride()
    {
        var strided = Built.Of("resnet-50").Nodes.Where(n => n.Operator is Conv { Strides: [2, ..] }).Select(n => n.Name);
        Assert.Equal(
            [
                "/conv1/Conv",
                "/layer2/layer2.0/conv2/Conv", "/layer2/layer2.0/downsample/downsample.0/Conv",
                "/layer3/layer3.0/conv2/Conv", "/layer3/layer3.0/downsample/downsample.0/Conv",
                "/layer4/layer4.0/conv2/Conv", "/layer4/layer4.0/downsample/downsample.0/Conv",
            ],
            strided);
    }

    [Fact]
    public void ActivationsStayVariedInEveryLayerAndScoresTellImagesApart()
    {
        var entry = ModelZoo.Find("resnet-50");
        var inputs = entry.Inputs(1, new Dictionary<string, long> { ["batch"] = 2 }, small);
        var values = Activations.Of(entry.Build(small), inputs, n => n.Operator is Relu or BatchNormalization);
        foreach (var (name, v) in values)
        {
            Assert.All(v, x => Assert.True(float.IsFinite(x), name));
            Assert.InRange(Activations.Deviation(v), 0.3, 5);
        }
        var scores = values["output"];
        Assert.Equal(2000, scores.Length);
        Assert.InRange(Activations.Likeness(scores.AsSpan(0, 1000), scores.AsSpan(1000)), -1, 0.8);
    }

    [Fact]
    public void RunningStatisticsAreThoseOfTheData()
    {
        var entry = ModelZoo.Find("resnet-50");
        var graph = entry.Build(small);
        var normalisations = graph.Nodes.Where(n => n.Operator is BatchNormalization).ToArray();
        var inputs = entry.Inputs(2, options: small);
        var values = Activations.Of(graph, inputs, n => n.Operator is Conv);
        foreach (var node in normalisations.Take(20))
        {
            var data = values[node.Input(0)!.Name];
            var mean = node.Input(3)!.Constant!.Span<float>().ToArray();
            var variance = node.Input(4)!.Constant!.Span<float>().ToArray();
            var plane = data.Length / mean.Length;
            var centred = Enumerable.Range(0, data.Length).Select(i => Math.Pow(data[i] - mean[i / plane], 2) / variance[i / plane]).Average();
            Assert.InRange(centred, 0.5, 3);
        }
    }

    [Fact]
    public void WeightsDoNotDependOnTheImageSize()
    {
        var a = ModelZoo.Find("resnet-50").Build(small).Constants.ToDictionary(c => c.Name, c => c.Constant!);
        var b = Built.Of("resnet-50").Constants.ToDictionary(c => c.Name, c => c.Constant!);
        Assert.Equal(a.Keys.Order(StringComparer.Ordinal), b.Keys.Order(StringComparer.Ordinal));
        Assert.All(a, p => Assert.True(p.Value.BitEquals(b[p.Key]), p.Key));
    }
}
