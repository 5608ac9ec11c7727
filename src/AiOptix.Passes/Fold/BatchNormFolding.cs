using AiOptix.Graphs;
using AiOptix.Graphs.Ops;

namespace AiOptix.Passes.Fold;

/// <summary>Takes a BatchNormalization with known statistics into the weights and bias of the Conv, ConvTranspose, Gemm or MatMul before it, when nobody else reads that one's result.</summary>
public sealed class BatchNormFolding : IPass
{
    /// <inheritdoc/>
    public Patch? Match(Graph graph, Node node)
    {
        if (node.Operator is not BatchNormalization { Training: false } norm || ChannelAffine.Product(node.Input(0), node) is not { } product) return null;
        var parameters = node.Inputs.Skip(1).Select(i => i?.Constant is { } t && Reals.CanWrite(t.DType) ? Reals.Read(t) : null).ToArray();
        if (parameters is not [{ } scale, { } bias, { } mean, { } variance]) return null;
        double[] factors = new double[scale.Length], shifts = new double[bias.Length];
        for (var c = 0; c < factors.Length; c++) factors[c] = scale[c] / Math.Sqrt(variance[c] + norm.Epsilon);
        if (!Array.TrueForAll(factors, double.IsFinite)) return null;
        for (var c = 0; c < shifts.Length; c++) shifts[c] = bias[c] - mean[c] * factors[c];
        return ChannelAffine.Fold(product, node.Output, factors, shifts, $"into {product}");
    }
}
