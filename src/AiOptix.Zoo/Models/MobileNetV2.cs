using AiOptix.Graphs;
using AiOptix.Graphs.Ops;
using AiOptix.Tensors;

namespace AiOptix.Zoo;

/// <summary>
/// MobileNetV2 (Sandler et al., "MobileNetV2: Inverted Residuals and Linear Bottlenecks", 2018) as torchvision has it, exported with its batch normalisations
/// unfolded; the rectifiers that stop at 6 are Clip nodes.
/// </summary>
internal static class MobileNetV2
{
    private static readonly (int Expansion, int Channels, int Blocks, int Stride)[] stages =
        [(1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2), (6, 96, 3, 1), (6, 160, 3, 2), (6, 320, 1, 1)];

    public static ZooEntry Entry { get; } = new("mobilenet-v2", "MobileNetV2 image classifier, 3.5 M parameters, 224x224, depthwise convolutions", ZooKind.Convolution, opset: 13,
        o => [new("input", DType.Float32, new(Dim.Symbol("batch"), 3, o.ImageSize ?? 224, o.ImageSize ?? 224), ZooContent.Normal)], Build);

    private static void Build(Builder builder)
    {
        var features = builder.Root["features"];
        var item = 0;
        var x = Unit(features[item++], 0, Signal.Input(builder.Input("input"), 3), 32, kernel: 3, stride: 2);
        foreach (var (expansion, channels, blocks, stride) in stages)
            for (var i = 0; i < blocks; i++)
                x = Block(features[item++], x, expansion, channels, i == 0 ? stride : 1);
        x = Unit(features[item], 0, x, 1280, kernel: 1);
        var pooled = builder.Root.Add(new GlobalAveragePool(), x.Value);
        builder.Root["classifier"][1].Classify(builder.Root.Add(new Flatten(1), pooled), x.Mean, 1000);
    }

    private static Signal Block(Module block, Signal x, int expansion, int channels, int stride)
    {
        var conv = block["conv"];
        var item = 0;
        var y = expansion == 1 ? x : Unit(conv[item++], 0, x, expansion * x.Channels, kernel: 1);
        y = Unit(conv[item++], 0, y, y.Channels, kernel: 3, stride, groups: y.Channels);
        y = conv[item].Convolution(y, channels, kernel: 1);
        var adds = stride == 1 && x.Channels == channels;
        y = conv[item + 1].BatchNormalization(y, adds ? 0.5 : 1);
        return adds ? block.Sum(x, y) : y;
    }

    /// <summary>Convolution, normalisation, rectifier.</summary>
    private static Signal Unit(Module list, int first, Signal x, int channels, int kernel, int stride = 1, int groups = 1)
    {
        var y = list[first].Convolution(x, channels, kernel, stride, groups);
        y = list[first + 1].BatchNormalization(y);
        return y.Mapped(list[first + 2].Add(new Clip(), y.Value, list.Number(0), list.Number(6)), v => Math.Clamp(v, 0, 6));
    }
}
