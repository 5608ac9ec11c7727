using AiOptix.Graphs;
using AiOptix.Graphs.Ops;
using AiOptix.Tensors;

namespace AiOptix.Passes.Fold;

/// <summary>
/// Takes y * scale + shift, a number each per output channel (axis 1), into the weights and the bias of the product that makes y. Calculated in float64
/// and rounded once.
/// </summary>
internal static class ChannelAffine
{
    /// <summary>The product behind a value: a Conv, ConvTranspose or Gemm, a MatMul of rank 2, that only <paramref name="reader"/> reads; otherwise null.</summary>
    public static Node? Product(Value? value, Node reader) =>
        value.MadeOnlyFor<Conv>(reader) ?? value.MadeOnlyFor<ConvTranspose>(reader) ?? value.MadeOnlyFor<Gemm>(reader)
        ?? (value.MadeOnlyFor<MatMul>(reader) is { Inputs: [{ Shape.Rank: 2 }, { Shape.Rank: 2 }] } product ? product : null);

    /// <summary>A patch in which the product's successor is taken into it.</summary>
    /// <param name="product">What <see cref="Product"/> found.</param>
    /// <param name="last">The value that the new product makes.</param>
    /// <param name="scale">A factor per channel; null leaves the weights alone.</param>
    /// <param name="shift">A summand per channel; null when there is none, so that a product without bias stays so.</param>
    /// <param name="description">What the patch says it does.</param>
    /// <returns>Null when weights or bias are not constant, weights are large and shared, or numbers leave the range of their type.</returns>
    public static Patch? Fold(Node product, Value last, double[]? scale, double[]? shift, string description)
    {
        if (product.Input(1) is not { Constant: { } weights } w || !Reals.CanWrite(weights.DType)) return null;
        if (scale is not null && w.Users.Count > 1 && weights.ByteLength > ConstantFolding.MaxBytes) return null;
        var (beta, alone) = product.Operator is Gemm gemm ? (gemm.Beta, gemm with { Beta = 1 }) : (1f, product.Operator);
        if (Bias(product.Input(2), (scale ?? shift)!.Length) is not { } bias) return null;
        for (var i = 0; i < bias.Length; i++) bias[i] = bias[i] * beta * (scale?[i] ?? 1) + (shift?[i] ?? 0);
        if ((scale is null ? weights : Scaled(product.Operator, weights, scale)) is not { } newWeights) return null;
        var newBias = Reals.Write(bias, weights.DType, new Shape(bias.Length));
        if (!AllFinite(newBias)) return null;
        var patch = new Patch(product.Graph, description);
        var kernel = scale is null ? w : patch.Constant(newWeights, w.Name);
        if (shift is null && product.Input(2) is null) return patch.Replace(last, patch.Add(alone, product.Inputs[0], kernel));
        var added = patch.Constant(newBias, product.Input(2)?.Name ?? $"{product.Name}.bias");
        var result = product.Operator is MatMul
            ? patch.Add(new Add(), patch.Add(alone, product.Inputs[0], kernel), added)
            : patch.Add(alone, product.Inputs[0], kernel, added);
        return patch.Replace(last, result);
    }

    /// <summary>The bias of every channel; null when it is not a constant or differs within a channel.</summary>
    private static double[]? Bias(Value? bias, int channels)
    {
        if (bias is null) return new double[channels];
        if (bias.Constant is not { } t || !Reals.CanWrite(t.DType)) return null;
        if (t.Count == 1) return [.. Enumerable.Repeat(Reals.Read(t)[0], channels)];
        return t.Count == channels && t.Shape[-1] == channels ? Reals.Read(t) : null;
    }

    private static Tensor? Scaled(Operator op, Tensor weights, double[] scale)
    {
        var s = weights.Shape;
        var (axis, groups) = op switch
        {
            ConvTranspose t => (1, t.Group),
            Gemm { TransB: false } or MatMul => (1, 1),
            _ => (0, 1L),
        };
        var inner = s.Product(axis + 1, s.Rank);
        long Channel(long row) => row % s[axis] + (groups > 1 ? row / s[axis] / (s[0] / groups) * s[axis] : 0);
        return weights.DType == DType.Float32 ? ScaledSingles(weights, scale, inner, Channel) : ScaledReals(weights, scale, inner, Channel);
    }

    private static Tensor? ScaledReals(Tensor weights, double[] scale, long inner, Func<long, long> channel)
    {
        var values = Reals.Read(weights);
        for (var i = 0; i < values.Length; i++) values[i] *= scale[channel(i / inner)];
        var result = Reals.Write(values, weights.DType, weights.Shape);
        return AllFinite(result) ? result : null;
    }

    private static Tensor? ScaledSingles(Tensor weights, double[] scale, long inner, Func<long, long> channel)
    {
        var result = Tensor.Allocate(DType.Float32, weights.Shape);
        var from = weights.Span<float>();
        var to = result.Span<float>();
        uint most = 0;
        for (var at = 0; at < from.Length; at += (int)inner) most = Math.Max(most, Scale(from.Slice(at, (int)inner), scale[channel(at / inner)], to.Slice(at, (int)inner)));
        GC.KeepAlive(weights);
        return float.IsFinite(BitConverter.UInt32BitsToSingle(most)) ? result : null;
    }

    /// <summary>Scales a row; returns the bits of what is largest in it without its sign, which are in the order of magnitudes, infinities and NaN last.</summary>
    private static uint Scale(ReadOnlySpan<float> from, double factor, Span<float> to)
    {
        uint most = 0;
        for (var i = 0; i < from.Length && i < to.Length; i++)
        {
            var value = (float)(from[i] * factor);
            to[i] = value;
            most = Math.Max(most, BitConverter.SingleToUInt32Bits(value) & 0x7FFFFFFF);
        }
        return most;
    }

    private static bool AllFinite(Tensor tensor) => Reals.Read(tensor).All(double.IsFinite);
}
