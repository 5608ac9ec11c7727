using AiOptix.Tensors;

namespace AiOptix.Passes.Quantize;

/// <summary>Rounds weights to integers.</summary>
internal static class QuantizedWeights
{
    /// <summary>An int32 bias stays below this magnitude, so that sums keep room.</summary>
    private const double MostBias = 1 << 30;

    /// <summary>Symmetric int8 with a scale for each channel, and the bias as int32 in steps of both scales' product.</summary>
    /// <param name="weights">float32.</param>
    /// <param name="axis">The channels.</param>
    /// <param name="bias">A number for each channel; null for none.</param>
    /// <param name="inputScale">The scale of what is multiplied with the weights.</param>
    public static (Tensor Integers, float[] Scales, Tensor? Bias) PerChannel(Tensor weights, int axis, double[]? bias, float inputScale)
    {
        var scales = ChannelMaxima(weights, axis);
        for (var c = 0; c < scales.Length; c++)
        {
            // A channel of tiny weights and a large bias takes a coarser step, so that the bias fits.
            var least = bias is null || inputScale == 0 ? 0 : Math.Abs(bias[c]) / (inputScale * MostBias);
            var scale = (float)Math.Max(scales[c] / 127.0, least);
            scales[c] = float.IsNormal(scale) && float.IsNormal(scale * Math.Max(inputScale, float.Epsilon)) ? scale : 1;
        }
        var integers = Tensor.Allocate(DType.Int8, weights.Shape);
        var from = weights.Span<float>();
        var to = integers.Span<sbyte>();
        var inner = (int)weights.Shape.Product(axis + 1, weights.Shape.Rank);
        if (inner == 1)
        {
            for (var i = 0; i < from.Length; i += scales.Length)
                for (var c = 0; c < scales.Length; c++) to[i + c] = Step(from[i + c], scales[c]);
        }
        else
        {
            for (var i = 0; i < from.Length; i += inner)
            {
                var scale = scales[i / inner % scales.Length];
                for (var j = i; j < i + inner; j++) to[j] = Step(from[j], scale);
            }
        }
        GC.KeepAlive(weights);
        return (integers, scales, bias is null ? null : Tensor.Vector<int>([.. bias.Select((b, c) => (int)Math.Clamp(Math.Round(b / ((double)inputScale * scales[c]), MidpointRounding.ToEven), -MostBias, MostBias))]));
    }

    /// <summary>Symmetric integers of 8 or 4 bits with a scale for each block of rows in each column of a matrix [K, N]; the last block may be shorter.</summary>
    public static (Tensor Integers, Tensor Scales) InBlocks(Tensor matrix, int block, int bits)
    {
        var (rows, columns) = ((int)matrix.Shape[0], (int)matrix.Shape[1]);
        var blocks = (rows + block - 1) / block;
        var most = bits == 8 ? 127f : 7f;
        var scales = Tensor.Allocate(DType.Float32, new Shape(blocks, columns), zeroed: true);
        var integers = Tensor.Allocate(bits == 8 ? DType.Int8 : DType.Int4, matrix.Shape, zeroed: true);
        var from = matrix.Span<float>();
        var s = scales.Span<float>();
        var to = integers.Bytes;
        for (var r = 0; r < rows; r++)
            for (var c = 0; c < columns; c++) s[r / block * columns + c] = Math.Max(s[r / block * columns + c], Math.Abs(from[r * columns + c]));
        for (var i = 0; i < s.Length; i++) s[i] = float.IsNormal(s[i] / most) ? s[i] / most : 1;
        for (var r = 0; r < rows; r++)
            for (var c = 0; c < columns; c++)
            {
                var at = r * columns + c;
                var step = (int)Math.Clamp(MathF.Round(from[at] / s[r / block * columns + c], MidpointRounding.ToEven), -most, most);
                if (bits == 8) to[at] = unchecked((byte)step);
                else to[at / 2] |= unchecked((byte)((step & 15) << (at % 2 * 4)));
            }
        GC.KeepAlive(matrix);
        return (integers, scales);
    }

    /// <summary>How much the mean result of every channel rises by rounding the weights, for given means of the input's channels.</summary>
    public static double[] MeanShift(Tensor weights, Tensor integers, float[] scales, int axis, bool isMatrix, long group, double[] means)
    {
        var shift = new double[scales.Length];
        var w = weights.Span<float>();
        var q = integers.Span<sbyte>();
        var inner = (int)weights.Shape.Product(axis + 1, weights.Shape.Rank);
        var taps = isMatrix ? 1 : (int)weights.Shape.Product(2, weights.Shape.Rank);
        var perGroup = isMatrix ? 0 : (int)weights.Shape[1];
        // Where the input's channels come first, a result is met by one tap: the mean over all of them counts.
        var share = isMatrix || axis == 0 ? 1 : 1.0 / taps;
        for (var i = 0; i < w.Length; i++)
        {
            var channel = i / inner % scales.Length;
            var input = axis == 1 ? i / inner / scales.Length : isMatrix ? i % inner : channel / (scales.Length / (int)group) * perGroup + i % inner / taps;
            shift[channel] += (q[i] * (double)scales[channel] - w[i]) * means[input] * share;
        }
        GC.KeepAlive(weights);
        GC.KeepAlive(integers);
        return shift;
    }

    private static sbyte Step(float value, float scale) => (sbyte)Math.Clamp(MathF.Round(value / scale, MidpointRounding.ToEven), -127f, 127f);

    private static float[] ChannelMaxima(Tensor weights, int axis)
    {
        var maxima = new float[weights.Shape[axis]];
        var inner = (int)weights.Shape.Product(axis + 1, weights.Shape.Rank);
        var from = weights.Span<float>();
        for (var i = 0; i < from.Length; i++)
        {
            ref var most = ref maxima[i / inner % maxima.Length];
            most = Math.Max(most, Math.Abs(from[i]));
        }
        GC.KeepAlive(weights);
        return maxima;
    }
}
