using AiOptix.Graphs;
using AiOptix.Graphs.Ops;
using AiOptix.Tensors;

namespace AiOptix.Zoo;

/// <summary>
/// A detector in the shape of YOLOv8-n (Jocher et al., 2023), exported with its normalisations folded, and with its post-processing in the graph: boxes from
/// distributions of distances, then NonMaxSuppression. Images have a side that 32 divides.
/// </summary>
internal static class YoloV8N
{
    public static ZooEntry Entry { get; } = new("yolov8-n", "YOLOv8-n-like detector, 3.2 M parameters, 640x640, with non-maximum suppression", ZooKind.Convolution, opset: 17,
        o => [new("images", DType.Float32, new(Dim.Symbol("batch"), 3, Side(o), Side(o)), ZooContent.Normal)], Build);

    private static int Side(ZooOptions options)
    {
        var side = options.ImageSize ?? 640;
        return side > 0 && side % 32 == 0 ? side : throw new InvalidInputException($"yolov8-n has image size {side}; expected a multiple of 32");
    }

    private static void Build(Builder builder)
    {
        var net = builder.Root["model"];
        Module At(int item) => net[item];
        var x = Unit(At(1), Unit(At(0), Signal.Input(builder.Input("images"), 3), 16, 3, 2), 32, 3, 2);
        x = Unit(At(3), Stage(At(2), x, 32, 1, adds: true), 64, 3, 2);
        var fine = Stage(At(4), x, 64, 2, adds: true);
        var middle = Stage(At(6), Unit(At(5), fine, 128, 3, 2), 128, 2, adds: true);
        var coarse = Pyramid(At(9), Stage(At(8), Unit(At(7), middle, 256, 3, 2), 256, 1, adds: true));

        var inner = Stage(At(12), Join(At(11), Larger(At(10), coarse), middle), 128, 1, adds: false);
        var small = Stage(At(15), Join(At(14), Larger(At(13), inner), fine), 64, 1, adds: false);
        var medium = Stage(At(18), Join(At(17), Unit(At(16), small, 64, 3, 2), inner), 128, 1, adds: false);
        var large = Stage(At(21), Join(At(20), Unit(At(19), medium, 128, 3, 2), coarse), 256, 1, adds: false);
        DetectionHead.Add(builder, At(22), [small, medium, large], Side(builder.Options));
    }

    /// <summary>
    /// How far channels spread before an activation. Around 1 x · sigmoid(x) is bent so much that a channel which spreads a little more than was reckoned spreads
    /// more and more from layer to layer; here it is nearly a rectifier, which keeps the ratio.
    /// </summary>
    private const double Spread = 3;

    /// <summary>The mean and the variance of the largest of 5·5, 9·9 and 13·13 normal numbers.</summary>
    private static readonly (double Mean, double Variance)[] largest = [(1.965, 0.258), (2.427, 0.191), (2.671, 0.166)];

    /// <summary>Convolution and x · sigmoid(x).</summary>
    internal static Signal Unit(Module module, Signal x, int channels, int kernel, int stride = 1) => module["act"].Silu(Convolved(module, x, channels, kernel, stride));

    private static Signal Convolved(Module module, Signal x, int channels, int kernel, int stride = 1) =>
        module["conv"].FoldedConvolution(x, channels, kernel, stride, Spread);

    /// <summary>Two halves; the second goes on through blocks, and all that came about is joined.</summary>
    private static Signal Stage(Module module, Signal x, int channels, int blocks, bool adds)
    {
        var half = channels / 2;
        var first = Unit(module["cv1"], x, channels, 1);
        var halves = module.Split(first.Value, 1, half, half);
        List<Signal> parts = [new(halves[0], first.Mean[..half], first.Variance[..half]), new(halves[1], first.Mean[half..], first.Variance[half..])];
        for (var i = 0; i < blocks; i++)
        {
            var block = module.ListItem("m", i);
            var y = Unit(block["cv2"], Unit(block["cv1"], parts[^1], half, 3), half, 3);
            parts.Add(adds ? block.Sum(parts[^1], y) : y);
        }
        return Unit(module["cv2"], Join(module, [.. parts]), channels, 1);
    }

    /// <summary>Maxima of ever larger windows, joined. The activation before them rises wherever it counts, so the largest result is that of the largest argument.</summary>
    private static Signal Pyramid(Module module, Signal x)
    {
        var before = Convolved(module["cv1"], x, x.Channels / 2, 1);
        List<Signal> parts = [module["cv1"]["act"].Silu(before)];
        foreach (var (above, spread) in largest)
        {
            var value = module["m"].Add(new MaxPool([5, 5], [1, 1], [2, 2, 2, 2], [1, 1]), parts[^1].Value);
            var top = before with { Mean = [.. before.Mean.Zip(before.Variance, (m, v) => m + above * Math.Sqrt(v))], Variance = [.. before.Variance.Select(v => spread * v)] };
            parts.Add(top.Mapped(value, SignalMaps.Silu));
        }
        return Unit(module["cv2"], Join(module, [.. parts]), x.Channels, 1);
    }

    private static Signal Join(Module module, params ReadOnlySpan<Signal> parts) =>
        SignalMaps.Joined(module.Add(new Concat(1), [.. parts.ToArray().Select(p => p.Value)]), parts);

    private static Signal Larger(Module module, Signal x)
    {
        var scales = module.Scales(1, 1, 2, 2);
        return x with { Value = module.Add(new Resize(ResizeMode.Nearest, ResizeCoordinates.Asymmetric, ResizeRounding.Floor), x.Value, null, scales) };
    }
}
