using AiOptix.Graphs.Evaluate;
using AiOptix.Tensors;

namespace AiOptix.Graphs.Tests.Evaluate;

public class ElementTypesTests
{
    private static readonly DType[] narrow = [DType.Float8E4M3FN, DType.Float8E4M3FNUZ, DType.Float8E5M2, DType.Float8E5M2FNUZ, DType.Float4E2M1];

    public static TheoryData<DType> NarrowTypes => new(narrow);

    [Theory]
    [MemberData(nameof(NarrowTypes))]
    public void Every_pattern_survives_the_way_to_float32_and_back(DType type)
    {
        var codes = AllCodes(type);
        var back = ElementTypes.Convert(ElementTypes.Convert(codes, DType.Float32), type, saturate: false);
        for (var i = 0; i < codes.Bytes.Length; i++)
        {
            var isNaN = double.IsNaN(ElementTypes.ToFloat64(codes)[Math.Min(i, (int)codes.Count - 1)]);
            if (!isNaN || type.IsPacked()) Assert.Equal(codes.Bytes[i], back.Bytes[i]);
        }
        GC.KeepAlive(codes);
        GC.KeepAlive(back);
    }

    /// <summary>The nearest value, and among two equally near ones that with an even pattern: found by looking at all.</summary>
    [Theory]
    [MemberData(nameof(NarrowTypes))]
    public void Rounding_is_to_the_nearest_and_to_even(DType type)
    {
        var values = ElementTypes.ToFloat64(AllCodes(type)).Select((v, i) => (Value: v, Code: i)).Where(p => double.IsFinite(p.Value) && !double.IsNegative(p.Value))
            .OrderBy(p => p.Value).ToArray();
        var random = new Random(1);
        for (var test = 0; test < 2000; test++)
        {
            var i = random.Next(values.Length - 1);
            var (low, high) = (values[i], values[i + 1]);
            var part = test % 3 == 0 ? 0.5 : random.NextDouble();
            var x = low.Value + (high.Value - low.Value) * part;
            var expected = part < 0.5 || (part == 0.5 && low.Code % 2 == 0) ? low.Value : high.Value;
            Assert.Equal(expected, RoundTrip(x, type));
            Assert.Equal(-expected, RoundTrip(-x, type));
        }
    }

    [Theory]
    [InlineData(DType.Float8E4M3FN, 448, double.NaN)]
    [InlineData(DType.Float8E4M3FNUZ, 240, double.NaN)]
    [InlineData(DType.Float8E5M2, 57344, double.PositiveInfinity)]
    [InlineData(DType.Float8E5M2FNUZ, 57344, double.NaN)]
    [InlineData(DType.Float4E2M1, 6, 6)]
    public void Out_of_range_saturates_or_not(DType type, double largest, double beyond)
    {
        Assert.Equal(largest, RoundTrip(largest, type));
        Assert.Equal(largest, RoundTrip(1e9, type));
        Assert.Equal(-largest, RoundTrip(-1e9, type));
        Assert.Equal(beyond, RoundTrip(1e9, type, saturate: false));
        Assert.Equal(beyond, RoundTrip(double.PositiveInfinity, type, saturate: false));
    }

    [Fact]
    public void Powers_of_two_round_as_asked()
    {
        double[] x = [1, 1.25, 1.5, 3, 4, double.NaN];
        Assert.Equal([1, 2, 2, 4, 4, double.NaN], Powers(PowerRounding.Up));
        Assert.Equal([1, 1, 1, 2, 4, double.NaN], Powers(PowerRounding.Down));
        Assert.Equal([1, 1, 2, 4, 4, double.NaN], Powers(PowerRounding.Nearest));

        double[] Powers(PowerRounding rounding) => ElementTypes.ToFloat64(ElementTypes.Convert(ElementTypes.From(x, DType.Float32, new Shape(6)), DType.Float8E8M0, true, rounding));
    }

    [Fact]
    public void Floats_lose_their_fraction_and_integers_their_high_bits()
    {
        Assert.Equal([1, -1, 0], ElementTypes.Convert(Tensor.Vector(1.9f, -1.9f, float.NaN), DType.Int32).Span<int>().ToArray());
        Assert.Equal([255, 44], ElementTypes.Convert(Tensor.Vector(-1f, 300), DType.UInt8).Span<byte>().ToArray());
        Assert.Equal([1, 255], ElementTypes.Convert(Tensor.Vector(257, -1), DType.UInt8).Span<byte>().ToArray());
        Assert.Equal([int.MaxValue, int.MinValue], ElementTypes.Convert(Tensor.Vector(1e30f, -1e30f), DType.Int32).Span<int>().ToArray());
        Assert.Equal([ulong.MaxValue, 1UL << 63], ElementTypes.Convert(Tensor.Vector(-1.0, 9223372036854775808.0), DType.UInt64).Span<ulong>().ToArray());
        Assert.Equal([9007199254740993L], ElementTypes.Convert(Tensor.Vector(9007199254740993UL), DType.Int64).Span<long>().ToArray());
        Assert.Equal([16777217L * 4], ElementTypes.Convert(Tensor.Vector(16777217 * 4), DType.Int64).Span<long>().ToArray());
    }

    [Fact]
    public void Packed_integers_keep_their_place()
    {
        var x = Tensor.Vector<sbyte>(-8, 7, -1, 0, 5);
        var packed = ElementTypes.Convert(x, DType.Int4);
        Assert.Equal([0x78, 0x0F, 0x05], packed.Bytes.ToArray());
        Assert.True(x.BitEquals(ElementTypes.Convert(packed, DType.Int8)));
        var two = ElementTypes.Convert(Tensor.Vector<byte>(0, 1, 2, 3, 3), DType.UInt2);
        Assert.Equal([0b11100100, 0b11], two.Bytes.ToArray());
        Assert.Equal([0L, 1, -2, -1, -1], ElementTypes.Convert(Tensor.Over(Block(two), 0, DType.Int2, two.Shape), DType.Int64).ToInt64());
        GC.KeepAlive(packed);
        GC.KeepAlive(two);
    }

    [Fact]
    public void Conversions_run_past_a_chunk_boundary()
    {
        var x = Tensor.Vector(Enumerable.Range(0, 1300).Select(i => (long)i).ToArray());
        foreach (var type in new[] { DType.Float64, DType.Int16, DType.Float32, DType.UInt64 })
            Assert.True(x.BitEquals(ElementTypes.Convert(ElementTypes.Convert(x, type), DType.Int64)), type.Name());
    }

    [Fact]
    public void Bool_is_zero_or_not()
    {
        Assert.Equal([1L, 0, 1, 1], ElementTypes.Convert(Tensor.Vector(0.5f, 0, float.NaN, -1), DType.Bool).ToInt64());
        Assert.Equal([1f, 0f], ElementTypes.Convert(Ops.Run.Bools(true, false), DType.Float32).Span<float>().ToArray());
    }

    [Fact]
    public void Numbers_become_text_and_back()
    {
        float[] x = [1, -0.5f, 0.1f, 1e-5f, 0.0001f, 123456.79f, 1e16f, 1e15f, 1.5e20f, float.NaN, float.NegativeInfinity, 0];
        var text = ElementTypes.Convert(Tensor.Vector<float>(x), DType.String);
        Assert.Equal(["1.0", "-0.5", "0.1", "1e-05", "0.0001", "123456.79", "1e+16", "1000000000000000.0", "1.5e+20", "nan", "-inf", "0.0"], text.Strings);
        Assert.Equal(x, ElementTypes.Convert(text, DType.Float32).Span<float>().ToArray());
        Assert.Equal(["-7", "18446744073709551615"], [ElementTypes.Convert(Tensor.Vector(-7L), DType.String).Strings[0], ElementTypes.Convert(Tensor.Vector(ulong.MaxValue), DType.String).Strings[0]]);
        Assert.Equal([-7L, 12, 3], ElementTypes.Convert(Tensor.FromStrings(["-7", " 12 ", "3.9"], new Shape(3)), DType.Int64).ToInt64());
        Assert.Throws<InvalidInputException>(() => ElementTypes.Convert(Tensor.FromStrings(["seven"], new Shape(1)), DType.Float32));
    }

    [Fact]
    public void Complex_numbers_do_not_convert() =>
        Assert.Throws<InvalidInputException>(() => ElementTypes.Convert(Tensor.Allocate(DType.Complex64, new Shape(1), zeroed: true), DType.Float32));

    private static MemoryBlock Block(Tensor t)
    {
        var block = MemoryBlock.Allocate(t.ByteLength, zeroed: true);
        var copy = Tensor.Over(block, 0, t.DType, t.Shape);
        t.CopyTo(copy);
        return block;
    }

    private static double RoundTrip(double x, DType type, bool saturate = true) =>
        ElementTypes.ToFloat64(ElementTypes.Convert(Tensor.Vector(x), type, saturate))[0];

    private static Tensor AllCodes(DType type)
    {
        var count = 1 << type.Bits();
        var t = Tensor.Allocate(type, new Shape(count));
        for (var i = 0; i < t.Bytes.Length; i++) t.Bytes[i] = type.IsPacked() ? (byte)((2 * i) | ((2 * i + 1) << 4)) : (byte)i;
        return t;
    }
}
