using AiOptix.Graphs;
using AiOptix.Tensors;

namespace AiOptix.Differential.Tests;

/// <summary>Operators of <c>com.microsoft</c> that ONNX Runtime has for GPUs only, by their definitions.</summary>
public class MicrosoftDefinitionTests
{
    [Fact]
    public void BiasAddSumsThree() =>
        Assert.Equal([111f, 222, 131, 242], Run("BiasAdd", [], Tensor.From<float>([1, 2, 1, 2], new Shape(1, 2, 2)), Tensor.Vector(10f, 20), Tensor.From<float>([100, 200, 120, 220], new Shape(1, 2, 2))));

    [Fact]
    public void BiasSplitGeluMultipliesOneHalfByTheGeluOfTheOther()
    {
        static double Gelu(double x) => x * 0.5 * (1 + Graphs.Evaluate.SpecialFunctions.Erf(x / Math.Sqrt(2)));
        var y = Run("BiasSplitGelu", [], Tensor.From<float>([1, 2, 3, -1], new Shape(1, 1, 4)), Tensor.Vector(0.5f, 0, 0, 0.25f));
        Assert.Equal(1.5 * Gelu(3), y[0], 1e-5);
        Assert.Equal(2 * Gelu(-0.75), y[1], 1e-5);
    }

    [Fact]
    public void FusedMatMulActivationActsOnTheProduct()
    {
        var (a, b) = (Tensor.From<float>([1, -2, 3, 4], new Shape(2, 2)), Tensor.From<float>([1, 0, 0, -1], new Shape(2, 2)));
        Assert.Equal([0.5f, 1, 1.5f, 0], Run("FusedMatMulActivation", [("activation", "Relu"), ("alpha", 0.5f)], a, b));
        Assert.Equal([1f, -0.75f, -0.5f, -1], Run("FusedMatMulActivation", [("activation", "LeakyRelu"), ("activation_alpha", 0.25f), ("transA", 1L)], a, b));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(0)]
    public void GroupNormNormalisesGroupsOfChannels(long channelsLast)
    {
        // Two points of four channels in two groups: values 1..8, by point.
        float[] byPoint = [1, 2, 3, 4, 5, 6, 7, 8];
        float[] byChannel = [1, 5, 2, 6, 3, 7, 4, 8];
        var x = channelsLast == 1 ? Tensor.From<float>(byPoint, new Shape(1, 1, 2, 4)) : Tensor.From<float>(byChannel, new Shape(1, 4, 1, 2));
        var y = Run("GroupNorm", [("groups", 2L), ("activation", 0L), ("epsilon", 0f), ("channels_last", channelsLast)], x, Tensor.Vector(1f, 1, 2, 2), Tensor.Vector(0f, 0, 1, 1));
        // The first group holds 1, 2, 5, 6: mean 3.5, variance 4.25.
        var first = (1 - 3.5) / Math.Sqrt(4.25);
        Assert.Equal(first, y[0], 1e-5);
        Assert.Equal(2 * first + 1, y[channelsLast == 1 ? 2 : 4], 1e-5);
    }

    [Fact]
    public void SkipGroupNormNormalisesTheSum()
    {
        var x = Tensor.From<float>([1, 2, 3, 4], new Shape(1, 1, 2, 2));
        var (gamma, beta, skip, bias) = (Tensor.Vector(1f, 1), Tensor.Vector(0f, 0), Tensor.From<float>([10, 20], new Shape(1, 2)), Tensor.Vector(1f, -1));
        var parts = RunAll("SkipGroupNorm", [("groups", 1L), ("activation", 1L), ("epsilon", 0f)], 2, x, gamma, beta, skip, bias);
        double[] sum = [12, 21, 14, 23];
        Assert.Equal(sum, Graphs.Evaluate.ElementTypes.ToFloat64(parts[1]));
        var mean = sum.Average();
        var deviation = Math.Sqrt(sum.Average(v => (v - mean) * (v - mean)));
        for (var i = 0; i < 4; i++)
        {
            var y = (sum[i] - mean) / deviation;
            Assert.Equal(y / (1 + Math.Exp(-y)), parts[0].Span<float>()[i], 1e-5);
        }
    }

    [Fact]
    public void NhwcConvIsConvWithChannelsLast() =>
        Assert.Equal([1f + 20, 3 + 40, 5 + 60], Run("NhwcConv", [("kernel_shape", new long[] { 1, 1 })], Tensor.From<float>([1, 2, 3, 4, 5, 6], new Shape(1, 1, 3, 2)), Tensor.From<float>([1, 10], new Shape(1, 2, 1, 1))));

    [Fact]
    public void QLinearReduceMeanQuantisesTheMean()
    {
        var y = RunAll("QLinearReduceMean", [("axes", new long[] { 1 }), ("keepdims", 0L)], 1, Tensor.From<byte>([12, 14, 20, 30], new Shape(2, 2)), Tensor.Scalar(0.5f), Tensor.Scalar((byte)10), Tensor.Scalar(0.25f), Tensor.Scalar((byte)3))[0];
        Assert.Equal([9L, 33], y.ToInt64());
    }

    [Fact]
    public void SimplifiedLayerNormalizationDividesByTheRootOfTheMeanSquare()
    {
        var y = Run("SimplifiedLayerNormalization", [("epsilon", 0f)], Tensor.Vector(3f, 4), Tensor.Vector(1f, 2));
        Assert.Equal(3 / Math.Sqrt(12.5), y[0], 1e-5);
        Assert.Equal(8 / Math.Sqrt(12.5), y[1], 1e-5);
    }

    [Fact]
    public void PaddingIsRemovedAndRestored()
    {
        var x = Tensor.From<float>([1, 2, 0, 0, 3, 4, 5, 6], new Shape(2, 2, 2));
        var parts = RunAll("RemovePadding", [], 4, x, Tensor.From<int>([1, 2], new Shape(2)));
        Assert.Equal([1f, 2, 3, 4, 5, 6], parts[0].Span<float>().ToArray());
        Assert.Equal([0L, 2, 3, 1], parts[1].ToInt64());
        Assert.Equal(new Shape(2, 2), parts[1].Shape);
        Assert.Equal([0L, 1, 3], parts[2].ToInt64());
        Assert.Equal([2L], parts[3].ToInt64());
        Assert.Equal(x.Span<float>().ToArray(), Run("RestorePadding", [], parts[0], parts[1]));
    }

    /// <summary>A sequence of one token attends itself; one of two gives what MultiHeadAttention gives on it alone.</summary>
    [Fact]
    public void PackedAttentionKeepsSequencesApart()
    {
        var q = Tensor.From<float>([1, 0, 0, 1, 1, 1], new Shape(3, 2));
        var v = Tensor.From<float>([7, 8, 1, 2, 3, 4], new Shape(3, 2));
        var packed = Run("PackedMultiHeadAttention", [("num_heads", 1L)], q, q, v, null, Tensor.From<int>([0, 2, 3, 1], new Shape(2, 2)), Tensor.From<int>([0, 1, 3], new Shape(3)));
        Tensor Second(Tensor t) => Tensor.From<float>(t.Span<float>()[2..].ToArray(), new Shape(1, 2, 2));
        var alone = Run("MultiHeadAttention", [("num_heads", 1L)], Second(q), Second(q), Second(v));
        Assert.Equal([7f, 8], packed[..2]);
        for (var i = 0; i < 4; i++) Assert.Equal(alone[i], packed[i + 2], 1e-5f);
    }

    internal static float[] Run(string name, (string Name, object Value)[] attributes, params Tensor?[] inputs) => RunAll(name, attributes, 1, inputs)[0].Span<float>().ToArray();

    internal static IReadOnlyList<Tensor> RunAll(string name, (string Name, object Value)[] attributes, int outputs, params Tensor?[] inputs)
    {
        var draft = new NodeDraft(new Draw(1), "com.microsoft", null, name, 1, new Dictionary<string, DType>());
        foreach (var (key, value) in attributes) draft.Attr(key, value);
        foreach (var input in inputs)
            if (input is null) draft.Skip();
            else draft.Value(input);
        draft.Out(outputs);
        var g = Generated.Of(name, draft);
        var expected = Levels.Reference(g);
        Assert.Null(Levels.Difference(expected, Levels.Plan(g), g));
        return [.. expected.Cast<Tensor>()];
    }
}
