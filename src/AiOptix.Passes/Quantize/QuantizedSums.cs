using AiOptix.Graphs;
using AiOptix.Graphs.Ops;
using AiOptix.Tensors;

namespace AiOptix.Passes.Quantize;

/// <summary>
/// Takes a MatMul or Conv of dequantised bytes whose result stays a number, and has integers multiplied: MatMulInteger or ConvInteger, a Cast, a product with both scales, and the bias of a Conv. One that is
/// quantised again is left to <see cref="QuantizedProducts"/>.
/// </summary>
public sealed class QuantizedSums : IPass
{
    /// <summary>The most terms whose sum of products of bytes is an int32 whatever they are.</summary>
    private const long MostTerms = int.MaxValue / (255 * 255);

    /// <inheritdoc/>
    public Patch? Match(Graph graph, Node node)
    {
        if (node.Operator is not (MatMul or Conv) || node.Inputs.Count < 2 || node.Output.Shape is null || IsQuantised(node.Output)) return null;
        if (QuantizedOperand.Before(node.Input(0), graph) is not { IsScalar: true } x || QuantizedOperand.Before(node.Input(1), graph) is not { Bytes: { Constant: { } filters } } w) return null;
        var patch = new Patch(graph, $"{node} in integers");
        if ((node.Operator is Conv conv ? Convolve(patch, node, conv, x, w, filters.Shape) : Multiply(patch, node, x, w, filters.Shape)) is { } made) return patch.Replace(node.Output, made);
        patch.Discard();
        return null;
    }

    private static bool IsQuantised(Value value) =>
        value.SoleUser is { } user && (user.Operator is QuantizeLinear || user.Operator is Relu or Clip && user.Output.SoleUser?.Operator is QuantizeLinear
            || user.Operator is Add && user.Inputs.Any(i => i?.Producer is { Operator: DequantizeLinear, Inputs: [{ DType: DType.Int32, IsConstant: true }, ..] }) && IsQuantised(user.Output));

    private static Value? Multiply(Patch patch, Node node, QuantizedOperand x, QuantizedOperand w, Shape shape)
    {
        if (shape.Rank != 2 || shape[0] > MostTerms || x.Bytes.Shape is not { Rank: >= 2 } || !w.IsScalar && Patterns.AxisOf(w.Axis, 2) != 1) return null;
        return Scaled(patch, patch.Add(new MatMulInteger(), x.Bytes, w.Bytes, x.ZeroIn(patch), w.ZeroIn(patch)), Scales(x, w));
    }

    private static Value? Convolve(Patch patch, Node node, Conv conv, QuantizedOperand x, QuantizedOperand w, Shape shape)
    {
        if (shape.Rank < 3 || shape.Count / Math.Max(1, shape[0]) > MostTerms || !w.IsScalar && w.Axis != 0 || node.Input(2) is { Shape: null }) return null;
        long[] upright = [1, shape[0], .. Enumerable.Repeat(1L, shape.Rank - 2)];
        var scales = Scales(x, w);
        var y = Scaled(patch, patch.Add(new ConvInteger(conv), x.Bytes, w.Bytes, x.ZeroIn(patch), w.ZeroIn(patch)), w.IsScalar ? scales : Upright(scales, shape.Rank));
        return node.Input(2) is { } bias ? patch.Add(new Add(), y, patch.Add(new Reshape(), bias, patch.Constant(Tensor.Vector<long>(upright)))) : y;
    }

    private static Value Scaled(Patch patch, Value sums, Tensor scales) => patch.Add(new Mul(), patch.Add(new Cast(DType.Float32), sums), patch.Constant(scales));

    /// <summary>The scale of x times each of w.</summary>
    private static Tensor Scales(QuantizedOperand x, QuantizedOperand w)
    {
        var one = x.Scale.Constant!.Span<float>()[0];
        var others = w.Scale.Constant!.Span<float>();
        var all = new float[others.Length];
        for (var i = 0; i < all.Length; i++) all[i] = one * others[i];
        return w.IsScalar ? Tensor.Scalar(all[0]) : Tensor.Vector(all);
    }

    private static Tensor Upright(Tensor vector, int rank) => vector.Reshape(new Shape([1, vector.Count, .. Enumerable.Repeat(1L, rank - 2)]));
}
