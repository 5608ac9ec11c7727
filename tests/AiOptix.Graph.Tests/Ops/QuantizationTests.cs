using AiOptix.Graphs.Evaluate;
using AiOptix.Graphs.Ops;
using AiOptix.Tensors;

namespace AiOptix.Graphs.Tests.Ops;

public class QuantizationTests
{
    [Fact]
    public void Every_integer_type_is_cut_off_at_its_range()
    {
        foreach (var (type, least, greatest) in new[] { (DType.Int8, -128, 127), (DType.UInt8, 0, 255), (DType.Int16, -32768, 32767), (DType.UInt16, 0, 65535), (DType.Int4, -8, 7), (DType.UInt4, 0, 15), (DType.Int2, -2, 1), (DType.UInt2, 0, 3) })
        {
            var y = Run.One(new QuantizeLinear(To: type), Tensor.Vector(-1e6f, 0.5f, 1.5f, 1e6f), Tensor.Scalar(1f));
            Assert.Equal(type, y.DType);
            Assert.Equal([least, 0, Math.Min(2, greatest), greatest], ElementTypes.ToFloat64(y));
        }
    }

    [Fact]
    public void A_float_out_of_range_is_infinite_or_the_largest()
    {
        Tensor[] inputs = [Tensor.Vector(1e6f), Tensor.Scalar(1f)];
        Assert.Equal([57344d], ElementTypes.ToFloat64(Run.One(new QuantizeLinear(To: DType.Float8E5M2), inputs)));
        Assert.Equal([double.PositiveInfinity], ElementTypes.ToFloat64(Run.One(new QuantizeLinear(To: DType.Float8E5M2, Saturate: false), inputs)));
    }

    [Fact]
    public void Blocks_share_scales_along_an_axis_and_the_last_may_be_short()
    {
        var x = Tensor.From<float>([1, 2, 3, 4, 5, 6, 7, 8, 9, 10], new Shape(5, 2));
        var scale = Tensor.From<float>([1, 10, 2, 20, 3, 30], new Shape(3, 2));
        var y = Run.One(new DequantizeLinear(-2, 2), Run.One(new QuantizeLinear(0, 2, DType.Int8), x, scale), scale);
        Assert.Equal([1, 0, 3, 0, 4, 0, 8, 0, 9, 0], y.Span<float>().ToArray());
        Assert.Throws<InvalidInputException>(() => Run.One(new QuantizeLinear(0, 3), x, scale));
    }

    [Fact]
    public void The_division_has_the_precision_that_is_asked_for()
    {
        Tensor[] inputs = [Tensor.Vector(2049f), Tensor.Scalar(2f)];
        Assert.Equal([1024d], ElementTypes.ToFloat64(Run.One(new QuantizeLinear(To: DType.Int16), inputs)));
        Assert.Equal([1024.5], [2049f / 2f]);
        Assert.Equal([1025d], ElementTypes.ToFloat64(Run.One(new QuantizeLinear(To: DType.Int16), Tensor.Vector(2050.5f), Tensor.Scalar(2f))));
        Assert.Equal([1024d], ElementTypes.ToFloat64(Run.One(new QuantizeLinear(To: DType.Int16, Precision: DType.Float16), Tensor.Vector(2048.9f), Tensor.Scalar(2f))));
    }

    [Fact]
    public void An_output_type_needs_no_float_scale_of_its_own() =>
        Assert.Equal(DType.Float16, Run.One(new DequantizeLinear(To: DType.Float16), Tensor.Vector<sbyte>(1, 2), Tensor.Scalar(0.5f)).DType);

    [Fact]
    public void Scales_and_zero_points_may_differ_by_row_and_column()
    {
        var a = Tensor.From<byte>([1, 2, 3, 4], new Shape(2, 2));
        var b = Tensor.From<sbyte>([1, 0, 0, 1], new Shape(2, 2));
        Assert.Equal([0, 1, 1, 2], Run.Elements<int>(new MatMulInteger(), a, b, Tensor.Vector<byte>(1, 2)));
        var y = Run.One(new QLinearMatMul(), a, Tensor.Vector(1f, 2f), Tensor.Vector<byte>(0, 0), b, Tensor.Vector(1f, 10f), Tensor.Vector<sbyte>(0, 0), Tensor.Scalar(1f), Tensor.Scalar<byte>(0));
        Assert.Equal([1, 20, 6, 80], y.Bytes.ToArray());
        var raised = Run.One(new QLinearMatMul(), a, Tensor.Scalar(1f), Tensor.Scalar<byte>(1), b, Tensor.Vector(1f, 10f), Tensor.Vector<sbyte>(0, 0), Tensor.Scalar(0.5f), Tensor.Scalar<byte>(5), Tensor.Vector(3, -1));
        Assert.Equal([11, 5, 15, 45], raised.Bytes.ToArray());
    }

    [Fact]
    public void Convolutions_pad_with_the_zero_point_and_scale_each_filter()
    {
        var x = Tensor.From<byte>([5, 6, 7, 8], new Shape(1, 1, 2, 2));
        var w = Tensor.From<sbyte>([1, 1, 1, 1, 2, 2, 2, 2], new Shape(2, 1, 2, 2));
        var conv = new Conv(Pads: [1, 1, 0, 0]);
        Assert.Equal([0, 1, 2, 6, 0, 0, 0, 0], Run.Elements<int>(new ConvInteger(conv), x, w, Tensor.Scalar<byte>(5), Tensor.Vector<sbyte>(0, 2)));
        var y = Run.One(new QLinearConv(conv), x, Tensor.Scalar(1f), Tensor.Scalar<byte>(5), w, Tensor.Vector(1f, 0.5f), Tensor.Vector<sbyte>(0, 1), Tensor.Scalar(2f), Tensor.Scalar<byte>(10), Tensor.Vector(0, 4));
        Assert.Equal([10, 10, 11, 13, 11, 11, 12, 12], y.Bytes.ToArray());
    }

    [Fact]
    public void Dynamic_quantisation_covers_zero_and_stands_zeros_and_nothing()
    {
        Assert.Equal([0, 255], Run.One(new DynamicQuantizeLinear(), Tensor.Vector(0f, 255f)).Bytes.ToArray());
        Assert.Equal([0, 0], Run.One(new DynamicQuantizeLinear(), Tensor.Vector(0f, 0f)).Bytes.ToArray());
        Assert.Empty(Run.One(new DynamicQuantizeLinear(), Tensor.Allocate(DType.Float32, new Shape(0))).Bytes.ToArray());
    }
}
