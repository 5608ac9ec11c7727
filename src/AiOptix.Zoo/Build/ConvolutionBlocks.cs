using AiOptix.Graphs;
using AiOptix.Graphs.Ops;
using AiOptix.Tensors;

namespace AiOptix.Zoo;

/// <summary>The layers of convolutional networks, in the form in which they are exported before normalisations are folded.</summary>
internal static class ConvolutionBlocks
{
    /// <summary>A square convolution without bias, scaled for a rectifier behind it (He et al. 2015), with "same" padding for odd kernels.</summary>
    public static Signal Convolution(this Module module, Signal x, int channels, int kernel, int stride = 1, int groups = 1)
    {
        var fanIn = x.Channels / groups * kernel * kernel;
        var weight = module.Weight("weight", new Shape(channels, x.Channels / groups, kernel, kernel), Math.Sqrt(2.0 / fanIn));
        long pad = kernel / 2;
        var value = module.Add(new Conv([stride, stride], [pad, pad, pad, pad], [1, 1], groups), x.Value, weight);
        var mean = new double[channels];
        var variance = new double[channels];
        var w = weight.Constant!.Span<float>();
        var taps = kernel * kernel;
        for (var c = 0; c < channels; c++)
            for (var i = 0; i < x.Channels / groups; i++)
            {
                var from = c / (channels / groups) * (x.Channels / groups) + i;
                foreach (var t in w.Slice((c * (x.Channels / groups) + i) * taps, taps))
                {
                    mean[c] += t * x.Mean[from];
                    variance[c] += (double)t * t * x.Variance[from];
                }
            }
        return new(value, mean, variance);
    }

    /// <summary>A batch normalisation whose running statistics are those of its input; scales vary around <paramref name="gain"/>, shifts around 0.</summary>
    public static Signal BatchNormalization(this Module module, Signal x, double gain = 1)
    {
        var channels = new Shape(x.Channels);
        var scale = module.Weight("weight", channels, 0.1 * gain, gain);
        var shift = module.Weight("bias", channels, 0.1);
        var mean = module.Weight("running_mean", Tensor.Vector<float>([.. x.Mean.Select(m => (float)m)]));
        var variance = module.Weight("running_var", Tensor.Vector<float>([.. x.Variance.Select(v => (float)v)]));
        var value = module.Add(new BatchNormalization(1e-5f), x.Value, scale, shift, mean, variance);
        return new(value, Doubles(shift, s => s), Doubles(scale, s => s * s));
    }

    /// <summary>A square convolution with a normalisation folded into its weight and bias: channels leave it with mean 0 and variance 1, about.</summary>
    public static Signal FoldedConvolution(this Module module, Signal x, int channels, int kernel, int stride = 1, double gain = 1, string? output = null)
    {
        var weight = module.Weight("weight", new Shape(channels, x.Channels, kernel, kernel), 1);
        var bias = module.Weight("bias", new Shape(channels), 0.1);
        var w = weight.Constant!.Span<float>();
        var b = bias.Constant!.Span<float>();
        var taps = kernel * kernel;
        for (var c = 0; c < channels; c++)
        {
            var own = w.Slice(c * x.Channels * taps, x.Channels * taps);
            var (mean, variance) = (0.0, 1e-6);
            for (var i = 0; i < own.Length; i++)
            {
                mean += own[i] * x.Mean[i / taps];
                variance += (double)own[i] * own[i] * x.Variance[i / taps];
            }
            var scale = gain / Math.Sqrt(variance);
            foreach (ref var t in own) t = (float)(t * scale);
            b[c] -= (float)(mean * scale);
        }
        long pad = kernel / 2;
        var value = module.Output(output, new Conv([stride, stride], [pad, pad, pad, pad], [1, 1], 1), x.Value, weight, bias);
        return new(value, new double[channels], [.. Enumerable.Repeat(gain * gain, channels)]);
    }

    /// <summary>x · sigmoid(x), as two nodes.</summary>
    public static Signal Silu(this Module module, Signal x) => x.Mapped(module.Add(new Mul(), x.Value, module.Add(new Sigmoid(), x.Value)), SignalMaps.Silu);

    /// <summary>A rectifier.</summary>
    public static Signal Relu(this Module module, Signal x) => x.Rectified(module.Add(new Relu(), x.Value));

    /// <summary>
    /// Maxima of 3x3 windows, every second one, behind a rectifier. The largest of nine normal numbers lies 1.485 deviations above their mean and has 0.357 of
    /// their variance; it is hardly ever rectified, so that its statistics follow from those <paramref name="before"/> the rectifier.
    /// </summary>
    public static Signal MaxPool(this Module module, Signal rectified, Signal before) =>
        new(module.Add(new MaxPool([3, 3], [2, 2], [1, 1, 1, 1], [1, 1]), rectified.Value),
            [.. before.Mean.Zip(before.Variance, (m, v) => m + 1.485 * Math.Sqrt(v))], [.. before.Variance.Select(v => 0.357 * v)]);

    /// <summary>The end of a residual block: the sum of what the block adds and what goes around it, rectified.</summary>
    public static Signal AddRelu(this Module block, Signal branch, Signal around)
    {
        var sum = block.Add(new Add(), branch.Value, around.Value);
        return around.RectifiedSum(branch, block["relu"].Add(new Relu(), sum));
    }

    /// <summary>The sum of what a block adds and what goes around it.</summary>
    public static Signal Sum(this Module block, Signal around, Signal branch) => around.Plus(branch, block.Add(new Add(), around.Value, branch.Value));

    /// <summary>
    /// Scores of classes from pooled features [batch, channels], the model's output; the bias takes out what all inputs have in common, as training would.
    /// </summary>
    public static void Classify(this Module layer, Value features, double[] common, int classes, string output = "output")
    {
        var weight = layer.Weight("weight", new Shape(classes, common.Length), 4 / Math.Sqrt(common.Length));
        var bias = Tensor.Allocate(DType.Float32, new Shape(classes));
        var w = weight.Constant!.Span<float>();
        for (var c = 0; c < classes; c++)
        {
            var shared = 0.0;
            for (var i = 0; i < common.Length; i++) shared += w[c * common.Length + i] * common[i];
            bias.Span<float>()[c] = (float)-shared;
        }
        layer.Output(output, new Gemm(TransB: true), features, weight, layer.Weight("bias", bias));
    }

    private static double[] Doubles(Value weight, Func<double, double> map) => [.. weight.Constant!.Span<float>().ToArray().Select(s => map(s))];
}
