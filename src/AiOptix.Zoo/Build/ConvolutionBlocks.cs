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

    private static double[] Doubles(Value weight, Func<double, double> map) => [.. weight.Constant!.Span<float>().ToArray().Select(s => map(s))];
}
