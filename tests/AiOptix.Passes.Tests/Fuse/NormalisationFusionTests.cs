using AiOptix.Graphs;
using AiOptix.Graphs.Ops;
using AiOptix.Passes.Fuse;
using AiOptix.Tensors;
using static AiOptix.Passes.Tests.Rewriting;

namespace AiOptix.Passes.Tests.Fuse;

[TestsOf<LayerNormFusion>, TestsOf<RMSNormFusion>, TestsOf<SoftmaxFusion>]
public class NormalisationFusionTests
{
    private readonly Graph graph = new("test");

    [Theory]
    [InlineData("pow", "div", true, true)]
    [InlineData("mul", "div", true, true)]
    [InlineData("pow", "reciprocal", true, true)]
    [InlineData("pow", "one over", true, false)]
    [InlineData("pow", "power", true, true)]
    [InlineData("two differences", "div", true, true)]
    [InlineData("pow", "div", false, false)]
    [InlineData("pow", "div", false, true)]
    public void LayerNormFusion_finds_the_wild_forms(string square, string quotient, bool scale, bool bias)
    {
        var x = graph.Add(new Neg(), graph.Input("x", DType.Float32, N, 7, 12));
        var y = Normalise(x, square, quotient, [-1]);
        if (scale) y = graph.Add(new Mul(), y, graph.Weights(1, 12));
        if (bias) y = graph.Add(new Add(), graph.Weights(2, 12), y);
        graph.Returning(y);
        Assert.Single(graph.Check(new LayerNormFusion()).Applied);
        Assert.Equal("Neg LayerNormalization", graph.Operators());
        Assert.Equal(1e-5f, ((LayerNormalization)graph.Nodes[1].Operator).Epsilon);
    }

    [Fact]
    public void LayerNormFusion_takes_several_last_axes_and_scales_with_leading_ones()
    {
        var x = graph.Input("x", DType.Float32, N, 7, 12);
        var y = graph.Add(new Mul(), Normalise(x, "pow", "div", [2, 1]), graph.Weights(1, 1, 7, 12));
        graph.Returning(graph.Add(new Add(), y, graph.Weights(2, 7, 12)));
        Assert.Single(graph.Check(new LayerNormFusion()).Applied);
        Assert.Equal("LayerNormalization", graph.Operators());
    }

    [Fact]
    public void LayerNormFusion_sees_through_widening_casts()
    {
        var x = graph.Input("x", DType.Float16, N, 12);
        var d = graph.Add(new Sub(), x, graph.Add(new ReduceMean(), x, graph.Integers(-1)));
        var wide = graph.Add(new Cast(DType.Float32), d);
        var variance = graph.Add(new ReduceMean(), graph.Add(new Pow(), wide, graph.Number(2)), graph.Integers(-1));
        var y = graph.Add(new Div(), wide, graph.Add(new Sqrt(), graph.Add(new Add(), variance, graph.Number(1e-5f))));
        y = graph.Add(new Mul(), graph.Add(new Cast(DType.Float16), y), graph.AddConstant(Random(DType.Float16, new Shape(12), new Random(5))));
        graph.Returning(y);
        Assert.Single(graph.Check(new LayerNormFusion(), 5e-3).Applied);
        Assert.Equal("LayerNormalization", graph.Operators());
    }

    [Fact]
    public void LayerNormFusion_leaves_a_number_as_scale_to_a_Mul()
    {
        var x = graph.Input("x", DType.Float32, N, 12);
        graph.Returning(graph.Add(new Mul(), Normalise(x, "pow", "div", [-1]), graph.Number(3)));
        Assert.Single(graph.Check(new LayerNormFusion()).Applied);
        Assert.Equal("LayerNormalization Mul", graph.Operators());
    }

    [Fact]
    public void LayerNormFusion_leaves_wrong_axes_and_read_intermediates()
    {
        var x = graph.Input("x", DType.Float32, N, 7, 12);
        var first = Normalise(x, "pow", "div", [1]);
        var mixed = Normalise(x, "pow", "div", [-1], [1]);
        var read = Normalise(x, "pow", "div", [-1]);
        var cubed = Normalise(x, "cube", "div", [-1]);
        var mean = read.Producer!.Inputs[0]!.Producer!.Inputs[1]!;
        graph.Returning(first, mixed, read, mean, cubed);
        Assert.Empty(graph.Check(new LayerNormFusion()).Applied);
    }

    [Theory]
    [InlineData("pow", "div", true)]
    [InlineData("mul", "reciprocal", true)]
    [InlineData("pow", "power", false)]
    public void RMSNormFusion_finds_the_wild_forms(string square, string quotient, bool scale)
    {
        var x = graph.Add(new Neg(), graph.Input("x", DType.Float32, N, 7, 12));
        var y = Divide(x, square == "mul" ? graph.Add(new Mul(), x, x) : graph.Add(new Pow(), x, graph.Number(2)), quotient, [-1]);
        if (scale) y = graph.Add(new Mul(), graph.Weights(1, 12), y);
        graph.Returning(y);
        Assert.Single(graph.Check(new RMSNormFusion()).Applied);
        Assert.Equal("Neg RMSNormalization", graph.Operators());
    }

    [Fact]
    public void RMSNormFusion_sees_through_widening_casts()
    {
        var x = graph.Input("x", DType.Float16, N, 12);
        var wide = graph.Add(new Cast(DType.Float32), x);
        var y = Divide(wide, graph.Add(new Pow(), wide, graph.Number(2)), "reciprocal", [-1]);
        graph.Returning(graph.Add(new Mul(), graph.Add(new Cast(DType.Float16), y), graph.AddConstant(Random(DType.Float16, new Shape(12), new Random(5)))));
        Assert.Single(graph.Check(new RMSNormFusion(), 5e-3).Applied);
        Assert.Equal("RMSNormalization", graph.Operators());
    }

    [Fact]
    public void RMSNormFusion_leaves_other_squares_axes_and_read_intermediates()
    {
        var x = graph.Input("x", DType.Float32, N, 7, 12);
        var other = graph.Input("other", DType.Float32, N, 7, 12);
        var read = graph.Add(new Mul(), x, x);
        graph.Returning(Divide(x, graph.Add(new Mul(), other, other), "div", [-1]), Divide(x, graph.Add(new Mul(), x, x), "div", [1]), Divide(x, read, "div", [-1]), read);
        Assert.Empty(graph.Check(new RMSNormFusion()).Applied);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(-1)]
    public void SoftmaxFusion_finds_the_stable_form(long axis)
    {
        var x = graph.Input("x", DType.Float32, N, 5, 6);
        graph.Returning(Softmax(x, axis, axis));
        Assert.Single(graph.Check(new SoftmaxFusion()).Applied);
        Assert.Equal("Softmax", graph.Operators());
    }

    [Fact]
    public void SoftmaxFusion_leaves_other_axes_the_unstable_form_and_read_intermediates()
    {
        var x = graph.Input("x", DType.Float32, N, 6, 6);
        var unstable = graph.Add(new Exp(), x);
        var read = Softmax(x, 1, 1);
        graph.Returning(Softmax(x, 1, 2), graph.Add(new Div(), unstable, graph.Add(new ReduceSum(), unstable, graph.Integers(1))), read, read.Producer!.Inputs[1]!);
        Assert.Empty(graph.Check(new SoftmaxFusion()).Applied);
    }

    private Value Softmax(Value x, long maxAxis, long sumAxis)
    {
        var e = graph.Add(new Exp(), graph.Add(new Sub(), x, graph.Add(new ReduceMax(), x, graph.Integers(maxAxis))));
        return graph.Add(new Div(), e, graph.Add(new ReduceSum(), e, graph.Integers(sumAxis)));
    }

    private Value Normalise(Value x, string square, string quotient, long[] axes, long[]? varianceAxes = null)
    {
        var mean = graph.Add(new ReduceMean(), x, graph.Integers(axes));
        var d = graph.Add(new Sub(), x, mean);
        var squared = square switch
        {
            "mul" => graph.Add(new Mul(), d, d),
            "cube" => graph.Add(new Pow(), graph.Add(new Abs(), d), graph.Number(3)),
            "two differences" => graph.Add(new Pow(), graph.Add(new Sub(), x, mean), graph.Number(2)),
            _ => graph.Add(new Pow(), d, graph.Number(2)),
        };
        return Divide(d, squared, quotient, varianceAxes ?? axes);
    }

    private Value Divide(Value d, Value squared, string quotient, long[] axes)
    {
        var sum = graph.Add(new Add(), graph.Add(new ReduceMean(), squared, graph.Integers(axes)), graph.Number(1e-5f));
        if (quotient == "power") return graph.Add(new Mul(), d, graph.Add(new Pow(), sum, graph.Number(-0.5f)));
        var root = graph.Add(new Sqrt(), sum);
        return quotient switch
        {
            "reciprocal" => graph.Add(new Mul(), d, graph.Add(new Reciprocal(), root)),
            "one over" => graph.Add(new Mul(), graph.Add(new Div(), graph.Number(1), root), d),
            _ => graph.Add(new Div(), d, root),
        };
    }
}
