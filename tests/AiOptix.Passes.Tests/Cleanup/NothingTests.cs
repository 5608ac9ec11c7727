using AiOptix.Graphs;
using AiOptix.Graphs.Ops;
using AiOptix.Passes.Cleanup;
using AiOptix.Tensors;
using static AiOptix.Passes.Tests.Rewriting;

namespace AiOptix.Passes.Tests.Cleanup;

[TestsOf<NoOps>, TestsOf<NoArithmetic>, TestsOf<InversePairs>, TestsOf<CastPairs>]
public class NothingTests
{
    private readonly Graph graph = new("test");

    [Fact]
    public void NoOps_removes_what_hands_its_input_through()
    {
        var x = graph.Input("x", DType.Float32, N, 4);
        var v = graph.Add(new Relu(), x);
        v = graph.Add(new Identity(), v);
        v = graph.Add(new Dropout(), v, graph.Number(0.3f), graph.AddConstant(Tensor.Scalar(false)));
        v = graph.Add(new Cast(DType.Float32), v);
        v = graph.Add(new Sum(), v);
        v = graph.Add(new Max(), v);
        graph.Returning(v);
        Assert.Equal(5, graph.Check(new NoOps(), 0).Applied.Count);
        Assert.Equal("Relu", graph.Operators());
    }

    [Fact]
    public void NoOps_keeps_dropout_in_training_or_with_a_mask()
    {
        var x = graph.Input("x", DType.Float32, 4);
        var mode = graph.Input("training", DType.Bool);
        var a = graph.Add(new Dropout(1), graph.Add(new Relu(), x), graph.Number(0.5f), mode);
        var masked = graph.Add(new Dropout(), [graph.Add(new Relu(), x)], [null, null]);
        graph.Returning(a, graph.Add(new Relu(), masked.Outputs[0]), masked.Outputs[1]);
        Assert.Empty(graph.Check(new NoOps()).Applied);
    }

    [Theory]
    [InlineData(DType.Float32)]
    [InlineData(DType.Float16)]
    [InlineData(DType.Float64)]
    [InlineData(DType.Int32)]
    public void NoArithmetic_removes_neutral_numbers(DType type)
    {
        var zero = Constant(type, type.IsFloat() ? -0.0 : 0, new Shape(1));
        var one = Constant(type, 1, Shape.Scalar);
        var v = graph.Add(new Abs(), graph.Input("x", type, N, 4));
        v = graph.Add(new Mul(), one, v);
        v = graph.Add(new Add(), v, zero);
        v = graph.Add(new Div(), v, one);
        v = graph.Add(new Pow(), v, one);
        v = graph.Add(new Sub(), v, Constant(type, 0, Shape.Scalar));
        graph.Returning(v);
        Assert.Equal(5, graph.Check(new NoArithmetic(), 0).Applied.Count);
        Assert.Equal("Abs", graph.Operators());
    }

    [Fact]
    public void NoArithmetic_keeps_what_changes_a_sign_a_shape_or_rests_on_weights()
    {
        var x = graph.Add(new Relu(), graph.Input("x", DType.Float32, 4));
        var ones = graph.AddConstant(Tensor.Vector(1f, 1f, 1f, 1f));
        graph.Returning(
            graph.Add(new Add(), x, graph.Number(0)),
            graph.Add(new Sub(), x, graph.Number(-0f)),
            graph.Add(new Mul(), x, graph.AddConstant(Tensor.From([1f], new Shape(1, 1)))),
            graph.Add(new Mul(), x, ones),
            graph.Add(new Div(), graph.Number(1), x),
            graph.Add(new Mul(), x, graph.Number(1.0000001f)));
        Assert.Empty(graph.Check(new NoArithmetic()).Applied);
    }

    [Fact]
    public void InversePairs_removes_pairs()
    {
        var x = graph.Add(new Relu(), graph.Input("x", DType.Float32, 4));
        var b = graph.Add(new Not(), graph.Input("b", DType.Bool, 4));
        graph.Returning(graph.Add(new Neg(), graph.Add(new Neg(), x)), graph.Add(new Not(), graph.Add(new Not(), graph.Add(new Not(), b))));
        Assert.Equal(2, graph.Check(new InversePairs(), 0).Applied.Count);
        Assert.Equal("Relu Not Not", graph.Operators());
    }

    [Fact]
    public void InversePairs_keeps_pairs_that_only_look_it()
    {
        var x = graph.Add(new Relu(), graph.Input("x", DType.Float32, 4));
        graph.Returning(graph.Add(new Reciprocal(), graph.Add(new Reciprocal(), x)), graph.Add(new Neg(), graph.Add(new Abs(), x)));
        Assert.Empty(graph.Check(new InversePairs()).Applied);
    }

    [Theory]
    [InlineData(DType.Float32, DType.Float64, DType.Float32, 0)]
    [InlineData(DType.Float16, DType.Float32, DType.Float16, 0)]
    [InlineData(DType.Int32, DType.Int64, DType.Int32, 0)]
    [InlineData(DType.Bool, DType.Int32, DType.Bool, 0)]
    [InlineData(DType.UInt8, DType.Int32, DType.Float32, 1)]
    [InlineData(DType.Int32, DType.Int64, DType.Int8, 1)]
    [InlineData(DType.Float16, DType.Float32, DType.BFloat16, 1)]
    [InlineData(DType.Float32, DType.Float16, DType.Float32, 2)]
    [InlineData(DType.Int32, DType.Float32, DType.Int32, 2)]
    [InlineData(DType.Float32, DType.Int32, DType.Float32, 2)]
    [InlineData(DType.Int64, DType.Int32, DType.Int64, 2)]
    [InlineData(DType.Int8, DType.UInt8, DType.Int32, 2)]
    [InlineData(DType.Int8, DType.Bool, DType.Int8, 2)]
    [InlineData(DType.Int8, DType.Float32, DType.UInt8, 2)]
    public void CastPairs_merges_only_what_loses_nothing(DType from, DType middle, DType to, int casts)
    {
        var x = graph.Add(new Reshape(), graph.Input("x", from, 4, 8), graph.Integers(-1));
        graph.Returning(graph.Add(new Cast(to), graph.Add(new Cast(middle), x)));
        graph.Check(new CastPairs(), 0);
        Assert.Equal(casts, graph.Nodes.Count(n => n.Operator is Cast));
    }

    private Value Constant(DType type, double value, Shape shape) => graph.AddConstant(
        Reals.CanWrite(type) ? Reals.Write([value], type, shape) : Tensor.From([(int)value], shape));
}
