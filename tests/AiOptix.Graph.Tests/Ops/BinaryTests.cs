using AiOptix.Graphs.Evaluate;
using AiOptix.Graphs.Ops;
using AiOptix.Tensors;

namespace AiOptix.Graphs.Tests.Ops;

public class BinaryTests
{
    [Fact]
    public void Operands_broadcast_both_ways()
    {
        var column = Tensor.From<float>([10, 20], new Shape(2, 1));
        var y = Run.One(new Add(), column, Tensor.Vector(1f, 2, 3));
        Assert.Equal(new Shape(2, 3), y.Shape);
        Assert.Equal([11f, 12, 13, 21, 22, 23], y.Span<float>().ToArray());
    }

    [Fact]
    public void A_spread_middle_axis_is_walked_right()
    {
        var a = Tensor.From<int>([0, 100, 200, 300], new Shape(2, 1, 2));
        var b = Tensor.From<int>([1, 2, 3], new Shape(3, 1));
        Assert.Equal([1, 101, 2, 102, 3, 103, 201, 301, 202, 302, 203, 303], Run.Elements<int>(new Add(), a, b));
    }

    [Fact]
    public void Empty_operands_give_empty_results() =>
        Assert.Equal(new Shape(0, 3), Run.One(new Mul(), Tensor.Allocate(DType.Float32, new Shape(0, 1)), Tensor.Vector(1f, 2, 3)).Shape);

    [Fact]
    public void Shapes_that_do_not_fit_are_named()
    {
        var e = Assert.Throws<InvalidGraphException>(() => Run.One(new Add(), Tensor.Vector(1f, 2), Tensor.Vector(1f, 2, 3)));
        Assert.Contains("[2]", e.Message, StringComparison.Ordinal);
        Assert.Contains("[3]", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Integers_are_divided_toward_zero_and_never_crash()
    {
        Assert.Equal([-2, 2, -2, int.MinValue], Run.Elements<int>(new Div(), Tensor.Vector(-7, 7, 7, int.MinValue), Tensor.Vector(3, 3, -3, -1)));
        Assert.Equal([0UL, 1], Run.Elements<ulong>(new Div(), Tensor.Vector<ulong>(5, ulong.MaxValue), Tensor.Vector(ulong.MaxValue, ulong.MaxValue)));
        Assert.Throws<InvalidInputException>(() => Run.One(new Div(), Tensor.Vector(1L), Tensor.Vector(0L)));
        Assert.Throws<InvalidInputException>(() => Run.One(new Mod(), Tensor.Vector(1L), Tensor.Vector(0L)));
        Assert.Equal([float.PositiveInfinity], Run.Floats(new Div(), Tensor.Vector(1f), Tensor.Vector(0f)));
    }

    [Fact]
    public void Remainders_take_the_sign_they_should()
    {
        int[] a = [-7, 7, -7, 7, int.MinValue], b = [3, 3, -3, -3, -1];
        Assert.Equal([2, 1, -1, -2, 0], Run.Elements<int>(new Mod(), Tensor.Vector<int>(a), Tensor.Vector<int>(b)));
        Assert.Equal([-1, 1, -1, 1, 0], Run.Elements<int>(new Mod(true), Tensor.Vector<int>(a), Tensor.Vector<int>(b)));
        Assert.Equal([-1.5f, 1.5f], Run.Floats(new Mod(true), Tensor.Vector(-7.5f, 7.5f), Tensor.Vector(3f, -3f)));
        Assert.Equal([byte.MaxValue % 7], Run.Elements<byte>(new Mod(), Tensor.Vector<byte>(255), Tensor.Vector<byte>(7)));
    }

    [Fact]
    public void Powers_have_the_type_of_the_base()
    {
        Assert.Equal([8, -1, 1, 0], Run.Elements<int>(new Pow(), Tensor.Vector(2, -1, 7, 2), Tensor.Vector(3L, 3, 0, -1)));
        Assert.Equal([1.5f * 1.5f, MathF.Sqrt(2)], Run.Floats(new Pow(), Tensor.Vector(1.5f, 2), Tensor.Vector(2, 0.5)));
        Assert.Equal([2], Run.Elements<int>(new Pow(), Tensor.Vector(5), Tensor.Vector(0.5f)));
    }

    [Fact]
    public void NaN_wins_a_minimum_and_a_maximum()
    {
        Tensor a = Tensor.Vector(1f, float.NaN, 3), b = Tensor.Vector(2f, 2, float.NaN);
        Assert.Equal([1f, float.NaN, float.NaN], Run.Floats(new Min(), a, b));
        Assert.Equal([2f, float.NaN, float.NaN], Run.Floats(new Max(), a, b));
    }

    [Fact]
    public void Sums_and_means_take_any_number_of_operands()
    {
        Assert.Equal([6f], Run.Floats(new Sum(), Tensor.Vector(1f), Tensor.Vector(2f), Tensor.Vector(3f)));
        Assert.Equal([2f, 3], Run.Floats(new Mean(), Tensor.Vector(1f, 3), Tensor.Scalar(2f), Tensor.Vector(3f, 4)));
        Assert.Equal([5f], Run.Floats(new Mean(), Tensor.Vector(5f)));
        Assert.Equal([1L], Run.Elements<long>(new Min(), Tensor.Vector(4L), Tensor.Vector(1L), Tensor.Vector(3L)));
    }

    [Fact]
    public void Narrow_floats_round_every_result()
    {
        var x = ElementTypes.From([1, 256], DType.BFloat16, new Shape(2));
        Assert.Equal([2, 256.0], ElementTypes.ToFloat64(Run.One(new Add(), x, ElementTypes.From([1], DType.BFloat16, Shape.Scalar))));
        var h = ElementTypes.From([2048, 65504], DType.Float16, new Shape(2));
        Assert.Equal([2048, double.PositiveInfinity], ElementTypes.ToFloat64(Run.One(new Add(), h, ElementTypes.From([1, 65504], DType.Float16, new Shape(2)))));
    }

    [Fact]
    public void Comparisons_are_false_with_NaN()
    {
        Tensor a = Tensor.Vector(1f, 2, float.NaN), b = Tensor.Vector(2f, 2, float.NaN);
        Assert.Equal([true, false, false], Run.Flags(new Less(), a, b));
        Assert.Equal([true, true, false], Run.Flags(new LessOrEqual(), a, b));
        Assert.Equal([false, false, false], Run.Flags(new Greater(), a, b));
        Assert.Equal([false, true, false], Run.Flags(new GreaterOrEqual(), a, b));
        Assert.Equal([false, true, false], Run.Flags(new Equal(), a, b));
        Assert.Equal([true, false], Run.Flags(new Equal(), Tensor.FromStrings(["a", "b"], new Shape(2)), Tensor.FromStrings(["a"], new Shape(1))));
        Assert.Equal([false], Run.Flags(new Less(), Tensor.Vector(ulong.MaxValue), Tensor.Vector(1UL)));
    }

    [Fact]
    public void Logic_and_bits()
    {
        Tensor a = Run.Bools(false, false, true, true), b = Run.Bools(false, true, false, true);
        Assert.Equal([false, false, false, true], Run.Flags(new And(), a, b));
        Assert.Equal([false, true, true, true], Run.Flags(new Or(), a, b));
        Assert.Equal([false, true, true, false], Run.Flags(new Xor(), a, b));
        Assert.Equal([true, true, false, false], Run.Flags(new Not(), a));
        Tensor x = Tensor.Vector<short>(0b1100), y = Tensor.Vector<short>(0b1010);
        Assert.Equal([0b1000], Run.Elements<short>(new BitwiseAnd(), x, y));
        Assert.Equal([0b1110], Run.Elements<short>(new BitwiseOr(), x, y));
        Assert.Equal([0b0110], Run.Elements<short>(new BitwiseXor(), x, y));
        Assert.Equal([~0b1100], Run.Elements<short>(new BitwiseNot(), x));
        Assert.Equal([240, 0], Run.Elements<byte>(new BitShift(true), Tensor.Vector<byte>(255, 255), Tensor.Vector<byte>(4, 8)));
        Assert.Equal([15, 0], Run.Elements<byte>(new BitShift(false), Tensor.Vector<byte>(255, 255), Tensor.Vector<byte>(4, 200)));
    }

    [Fact]
    public void Where_takes_any_type_and_broadcasts()
    {
        Assert.Equal([1L, -1], Run.Elements<long>(new Where(), Run.Bools(true, false), Tensor.Scalar(1L), Tensor.Vector(-2L, -1)));
        var s = Run.One(new Where(), Run.Bools(false, true), Tensor.FromStrings(["yes"], new Shape(1)), Tensor.FromStrings(["no"], new Shape(1)));
        Assert.Equal(["no", "yes"], s.Strings);
    }

    [Fact]
    public void A_slope_broadcasts_one_way_only()
    {
        Assert.Equal([-1f, 2, -9], Run.Floats(new PRelu(), Tensor.Vector(-2f, 2, -3), Tensor.Vector(0.5f, 0.5f, 3)));
        Assert.Throws<InvalidGraphException>(() => Run.One(new PRelu(), Tensor.Vector(1f), Tensor.From<float>([1, 2], new Shape(2, 1))));
    }
}
