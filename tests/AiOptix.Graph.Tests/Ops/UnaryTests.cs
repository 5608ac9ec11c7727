using AiOptix.Graphs.Evaluate;
using AiOptix.Graphs.Ops;
using AiOptix.Tensors;

namespace AiOptix.Graphs.Tests.Ops;

public class UnaryTests
{
    /// <summary>Values at -2, -0.5, 0 and 1.25 to ten digits, computed outside .NET.</summary>
    public static TheoryData<Operator, double[]> Values => new()
    {
        { new Exp(), [0.1353352832, 0.6065306597, 1, 3.490342957] },
        { new Sin(), [-0.9092974268, -0.4794255386, 0, 0.9489846194] },
        { new Tan(), [2.185039863, -0.5463024898, 0, 3.009569674] },
        { new Sinh(), [-3.626860408, -0.5210953055, 0, 1.60191908] },
        { new Cosh(), [3.762195691, 1.127625965, 1, 1.888423877] },
        { new Tanh(), [-0.9640275801, -0.4621171573, 0, 0.84828364] },
        { new Asinh(), [-1.443635475, -0.4812118251, 0, 1.047593013] },
        { new Atan(), [-1.107148718, -0.463647609, 0, 0.8960553846] },
        { new Erf(), [-0.995322265, -0.5204998778, 0, 0.9229001283] },
        { new Sigmoid(), [0.119202922, 0.3775406688, 0.5, 0.7772998612] },
        { new Softplus(), [0.126928011, 0.4740769842, 0.6931471806, 1.501929081] },
        { new Softsign(), [-0.6666666667, -0.3333333333, 0, 0.5555555556] },
        { new Elu(2), [-1.729329434, -0.7869386806, 0, 1.25] },
        { new Selu(), [-1.520166473, -0.69175819, 0, 1.313376278] },
        { new Celu(0.5f), [-0.4908421806, -0.3160602794, 0, 1.25] },
        { new LeakyRelu(0.25f), [-0.5, -0.125, 0, 1.25] },
        { new ThresholdedRelu(1), [0, 0, 0, 1.25] },
        { new HardSigmoid(0.25f, 0.5f), [0, 0.375, 0.5, 0.8125] },
        { new HardSwish(), [-0.3333333333, -0.2083333333, 0, 0.8854166667] },
        { new Mish(), [-0.2525014827, -0.2207437747, 0, 1.131870304] },
        { new Gelu(), [-0.0455002639, -0.1542687694, 0, 1.117937783] },
        { new Gelu(true), [-0.04540230591, -0.1542859902, 0, 1.117714203] },
        { new Swish(2), [-0.03597241992, -0.1344707107, 0, 1.155177275] },
        { new Reciprocal(), [-0.5, -2, double.PositiveInfinity, 0.8] },
        { new Floor(), [-2, -1, 0, 1] },
        { new Ceil(), [-2, 0, 0, 2] },
        { new Abs(), [2, 0.5, 0, 1.25] },
        { new Neg(), [2, 0.5, 0, -1.25] },
        { new Sign(), [-1, -1, 0, 1] },
        { new Relu(), [0, 0, 0, 1.25] },
        { new Shrink(0.25f, 0.75f), [-1.75, 0, 0, 1] },
    };

    [Theory]
    [MemberData(nameof(Values))]
    public void Functions_have_their_values(Operator op, double[] expected)
    {
        double[] at = [-2, -0.5, 0, 1.25];
        foreach (var (type, digits) in new[] { (DType.Float64, 2e-8), (DType.Float32, 2e-7), (DType.Float16, 1e-3), (DType.BFloat16, 8e-3) })
        {
            var y = ElementTypes.ToFloat64(Run.One(op, ElementTypes.From(at, type, new Shape(4))));
            for (var i = 0; i < at.Length; i++)
                Assert.True(expected[i].Equals(y[i]) || Math.Abs(y[i] - expected[i]) <= digits * Math.Max(Math.Abs(expected[i]), 0.05), $"{op} in {type.Name()} at {at[i]}: {y[i]}, expected {expected[i]}");
        }
    }

    [Fact]
    public void The_error_function_is_right_far_out()
    {
        Near(0.99999783752317994, SpecialFunctions.Erf(3.35), 1e-14);
        Near(2.2090496998585441e-05, SpecialFunctions.Erfc(3), 1e-18);
        Near(0.00040695201744495892, SpecialFunctions.Erfc(2.5), 1e-16);
        Near(2.0884875837625449e-45, SpecialFunctions.Erfc(10), 1e-57);
        Assert.Equal(2, SpecialFunctions.Erfc(-8));
        Assert.True(double.IsNaN(SpecialFunctions.Erf(double.NaN)));
    }

    private static void Near(double expected, double actual, double within) => Assert.InRange(actual, expected - within, expected + within);

    [Fact]
    public void Small_arguments_keep_their_digits()
    {
        Near(1e-12 + 0.5e-24, SpecialFunctions.ExpM1(1e-12), 1e-27);
        Near(1e-12 - 0.5e-24, SpecialFunctions.LogP1(1e-12), 1e-27);
        Assert.Equal([1e-20f], Run.Floats(new Elu(), Tensor.Vector(1e-20f)));
        Assert.Equal([-1e-20f], Run.Floats(new Elu(), Tensor.Vector(-1e-20f)));
    }

    [Fact]
    public void Halves_round_to_even() =>
        Assert.Equal([-2f, -2, 0, 0, 2, 2], Run.Floats(new Round(), Tensor.Vector(-2.5f, -1.5f, -0.5f, 0.5f, 1.5f, 2.5f)));

    [Fact]
    public void NaN_stays_NaN()
    {
        Operator[] ops = [new Relu(), new Sign(), new ThresholdedRelu(), new HardSigmoid(), new HardSwish(), new Selu(), new Celu(), new Gelu(), new Softplus(), new Clip()];
        foreach (var op in ops) Assert.True(float.IsNaN(Run.Floats(op, Tensor.Vector(float.NaN))[0]), op.Name);
    }

    [Fact]
    public void Integers_wrap()
    {
        Assert.Equal([sbyte.MinValue, 5], Run.Elements<sbyte>(new Abs(), Tensor.Vector<sbyte>(sbyte.MinValue, -5)));
        Assert.Equal([ulong.MaxValue, 0], Run.Elements<ulong>(new Abs(), Tensor.Vector<ulong>(ulong.MaxValue, 0)));
        Assert.Equal([1UL, 0], Run.Elements<ulong>(new Sign(), Tensor.Vector<ulong>(ulong.MaxValue, 0)));
        Assert.Equal([0, 7], Run.Elements<int>(new Relu(), Tensor.Vector(-7, 7)));
    }

    [Fact]
    public void Infinities_and_NaN_are_found()
    {
        var x = Tensor.Vector(float.NaN, float.PositiveInfinity, float.NegativeInfinity, 1);
        Assert.Equal([true, false, false, false], Run.Flags(new IsNaN(), x));
        Assert.Equal([false, true, true, false], Run.Flags(new IsInf(), x));
        Assert.Equal([false, true, false, false], Run.Flags(new IsInf(DetectNegative: false), x));
    }

    [Fact]
    public void Bounds_may_be_left_out()
    {
        var x = Tensor.Vector(-5f, 0, 5);
        Assert.Equal([-5f, 0, 1], Run.Floats(new Clip(), x, null, Tensor.Scalar(1f)));
        Assert.Equal([-1f, 0, 5], Run.Floats(new Clip(), x, Tensor.Scalar(-1f)));
        Assert.Equal([1f, 1, 1], Run.Floats(new Clip(), x, Tensor.Scalar(2f), Tensor.Scalar(1f)));
        Assert.Equal([2, 3, 4], Run.Elements<byte>(new Clip(), Tensor.Vector<byte>(1, 3, 9), Tensor.Scalar<byte>(2), Tensor.Scalar<byte>(4)));
    }

    [Fact]
    public void Dropout_is_the_identity_out_of_training()
    {
        var x = Tensor.Vector(1f, 2, 3);
        var r = Run.All(new Dropout(), 2, x, Tensor.Scalar(0.9f));
        Assert.True(x.BitEquals((Tensor)r[0]));
        Assert.Equal([1L, 1, 1], ((Tensor)r[1]).ToInt64());
    }

    [Fact]
    public void Dropout_in_training_scales_what_it_keeps()
    {
        var x = Tensor.Vector(Enumerable.Repeat(1f, 4000).ToArray());
        var training = Run.Bools(true).Reshape(Shape.Scalar);
        var r = Run.All(new Dropout(7), 2, x, Tensor.Scalar(0.75f), training);
        var y = ((Tensor)r[0]).Span<float>().ToArray();
        var mask = ((Tensor)r[1]).ToInt64();
        Assert.All(y.Zip(mask), p => Assert.Equal(p.Second != 0 ? 4f : 0f, p.First));
        Assert.InRange(mask.Sum(), 850, 1150);
        Assert.True(((Tensor)r[0]).BitEquals((Tensor)Run.All(new Dropout(7), 2, x, Tensor.Scalar(0.75f), training)[0]));
    }
}
