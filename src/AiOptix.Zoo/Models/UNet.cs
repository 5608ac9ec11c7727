using AiOptix.Graphs;
using AiOptix.Graphs.Ops;
using AiOptix.Tensors;

namespace AiOptix.Zoo;

/// <summary>
/// U-Net (Ronneberger et al., "U-Net: Convolutional Networks for Biomedical Image Segmentation", 2015) in its usual PyTorch form: padded convolutions with batch
/// normalisation, transposed convolutions on the way up, scores of two classes for every pixel. Images have a side that 16 divides.
/// </summary>
internal static class UNet
{
    private static readonly int[] widths = [64, 128, 256, 512, 1024];

    public static ZooEntry Entry { get; } = new("u-net", "U-Net image segmentation, 31.0 M parameters, 256x256, transposed convolutions", ZooKind.Convolution, opset: 13,
        o => [new("input", DType.Float32, new(Dim.Symbol("batch"), 3, Side(o), Side(o)), ZooContent.Normal)], Build);

    private static int Side(ZooOptions options)
    {
        var side = options.ImageSize ?? 256;
        return side % 16 == 0 ? side : throw new InvalidInputException($"u-net has image size {side}; expected a multiple of 16");
    }

    private static void Build(Builder builder)
    {
        var net = builder.Root;
        var x = Twice(net["inc"], Signal.Input(builder.Input("input"), 3), widths[0]);
        var around = new Stack<Signal>();
        for (var i = 1; i < widths.Length; i++)
        {
            around.Push(x);
            var down = net[FormattableString.Invariant($"down{i}")]["maxpool_conv"];
            x = Twice(down[1], x.Maxima(down[0].Add(new MaxPool([2, 2], [2, 2], [0, 0, 0, 0], [1, 1]), x.Value)), widths[i]);
        }
        for (var i = 1; i < widths.Length; i++)
        {
            var up = net[FormattableString.Invariant($"up{i}")];
            var y = up["up"].Doubled(x, x.Channels / 2);
            var side = around.Pop();
            x = Twice(up["conv"], SignalMaps.Joined(up.Add(new Concat(1), side.Value, y.Value), side, y), side.Channels);
        }
        var last = net["outc"]["conv"];
        last.Output("output", new Conv([1, 1], [0, 0, 0, 0], [1, 1], 1), x.Value,
            last.Weight("weight", new Shape(2, x.Channels, 1, 1), 2 / Math.Sqrt(x.Channels)), last.Weight("bias", new Shape(2), 0.05));
    }

    /// <summary>Twice: convolution, normalisation, rectifier.</summary>
    private static Signal Twice(Module module, Signal x, int channels)
    {
        var list = module["double_conv"];
        for (var i = 0; i < 6; i += 3)
        {
            x = list[i].Convolution(x, channels, kernel: 3);
            x = list[i + 2].Relu(list[i + 1].BatchNormalization(x));
        }
        return x;
    }

    /// <summary>Maxima of four elements behind a rectifier, whose spread is about that of one.</summary>
    private static Signal Maxima(this Signal x, Value value) =>
        new(value, [.. x.Mean.Zip(x.Variance, (m, v) => m + Math.Sqrt(v))], x.Variance);

    /// <summary>A transposed convolution without overlap: every element becomes four.</summary>
    private static Signal Doubled(this Module module, Signal x, int channels)
    {
        var weight = module.Weight("weight", new Shape(x.Channels, channels, 2, 2), Math.Sqrt(1.0 / x.Channels));
        var bias = module.Weight("bias", new Shape(channels), 0.05);
        var value = module.Add(new ConvTranspose([2, 2], [0, 0, 0, 0], [1, 1], 1), x.Value, weight, bias);
        var w = weight.Constant!.Span<float>();
        var b = bias.Constant!.Span<float>();
        var (mean, variance) = (new double[channels], new double[channels]);
        for (var c = 0; c < channels; c++)
        {
            var (sum, squares) = (0.0, 0.0);
            for (var t = 0; t < 4; t++)
            {
                var at = 0.0;
                for (var i = 0; i < x.Channels; i++)
                {
                    var k = w[(i * channels + c) * 4 + t];
                    at += k * x.Mean[i];
                    squares += (double)k * k * x.Variance[i] / 4;
                }
                sum += at / 4;
                squares += at * at / 4;
            }
            (mean[c], variance[c]) = (sum + b[c], squares - sum * sum);
        }
        return new(value, mean, variance);
    }
}
