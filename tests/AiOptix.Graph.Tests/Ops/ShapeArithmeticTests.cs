using AiOptix.Graphs.Ops;
using AiOptix.Tensors;

namespace AiOptix.Graphs.Tests.Ops;

/// <summary>The elements of a shape are followed through arithmetic, and agree with what the evaluation gives.</summary>
public class ShapeArithmeticTests
{
    private static readonly Dim n = Dim.Symbol("n");

    [Fact]
    public void A_shape_is_followed_through_arithmetic()
    {
        var (g, shape) = Start();
        var c = g.AddConstant(Tensor.Vector(2L));
        Expect(g.Add(new Add(), shape, c), n + 2, 8);
        Expect(g.Add(new Sub(), c, shape), 2 - n, -4);
        Expect(g.Add(new Mul(), shape, shape), n * n, 36);
        Expect(g.Add(new Div(), shape, c), Dim.FloorDiv(n, 2), 3);
        Expect(g.Add(new Mod(), shape, c), Dim.Mod(n, 2), 0);
        Expect(g.Add(new Min(), shape, c), Dim.Min(n, 2), 2);
        Expect(g.Add(new Max(), shape, c), Dim.Max(n, 2), 6);
        Expect(g.Add(new Neg(), shape), n * -1L, -6);
        Expect(g.Add(new Identity(), shape), n, 6);
        Expect(g.Add(new Cast(DType.Int32), shape), n, 6);
        var condition = g.AddConstant(Run.Bools(true, false));
        Expect(g.Add(new Where(), condition, shape, c), n, 2);
        var nothing = g.AddConstant(Tensor.Vector(-1L));
        Expect(g.Add(new Where(), g.Add(new Equal(), shape, nothing), c, shape), n, 6);
        Expect(g.Add(new Where(), g.Add(new Equal(), shape, shape), shape, c), n, 6);
    }

    [Fact]
    public void What_only_a_run_can_tell_is_not_followed()
    {
        var (g, shape) = Start();
        Assert.Null(g.Add(new Cast(DType.Float32), shape).Elements);
        Assert.Null(g.Add(new Div(), shape, shape).Elements);
        Assert.Null(g.Add(new Where(), g.Add(new Equal(), shape, g.AddConstant(Tensor.Vector(2L))), shape, g.AddConstant(Tensor.Vector(5L))).Elements);
        Assert.Null(g.Add(new Div(), g.Add(new Neg(), shape), g.AddConstant(Tensor.Vector(2L))).Elements);
        Assert.Null(g.Add(new Add(), g.AddConstant(Tensor.Vector(long.MaxValue)), g.AddConstant(Tensor.Vector(1L))).Elements);
    }

    [Fact]
    public void A_constant_extent_against_a_symbol_is_remembered_as_a_condition()
    {
        var g = new Graph("g");
        var a = g.AddInput("a", new TensorType(DType.Float32, new SymbolicShape(5)));
        var b = g.AddInput("b", new TensorType(DType.Float32, new SymbolicShape(n)));
        Assert.Equal(new SymbolicShape(5), g.Add(new Add(), a, b).Shape);
        var constraint = Assert.Single(g.Constraints);
        long At(long v) => constraint.Left.Evaluate(new Dictionary<string, long> { ["n"] = v }) - constraint.Right.Evaluate(new Dictionary<string, long> { ["n"] = v });
        Assert.Equal(0, At(1));
        Assert.Equal(0, At(5));
        Assert.NotEqual(0, At(3));
    }

    private static (Graph, Value) Start()
    {
        var g = new Graph("g");
        var x = g.AddInput("x", new TensorType(DType.Float32, new SymbolicShape(n, 6)));
        return (g, g.Add(new ShapeOf(), x));
    }

    private static void Expect(Value value, Dim first, long second)
    {
        Assert.NotNull(value.Elements);
        Assert.Equal([first, second], value.Elements);
    }
}
