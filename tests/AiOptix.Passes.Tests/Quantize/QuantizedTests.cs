using AiOptix.Graphs;
using AiOptix.Graphs.Ops;
using AiOptix.Passes.Quantize;
using AiOptix.Tensors;
using static AiOptix.Passes.Tests.Rewriting;

namespace AiOptix.Passes.Tests.Quantize;

/// <summary>Quantised regions as exporters write them: a DequantizeLinear before every operand, a QuantizeLinear behind the result.</summary>
[TestsOf<QuantizedProducts>, TestsOf<QuantizedMovement>, TestsOf<QuantizedAverage>, TestsOf<QuantizedSums>]
public class QuantizedTests
{
    private const float InputScale = 0.0213f;
    private const float WeightScale = 0.01f;

    /// <summary>No ratio of small integers to the product of the others, so that no sum lies in the middle between two steps.</summary>
    private const float ResultScale = 0.0517f;

    private readonly Graph graph = new("test");

    [Theory]
    [InlineData("", 0)]
    [InlineData("bias", 120)]
    [InlineData("bias axis", 120)]
    [InlineData("bias Relu", 0)]
    [InlineData("Clip", 0)]
    public void ConvolutionsAreDoneInIntegers(string form, byte zero)
    {
        var x = Numbers(graph.Input("x", DType.UInt8, N, 4, 6, 5), InputScale, (byte)100);
        var w = Weights(form.Contains("axis", StringComparison.Ordinal) ? 6 : 1, 6, 2, 3, 3);
        var conv = new Conv([1, 2], [1, 1, 1, 1], [1, 1], 2);
        var y = form.Contains("bias", StringComparison.Ordinal) ? graph.Add(conv, x, w, Bias(form.Contains("axis", StringComparison.Ordinal) ? 6 : 1, InputScale)) : graph.Add(conv, x, w);
        if (form.Contains("Relu", StringComparison.Ordinal)) y = graph.Add(new Relu(), y);
        if (form.Contains("Clip", StringComparison.Ordinal)) y = graph.Add(new Clip(), y, graph.Number(0), graph.Number(255 * ResultScale));
        graph.Returning(Quantised(y, ResultScale, zero));
        Assert.Single(graph.Check(new QuantizedProducts()).Applied);
        Assert.Equal("QLinearConv", graph.Operators());
    }

    [Theory]
    [InlineData("", 2, "QLinearConv DepthToSpace")]
    [InlineData("bias axis", 3, "QLinearConv DepthToSpace")]
    [InlineData("bias Relu", 2, "QLinearConv Clip DepthToSpace")]
    public void UpscalingIsDoneInIntegers(string form, int size, string operators)
    {
        var x = Numbers(graph.Input("x", DType.UInt8, N, 4, 6, 5), InputScale, (byte)100);
        var w = WeightsAlong(1, form.Contains("axis", StringComparison.Ordinal) ? 6 : 1, 4, 6, size, size);
        var op = new ConvTranspose([size, size]);
        var y = form.Contains("bias", StringComparison.Ordinal) ? graph.Add(op, x, w, Bias(form.Contains("axis", StringComparison.Ordinal) ? 6 : 1, InputScale)) : graph.Add(op, x, w);
        if (form.Contains("Relu", StringComparison.Ordinal)) y = graph.Add(new Relu(), y);
        graph.Returning(Quantised(y, ResultScale, 120));
        Assert.Single(graph.Check(new QuantizedProducts()).Applied);
        Assert.Equal(operators, graph.Operators());
    }

    [Theory]
    [InlineData("taps that overlap")]
    [InlineData("cut off")]
    [InlineData("groups")]
    [InlineData("not square")]
    [InlineData("scales along another axis")]
    public void OtherTransposedConvolutionsStay(string form)
    {
        var x = Numbers(graph.Input("x", DType.UInt8, N, 4, 6, 5), InputScale, (byte)100);
        var op = form switch
        {
            "cut off" => new ConvTranspose([2, 2], [1, 0, 0, 0]),
            "groups" => new ConvTranspose([2, 2], Group: 2),
            "not square" => new ConvTranspose([2, 3]),
            _ => new ConvTranspose([2, 2]),
        };
        var w = WeightsAlong(form == "scales along another axis" ? 0 : 1, 4, 4, 4, form == "taps that overlap" ? 3 : 2, form is "taps that overlap" or "not square" ? 3 : 2);
        if (form == "groups") w = WeightsAlong(1, 1, 4, 4, 2, 2);
        graph.Returning(Quantised(graph.Add(op, x, w), ResultScale, 120));
        Assert.Empty(graph.Check(new QuantizedProducts()).Applied);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void GemmsAreDoneInIntegers(bool transposed)
    {
        var x = Numbers(graph.Input("x", DType.UInt8, N, 6), InputScale, (byte)100);
        graph.Returning(Quantised(graph.Add(new Gemm(TransB: transposed), x, Weights(1, transposed ? 4 : 6, transposed ? 6 : 4), Bias(1, InputScale, 4)), ResultScale, 120));
        Assert.Single(graph.Check(new QuantizedProducts()).Applied);
        Assert.Equal("Unsqueeze QLinearConv Squeeze", graph.Operators());
    }

    [Fact]
    public void MatrixProductsAreDoneInIntegers()
    {
        var x = Numbers(graph.Input("x", DType.Int8, N, 3, 6), InputScale, (sbyte)-5);
        graph.Returning(Quantised(graph.Add(new MatMul(), x, Weights(1, 6, 4)), ResultScale, 120));
        Assert.Single(graph.Check(new QuantizedProducts()).Applied);
        Assert.Equal("QLinearMatMul", graph.Operators());
    }

    [Theory]
    [InlineData("", "QLinearMatMul")]
    [InlineData("bias first", "QLinearMatMul")]
    [InlineData("axis", "QLinearMatMul")]
    [InlineData("Relu", "QLinearMatMul Clip")]
    public void MatrixProductsTakeTheirBias(string form, string operators)
    {
        var x = Numbers(graph.Input("x", DType.UInt8, N, 3, 6), InputScale, (byte)100);
        var scales = form == "axis" ? 6 : 1;
        var (product, bias) = (graph.Add(new MatMul(), x, WeightsAlong(1, scales, 6, 6)), Bias(scales, InputScale));
        var y = form == "bias first" ? graph.Add(new Add(), bias, product) : graph.Add(new Add(), product, bias);
        if (form == "Relu") y = graph.Add(new Relu(), y);
        graph.Returning(Quantised(y, ResultScale, 120));
        Assert.Single(graph.Check(new QuantizedProducts()).Applied);
        Assert.Equal(operators, graph.Operators());
        Assert.Empty(graph.Check(new QuantizedSums()).Applied);
    }

    [Theory]
    [InlineData("another scale")]
    [InlineData("one for all columns")]
    [InlineData("read between")]
    [InlineData("a real bias")]
    [InlineData("a calculated factor")]
    public void OtherSumsStay(string form)
    {
        var x = Numbers(graph.Input("x", DType.UInt8, N, 3, 6), InputScale, (byte)100);
        var w = form == "a calculated factor" ? Numbers(graph.Input("w", DType.Int8, 6, 6), WeightScale, (sbyte)0) : Weights(1, 6, 6);
        var product = graph.Add(new MatMul(), x, w);
        var bias = form switch
        {
            "another scale" => Bias(1, 2 * InputScale),
            "one for all columns" => Bias(1, InputScale, 1),
            "a real bias" => graph.Weights(2, 6),
            _ => Bias(1, InputScale),
        };
        if (form == "read between") graph.Returning(graph.Add(new Neg(), product));
        graph.Returning(Quantised(graph.Add(new Add(), product, bias), ResultScale, 120));
        Assert.Empty(graph.Check(new QuantizedProducts()).Applied);
    }

    /// <summary>Scores of attention: both factors are calculated.</summary>
    [Fact]
    public void ProductsOfTwoActivationsAreDoneInIntegers()
    {
        var x = Numbers(graph.Input("x", DType.UInt8, N, 3, 5, 6), InputScale, (byte)100);
        var other = Numbers(graph.Input("other", DType.UInt8, N, 3, 6, 5), InputScale, (byte)130);
        graph.Returning(Quantised(graph.Add(new MatMul(), x, other), ResultScale, 120));
        Assert.Single(graph.Check(new QuantizedProducts()).Applied);
        Assert.Equal("QLinearMatMul", graph.Operators());
    }

    [Theory]
    [InlineData("real bias")]
    [InlineData("bias of another scale")]
    [InlineData("bounds that are not known")]
    [InlineData("read between")]
    [InlineData("scales along another axis")]
    [InlineData("real weights")]
    [InlineData("int16")]
    public void OtherRegionsStay(string form)
    {
        var x = Numbers(graph.Input("x", DType.UInt8, N, 4, 6, 6), InputScale, (byte)100);
        var w = form switch
        {
            "scales along another axis" => WeightsAlong(1, 4, 4, 4, 1, 1),
            "real weights" => graph.Weights(1, 4, 4, 1, 1),
            _ => Weights(1, 4, 4, 1, 1),
        };
        var conv = form switch
        {
            "real bias" => graph.Add(new Conv(), x, w, graph.Weights(2, 4)),
            "bias of another scale" => graph.Add(new Conv(), x, w, Bias(1, 2 * InputScale, 4)),
            _ => graph.Add(new Conv(), x, w),
        };
        var y = form switch
        {
            "bounds that are not known" => graph.Add(new Clip(), conv, graph.Input("low", DType.Float32)),
            _ => conv,
        };
        if (form == "read between") graph.Returning(graph.Add(new Neg(), y));
        graph.Returning(form == "int16"
            ? graph.Add(new QuantizeLinear(), y, graph.Number(ResultScale), graph.AddConstant(Tensor.Scalar<short>(0)))
            : Quantised(y, ResultScale, 120));
        Assert.Empty(graph.Check(new QuantizedProducts()).Applied);
    }

    [Theory]
    [InlineData("MatMul", 1)]
    [InlineData("MatMul", 4)]
    [InlineData("Conv", 1)]
    [InlineData("Conv", 4)]
    public void ResultsThatStayNumbersAreScaledSums(string form, int scales)
    {
        var x = Numbers(form == "Conv" ? graph.Input("x", DType.UInt8, N, 4, 6, 6) : graph.Input("x", DType.UInt8, N, 3, 6), InputScale, (byte)100);
        graph.Returning(graph.Add(new Neg(), form == "Conv" ? graph.Add(new Conv(Pads: [1, 1, 1, 1]), x, Weights(scales, 4, 4, 3, 3), graph.Weights(3, 4)) : graph.Add(new MatMul(), x, WeightsAlong(1, scales, 6, 4))));
        Assert.Single(graph.Check(new QuantizedSums()).Applied);
        Assert.Equal(form == "Conv" ? "ConvInteger Cast Mul Reshape Add Neg" : "MatMulInteger Cast Mul Neg", graph.Operators());
    }

    [Fact]
    public void ResultsThatAreQuantisedAreNoSums()
    {
        graph.Returning(Quantised(graph.Add(new Relu(), graph.Add(new MatMul(), Numbers(graph.Input("x", DType.UInt8, N, 3, 6), InputScale, (byte)100), Weights(1, 6, 4))), ResultScale, 0));
        Assert.Empty(graph.Check(new QuantizedSums()).Applied);
    }

    [Theory]
    [InlineData("Relu")]
    [InlineData("Clip")]
    public void BoundsWithinTheRangeOfTheResultCutBytes(string form)
    {
        var conv = graph.Add(new Conv(), Numbers(graph.Input("x", DType.UInt8, N, 4, 6, 6), InputScale, (byte)100), Weights(1, 4, 4, 1, 1));
        graph.Returning(Quantised(form == "Relu" ? graph.Add(new Relu(), conv) : graph.Add(new Clip(), conv, graph.Number(-100), graph.Number(1)), ResultScale, 120));
        Assert.Single(graph.Check(new QuantizedProducts()).Applied);
        Assert.Equal("QLinearConv Clip", graph.Operators());
    }

    [Theory]
    [InlineData("MaxPool", InputScale)]
    [InlineData("MaxPool", 0.03f)]
    [InlineData("Slice", 0.03f)]
    [InlineData("Resize", InputScale)]
    [InlineData("Pad", InputScale)]
    [InlineData("Concat", InputScale)]
    [InlineData("Concat", 0.03f)]
    public void WhatKeepsTheOrderOfNumbersWorksOnBytes(string form, float scale)
    {
        var x = Numbers(graph.Add(new Identity(), graph.Input("x", DType.UInt8, N, 4, 6, 8)), InputScale, (byte)100);
        var y = form switch
        {
            "MaxPool" => graph.Add(new MaxPool([3, 3], [2, 2], [1, 1, 1, 1]), x),
            "Slice" => graph.Add(new Slice(), x, graph.Integers(1), graph.Integers(3), graph.Integers(1)),
            "Resize" => graph.Add(new Resize(), x, null, graph.AddConstant(Tensor.Vector(1f, 1f, 2f, 2f))),
            "Pad" => graph.Add(new Pad(), x, graph.Integers(0, 0, 1, 1, 0, 0, 1, 2)),
            _ => graph.Add(new Concat(1), x, x),
        };
        graph.Returning(Quantised(y, scale, (byte)100));
        graph.Check(new QuantizedMovement());
        Assert.Equal((form, scale) switch
        {
            ("Concat", 0.03f) => "Identity DequantizeLinear QuantizeLinear DequantizeLinear QuantizeLinear Concat",
            (_, 0.03f) => $"Identity {form} DequantizeLinear QuantizeLinear",
            _ => $"Identity {form}",
        }, graph.Operators());
    }

    [Theory]
    [InlineData("Flatten")]
    [InlineData("Transpose")]
    [InlineData("none")]
    public void BytesMoveAsBytes(string form)
    {
        var bytes = graph.Input("x", DType.UInt8, N, 4, 6);
        var x = Numbers(graph.Add(new Identity(), bytes), InputScale, (byte)100);
        var y = form switch
        {
            "Flatten" => graph.Add(new Flatten(), x),
            "Transpose" => graph.Add(new Transpose([0, 2, 1]), x),
            _ => x,
        };
        graph.Returning(Quantised(y, InputScale, (byte)100));
        Assert.Single(graph.Check(new QuantizedMovement()).Applied);
        Assert.Equal(form == "none" ? "Identity" : $"Identity {form}", graph.Operators());
    }

    [Theory]
    [InlineData(0.03f, 100)]
    [InlineData(InputScale, 101)]
    public void BytesOfAnotherScaleOrZeroPointAreMadeAnew(float scale, byte zero)
    {
        graph.Returning(Quantised(graph.Add(new Flatten(), Numbers(graph.Input("x", DType.UInt8, N, 4, 6), InputScale, (byte)100)), scale, zero));
        Assert.Empty(graph.Check(new QuantizedMovement()).Applied);
    }

    [Fact]
    public void AveragesAreOfWholeSteps()
    {
        // Every mean lies in the middle between two steps; the dequantised numbers are rounded, and lead away from it.
        var bytes = graph.AddConstant(Tensor.From<byte>([.. Enumerable.Range(0, 200).SelectMany(i => new[] { (byte)i, (byte)(i + 1) })], new Shape(1, 200, 1, 2)));
        graph.Returning(Quantised(graph.Add(new GlobalAveragePool(), Numbers(bytes, 0.0605206378f, (byte)0)), 0.0605206378f, 0));
        Assert.Single(PassDriver.Run(graph, new PassOptions { Pipeline = [new("test", [new QuantizedAverage()])] }).Applied);
        var found = ((Tensor)ReferenceEvaluator.Run(graph, new Dictionary<string, RuntimeValue>())[0]).Bytes.ToArray();
        Assert.Equal(Enumerable.Range(0, 200).Select(i => (byte)(i + (i & 1))), found);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void OtherAveragesStay(bool read)
    {
        var mean = graph.Add(new GlobalAveragePool(), Numbers(graph.Input("x", DType.UInt8, N, 4, 6, 5), read ? InputScale : 1, (byte)100));
        if (read) graph.Returning(graph.Add(new Neg(), mean));
        graph.Returning(Quantised(mean, ResultScale, 0));
        Assert.Empty(graph.Check(new QuantizedAverage()).Applied);
    }

    private Value Numbers<T>(Value bytes, float scale, T zero) where T : unmanaged => graph.Add(new DequantizeLinear(), bytes, graph.Number(scale), graph.AddConstant(Tensor.Scalar(zero)));

    private Value Quantised(Value x, float scale, byte zero) => graph.Add(new QuantizeLinear(), x, graph.Number(scale), graph.AddConstant(Tensor.Scalar(zero)));

    /// <summary>Dequantised int8, with one scale or as many along an axis.</summary>
    private Value Weights(int scales, params long[] shape) => WeightsAlong(0, scales, shape);

    private Value WeightsAlong(int axis, int scales, params long[] shape)
    {
        var t = Tensor.Allocate(DType.Int8, new Shape(shape));
        new Random(5).NextBytes(t.Bytes);
        var scale = scales == 1 ? graph.Number(WeightScale) : graph.AddConstant(Tensor.Vector<float>(Scales(scales)));
        var zero = scales == 1 ? graph.AddConstant(Tensor.Scalar<sbyte>(0)) : graph.AddConstant(Tensor.Vector<sbyte>(new sbyte[scales]));
        return graph.Add(new DequantizeLinear(axis), graph.AddConstant(t, "weights"), scale, zero);
    }

    private Value Bias(int scales, float inputScale, int count = 6)
    {
        var values = graph.AddConstant(Tensor.Vector<int>([.. Enumerable.Range(0, count).Select(i => 37 * i * i - 200)]), "bias");
        var scale = scales == 1 ? graph.Number(inputScale * WeightScale) : graph.AddConstant(Tensor.Vector<float>([.. Scales(scales).Select(s => s * inputScale)]));
        return graph.Add(new DequantizeLinear(0), values, scale);
    }

    private static float[] Scales(int count) => [.. Enumerable.Range(1, count).Select(i => 0.004f * i)];
}
