using AiOptix.Graphs;
using AiOptix.Graphs.Ops;
using AiOptix.Tensors;

namespace AiOptix.Zoo;

/// <summary>
/// EfficientNet-B0 (Tan and Le, "EfficientNet: Rethinking Model Scaling for Convolutional Neural Networks", 2019) as torchvision has it, exported with its batch
/// normalisations unfolded; x · sigmoid(x) is two nodes.
/// </summary>
internal static class EfficientNetB0
{
    private static readonly (int Expansion, int Kernel, int Channels, int Blocks, int Stride)[] stages =
        [(1, 3, 16, 1, 1), (6, 3, 24, 2, 2), (6, 5, 40, 2, 2), (6, 3, 80, 3, 2), (6, 5, 112, 3, 1), (6, 5, 192, 4, 2), (6, 3, 320, 1, 1)];

    public static ZooEntry Entry { get; } = new("efficientnet-b0", "EfficientNet-B0 image classifier, 5.3 M parameters, 224x224, squeeze and excitation", ZooKind.Convolution, opset: 13,
        o => [new("input", DType.Float32, new(Dim.Symbol("batch"), 3, o.ImageSize ?? 224, o.ImageSize ?? 224), ZooContent.Normal)], Build);

    private static void Build(Builder builder)
    {
        var features = builder.Root["features"];
        var x = Unit(features[0], Signal.Input(builder.Input("input"), 3), 32, kernel: 3, stride: 2);
        for (var stage = 0; stage < stages.Length; stage++)
            for (var i = 0; i < stages[stage].Blocks; i++)
                x = Block(features[stage + 1][i], x, stages[stage].Expansion, stages[stage].Kernel, stages[stage].Channels, i == 0 ? stages[stage].Stride : 1);
        x = Unit(features[stages.Length + 1], x, 1280, kernel: 1);
        var pooled = builder.Root["avgpool"].Add(new GlobalAveragePool(), x.Value);
        builder.Root["classifier"][1].Classify(builder.Root.Add(new Flatten(1), pooled), x.Mean, 1000);
    }

    private static Signal Block(Module module, Signal x, int expansion, int kernel, int channels, int stride)
    {
        var block = module["block"];
        var item = 0;
        var y = expansion == 1 ? x : Unit(block[item++], x, expansion * x.Channels, kernel: 1);
        y = Unit(block[item++], y, y.Channels, kernel, stride, groups: y.Channels);
        y = Excite(block[item++], y, x.Channels / 4);
        var adds = stride == 1 && x.Channels == channels;
        y = block[item][1].BatchNormalization(block[item][0].Convolution(y, channels, kernel: 1), adds ? 0.5 : 1);
        return adds ? module.Sum(x, y) : y;
    }

    /// <summary>Convolution, normalisation, x · sigmoid(x).</summary>
    private static Signal Unit(Module list, Signal x, int channels, int kernel, int stride = 1, int groups = 1) =>
        list[2].Silu(list[1].BatchNormalization(list[0].Convolution(x, channels, kernel, stride, groups)));

    /// <summary>Channels weighed by a small network over their means.</summary>
    private static Signal Excite(Module module, Signal x, int squeezed)
    {
        Signal pooled = new(module["avgpool"].Add(new GlobalAveragePool(), x.Value), x.Mean, [.. x.Variance.Select(v => 0.1 * v)]);
        var inner = module["activation"].Silu(module["fc1"].FoldedConvolution(pooled, squeezed, kernel: 1));
        var outer = module["fc2"].FoldedConvolution(inner, x.Channels, kernel: 1);
        var gate = outer.Mapped(module["scale_activation"].Add(new Sigmoid(), outer.Value), SignalMaps.Sigmoid);
        return x.Times(gate, module.Add(new Mul(), gate.Value, x.Value));
    }
}
