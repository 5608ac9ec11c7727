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

    [Theory]
    [InlineData("dice", 1.0 / 3)]
    [InlineData("jaccard", 0.5)]
    [InlineData("kulsinski", 0.8)]
    [InlineData("rogerstanimoto", 0.4)]
    [InlineData("sokalmichener", 0.4)]
    [InlineData("russellrao", 0.75)]
    [InlineData("sokalsneath", 2.0 / 3)]
    [InlineData("yule", 0)]
    public void CDistMeasuresSets(string metric, double expected) =>
        Assert.Equal(expected, Run("CDist", [("metric", metric)], Tensor.From<float>([1, 1, 0, 0], new Shape(1, 4)), Tensor.From<float>([1, 0, 0, 0], new Shape(1, 4)))[0], 1e-6);

    [Fact]
    public void CDistMeasuresByVarianceAndByEntropy()
    {
        var (a, b) = (Tensor.From<float>([1, 2], new Shape(1, 2)), Tensor.From<float>([3, 1, 5, 6], new Shape(2, 2)));
        // Variances of 1, 3, 5 and 2, 1, 6: 4 and 7.
        Assert.Equal(Math.Sqrt(4.0 / 4 + 1.0 / 7), Run("CDist", [("metric", "seuclidean")], a, b)[0], 1e-5);
        var expected = Math.Sqrt((1.0 / 3 * Math.Log(1.0 / 3 / (13.0 / 24)) + 2.0 / 3 * Math.Log(2.0 / 3 / (11.0 / 24)) + 0.75 * Math.Log(0.75 / (13.0 / 24)) + 0.25 * Math.Log(0.25 / (11.0 / 24))) / 2);
        Assert.Equal(expected, Run("CDist", [("metric", "jensenshannon")], a, b)[0], 1e-5);
        Assert.Contains("wminkowski", Assert.Throws<ModelFormatException>(() => Run("CDist", [("metric", "wminkowski")], a, b)).Message, StringComparison.Ordinal);
    }

    /// <summary>One expert of identity weights stored as floats of 4 and 8 bits.</summary>
    [Theory]
    [InlineData("fp4")]
    [InlineData("wfp4afp8")]
    [InlineData("nvfp4")]
    [InlineData("fp8")]
    public void QMoEReadsWeightsThatAreFloats(string kind)
    {
        const int N = 32;
        var x = Tensor.From<float>([.. Enumerable.Range(0, N).Select(i => i - 16f)], new Shape(1, N));
        var block = kind == "nvfp4" ? 16 : 32;
        Tensor weights;
        Tensor? scales = null;
        if (kind == "fp8")
        {
            var ones = new double[N * N];
            for (var i = 0; i < N; i++) ones[i * N + i] = 2;
            weights = Graphs.Evaluate.ElementTypes.From(ones, DType.Float8E4M3FN, new Shape(1, N, N));
        }
        else
        {
            // 1 is stored as 2, and 1.5 as 3, of 16 values: two of them fill a byte, the first in the low bits.
            var bytes = new byte[N * N / 2];
            for (var i = 0; i < N; i++) bytes[(i * N + i) / 2] = (byte)(2 << (4 * (i & 1)));
            weights = Tensor.From<byte>(bytes, new Shape(1, N, N / 2));
            scales = Graphs.Evaluate.ElementTypes.From([.. Enumerable.Repeat(2.0, N * N / block)], kind == "nvfp4" ? DType.Float8E4M3FN : DType.Float8E8M0, new Shape(1, N, N / block));
        }
        var y = Run("QMoE", [("k", 1L), ("quant_type", kind), ("activation_type", "relu")], x, Tensor.From<float>([0], new Shape(1, 1)), weights, scales, null, weights, scales, null,
            null, null, null, null, null, null, null, Tensor.Vector(0.5f), Tensor.Vector(3f));
        for (var i = 0; i < N; i++) Assert.Equal(Math.Max(0, i - 16) * 6, y[i], 1e-4f);
    }

    /// <summary>Three experts multiply by 1, 2 and 3; the router says 2, 1.99 and -1.</summary>
    [Fact]
    public void QMoEMixesSparsely()
    {
        const int N = 16;
        var bytes = new byte[3 * N * N];
        Array.Fill(bytes, (byte)128);
        for (var e = 0; e < 3; e++)
            for (var i = 0; i < N; i++) bytes[(e * N + i) * N + i] = (byte)(128 + e + 1);
        var one = new byte[3 * N * N];
        Array.Fill(one, (byte)128);
        for (var e = 0; e < 3; e++)
            for (var i = 0; i < N; i++) one[(e * N + i) * N + i] = 129;
        var scales = Tensor.From<float>([.. Enumerable.Repeat(1f, 3 * N)], new Shape(3, N));
        var x = Tensor.From<float>([.. Enumerable.Repeat(1f, N)], new Shape(1, N));
        var y = Run("QMoE", [("k", 2L), ("use_sparse_mixer", 1L), ("expert_weight_bits", 8L), ("activation_type", "identity")], x, Tensor.From<float>([2, 1.99f, -1], new Shape(1, 3)),
            Tensor.From<byte>(bytes, new Shape(3, N, N)), scales, null, Tensor.From<byte>(one, new Shape(3, N, N)), scales);
        // The first is mixed with the second, which is near; the second then stands alone.
        var share = 1 / (1 + Math.Exp(-0.01));
        Assert.Equal(share * 1 + 1 * 2, y[0], 1e-4);
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
        Assert.Null(Levels.Difference(expected, Levels.Passes(g), g));
        return [.. expected.Cast<Tensor>()];
    }
}
