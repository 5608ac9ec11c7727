using AiOptix.Graphs;
using AiOptix.Graphs.Ops;
using AiOptix.Tensors;

namespace AiOptix.Zoo;

/// <summary>
/// ResNet-50 (He et al., "Deep Residual Learning for Image Recognition", 2015) as torchvision has it ("v1.5": the 3x3 convolution of a block has the stride), exported with
/// its batch normalisations unfolded.
/// </summary>
internal static class ResNet50
{
    private static readonly (int Width, int Blocks)[] stages = [(64, 3), (128, 4), (256, 6), (512, 3)];

    public static ZooEntry Entry { get; } = new("resnet-50", "ResNet-50 v1.5 image classifier, 25.6 M parameters, 224x224", ZooKind.Convolution, opset: 13,
        o => [new("input", DType.Float32, new(Dim.Symbol("batch"), 3, o.ImageSize ?? 224, o.ImageSize ?? 224), ZooContent.Normal)], Build);

    private static void Build(Builder builder)
    {
        var net = builder.Root;
        var x = net["conv1"].Convolution(Signal.Input(builder.Input("input"), 3), 64, kernel: 7, stride: 2);
        x = net["bn1"].BatchNormalization(x);
        x = net["maxpool"].MaxPool(net["relu"].Relu(x), before: x);
        for (var stage = 0; stage < stages.Length; stage++)
            for (var block = 0; block < stages[stage].Blocks; block++)
                x = Bottleneck(net[FormattableString.Invariant($"layer{stage + 1}")][block], x, stages[stage].Width, stride: stage > 0 && block == 0 ? 2 : 1);
        var pooled = net["avgpool"].Add(new GlobalAveragePool(), x.Value);
        var features = net.Add(new Flatten(1), pooled);
        builder.Root["fc"].Classify(features, x.Mean, 1000);
    }

    private static Signal Bottleneck(Module block, Signal x, int width, int stride)
    {
        var y = block["conv1"].Convolution(x, width, kernel: 1);
        y = block["bn1"].BatchNormalization(y);
        y = block["relu"].Relu(y);
        y = block["conv2"].Convolution(y, width, kernel: 3, stride);
        y = block["bn2"].BatchNormalization(y);
        y = block["relu"].Relu(y);
        y = block["conv3"].Convolution(y, 4 * width, kernel: 1);
        y = block["bn3"].BatchNormalization(y, gain: 0.5);
        if (x.Channels != y.Channels)
        {
            x = block["downsample"][0].Convolution(x, 4 * width, kernel: 1, stride);
            x = block["downsample"][1].BatchNormalization(x);
        }
        return block.AddRelu(y, x);
    }
}
