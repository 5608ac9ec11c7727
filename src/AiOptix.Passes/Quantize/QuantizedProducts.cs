using AiOptix.Graphs;
using AiOptix.Graphs.Ops;
using AiOptix.Tensors;

namespace AiOptix.Passes.Quantize;

/// <summary>
/// Takes a Conv, ConvTranspose, Gemm or MatMul between DequantizeLinear and QuantizeLinear, perhaps with a Relu or Clip, and makes it a QLinearConv or QLinearMatMul: the same numbers without the rounding of
/// float32 on the way. A bound that the result's type does not have anyway is a Clip of bytes: rounding keeps the order. Weights are constant, but both factors of a MatMul may be calculated; the bias, of a MatMul an Add behind it, must be a dequantised int32 in
/// steps of both scales' product, as every quantiser writes it. A Gemm becomes a convolution over one pixel,
/// a ConvTranspose whose taps do not overlap one to the channels of all taps, and DepthToSpace.
/// </summary>
public sealed class QuantizedProducts : IPass
{
    /// <summary>How far a bias's scale may lie from the product, relatively: rounding to float32, twice.</summary>
    private const double ScaleTolerance = 3e-7;

    /// <inheritdoc/>
    public Patch? Match(Graph graph, Node node)
    {
        if (QuantizedOperand.Behind(node) is not { } result || Unclipped(node, result) is not var (product, reader, low, high)) return null;
        Value? addend = null;
        if (product.MadeOnlyFor<Add>(reader) is { } sum)
        {
            if (sum.Orders().FirstOrDefault(o => o.First.MadeOnlyFor<MatMul>(sum) is not null) is not { First: { } multiplied, Second: { } bias }) return null;
            (product, reader, addend) = (multiplied, sum, bias);
        }
        if ((product.MadeOnlyFor<Conv>(reader) ?? product.MadeOnlyFor<ConvTranspose>(reader) ?? product.MadeOnlyFor<Gemm>(reader) ?? product.MadeOnlyFor<MatMul>(reader)) is not { } source) return null;
        if (QuantizedOperand.Before(source.Input(0), graph) is not { IsScalar: true } x || QuantizedOperand.Before(source.Input(1), graph) is not { } w) return null;
        if (!w.Bytes.IsConstant && (source.Operator is not MatMul || addend is not null)) return null;
        var patch = new Patch(graph, $"{source} in integers");
        var made = source.Operator switch
        {
            Conv conv => Convolve(patch, source, conv, x, w, result),
            ConvTranspose transpose => Upscale(patch, source, transpose, x, w, result),
            Gemm { Alpha: 1, TransA: false } gemm => Multiply(patch, source, gemm, x, w, result),
            MatMul => Multiply(patch, source, addend, x, w, result),
            _ => null,
        };
        if (made is null)
        {
            patch.Discard();
            return null;
        }
        var (least, greatest) = Range(result);
        if (low > least || high < greatest) made = patch.Add(new Clip(), made, low > least ? Number(patch, result, low) : null, high < greatest ? Number(patch, result, high) : null);
        return patch.Replace(result.Bytes, source.Operator is ConvTranspose ? patch.Add(new DepthToSpace(w.Bytes.Constant!.Shape[2]), made) : made);
    }

    private static Value? Convolve(Patch patch, Node source, Conv conv, QuantizedOperand x, QuantizedOperand w, QuantizedOperand result)
    {
        if (!w.IsScalar && w.Axis != 0) return null;
        var (fits, bias) = Bias(source.Graph, source.Input(2), x, w);
        return fits ? Add(patch, conv, x.Bytes, w.Bytes, x, w, result, bias) : null;
    }

    /// <summary>The results of all taps of a pixel as its channels [tap row, tap column, channel].</summary>
    private static Value? Upscale(Patch patch, Node source, ConvTranspose op, QuantizedOperand x, QuantizedOperand w, QuantizedOperand result)
    {
        var weights = w.Bytes.Constant!;
        if (!Quantizable.IsUpscaling(op, weights.Shape) || !w.IsScalar && Patterns.AxisOf(w.Axis, 4) != 1) return null;
        var (fits, bias) = Bias(source.Graph, source.Input(2), x, w);
        if (!fits) return null;
        var taps = (int)weights.Shape.Product(2, 4);
        var scales = w.IsScalar ? w : w with { Scale = patch.Constant(Repeated(w.Scale.Constant!, taps)), Zero = w.Zero is { } zero ? patch.Constant(Repeated(zero.Constant!, taps)) : null };
        return Add(patch, new Conv(), x.Bytes, patch.Constant(ByTaps(weights, taps), w.Bytes.Name), x, scales, result, bias is null ? null : patch.Constant(Repeated(bias.Constant!, taps), bias.Name));
    }

    private static Value? Multiply(Patch patch, Node source, Gemm gemm, QuantizedOperand x, QuantizedOperand w, QuantizedOperand result)
    {
        if (source.Input(2) is not null && gemm.Beta != 1) return null;
        if (!w.IsScalar && Patterns.AxisOf(w.Axis, 2) != (gemm.TransB ? 0 : 1)) return null;
        var (fits, bias) = Bias(source.Graph, source.Input(2), x, w);
        if (!fits) return null;
        var filters = gemm.TransB ? w.Bytes.Constant! : Transposed(w.Bytes.Constant!);
        var weights = patch.Constant(filters.Reshape(new Shape(filters.Shape[0], filters.Shape[1], 1, 1)), w.Bytes.Name);
        var pixel = patch.Constant(Tensor.Vector<long>(2, 3));
        var sums = Add(patch, new Conv(), patch.Add(new Unsqueeze(), x.Bytes, pixel), weights, x, w, result, bias);
        return patch.Add(new Squeeze(), sums, pixel);
    }

    private static Value? Multiply(Patch patch, Node source, Value? addend, QuantizedOperand x, QuantizedOperand w, QuantizedOperand result)
    {
        if (source.Input(0)!.Shape is not { Rank: >= 2 } || w.Bytes.Shape is not { Rank: >= 2 } right || !w.IsScalar && Patterns.AxisOf(w.Axis, 2) != 1) return null;
        if (w.Bytes.IsConstant ? right.Rank > 2 : !w.IsScalar) return null;
        var (fits, bias) = Bias(source.Graph, addend, x, w);
        if (!fits || bias is not null && bias.Constant!.Count != right[-1].Constant) return null;
        return patch.Add(new QLinearMatMul(), x.Bytes, x.Scale, x.ZeroIn(patch), w.Bytes, w.Scale, w.ZeroIn(patch), result.Scale, result.ZeroIn(patch), bias);
    }

    private static Value Add(Patch patch, Conv conv, Value input, Value weights, QuantizedOperand x, QuantizedOperand w, QuantizedOperand result, Value? bias) =>
        patch.Add(new QLinearConv(conv), input, x.Scale, x.ZeroIn(patch), weights, w.Scale, w.ZeroIn(patch), result.Scale, result.ZeroIn(patch), bias);

    /// <summary>What is quantised, before a Relu or a Clip, and the bytes that these bounds are.</summary>
    private static (Value Value, Node Reader, int Low, int High)? Unclipped(Node node, QuantizedOperand result)
    {
        if (node.Input(0) is not { } value) return null;
        var (least, greatest) = Range(result);
        if (value.MadeOnlyFor<Relu>(node) is { } relu) return (relu.Inputs[0]!, relu, Step(0, result), greatest);
        if (value.MadeOnlyFor<Clip>(node) is not { } clip) return (value, node, least, greatest);
        var low = clip.Input(1) is { } l ? l.Number() : double.NegativeInfinity;
        var high = clip.Input(2) is { } h ? h.Number() : double.PositiveInfinity;
        return low <= high ? (clip.Inputs[0]!, clip, Step(low.Value, result), Step(high!.Value, result)) : null;
    }

    private static int Step(double number, QuantizedOperand result)
    {
        var (least, greatest) = Range(result);
        return (int)Math.Clamp(Math.Round(number / result.Scale.Constant!.Span<float>()[0], MidpointRounding.ToEven) + result.ZeroPoint, least, greatest);
    }

    private static Value Number(Patch patch, QuantizedOperand result, int value) => patch.Constant(result.Bytes.DType == DType.Int8 ? Tensor.Scalar((sbyte)value) : Tensor.Scalar((byte)value));

    private static (int Least, int Greatest) Range(QuantizedOperand result) => result.Bytes.DType == DType.Int8 ? (sbyte.MinValue, sbyte.MaxValue) : (byte.MinValue, byte.MaxValue);

    /// <summary>The int32 addends of a product; not fitting when they are something else.</summary>
    private static (bool Fits, Value? Integers) Bias(Graph graph, Value? bias, QuantizedOperand x, QuantizedOperand w)
    {
        if (bias is null) return (true, null);
        if (bias.MadeBy<DequantizeLinear>(graph) is not { Inputs: [{ Constant: { DType: DType.Int32, Shape.Rank: 1 } integers } values, { Constant: { DType: DType.Float32 } scales }, ..] } node)
            return (false, null);
        if (node.Input(2) is { } z && !(z.Constant?.ToInt64().All(n => n == 0) ?? false)) return (false, null);
        var given = scales.Span<float>();
        var filters = w.Scale.Constant!.Span<float>();
        var input = (double)x.Scale.Constant!.Span<float>()[0];
        var count = Math.Max(given.Length, filters.Length);
        if (given.Length != 1 && given.Length != integers.Count || filters.Length != 1 && filters.Length != integers.Count) return (false, null);
        for (var i = 0; i < count; i++)
        {
            var expected = input * filters[filters.Length == 1 ? 0 : i];
            if (!(Math.Abs(given[given.Length == 1 ? 0 : i] - expected) <= ScaleTolerance * expected)) return (false, null);
        }
        return (true, values);
    }

    /// <summary>Weights [C, M, taps…] as [taps · M, C, 1, 1].</summary>
    private static Tensor ByTaps(Tensor weights, int taps)
    {
        var (channels, filters) = ((int)weights.Shape[0], (int)weights.Shape[1]);
        var result = Tensor.Allocate(weights.DType, new Shape((long)taps * filters, channels, 1, 1));
        var from = weights.Bytes;
        var to = result.Bytes;
        for (var c = 0; c < channels; c++)
            for (var m = 0; m < filters; m++)
                for (var t = 0; t < taps; t++) to[(t * filters + m) * channels + c] = from[(c * filters + m) * taps + t];
        GC.KeepAlive(weights);
        return result;
    }

    /// <summary>A vector some times over.</summary>
    private static Tensor Repeated(Tensor vector, int times)
    {
        var result = Tensor.Allocate(vector.DType, new Shape(vector.Count * times));
        for (var t = 0; t < times; t++) vector.Bytes.CopyTo(result.Bytes[(t * vector.Bytes.Length)..]);
        GC.KeepAlive(vector);
        return result;
    }

    private static Tensor Transposed(Tensor matrix)
    {
        var (rows, columns) = ((int)matrix.Shape[0], (int)matrix.Shape[1]);
        var result = Tensor.Allocate(matrix.DType, new Shape(columns, rows));
        var from = matrix.Bytes;
        var to = result.Bytes;
        for (var r = 0; r < rows; r++)
            for (var c = 0; c < columns; c++) to[c * rows + r] = from[r * columns + c];
        GC.KeepAlive(matrix);
        return result;
    }
}
