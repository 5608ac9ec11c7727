using AiOptix.Graphs.Ops;
using AiOptix.Tensors;

namespace AiOptix.Graphs.Tests.Ops;

/// <summary>Shapes stay exact through the arithmetic that exporters write with tensors.</summary>
public class SymbolicShapeTests
{
    [Fact]
    public void A_view_into_heads_keeps_batch_and_length()
    {
        var g = Build.Empty();
        var x = g.Input("x", DType.Float32, "batch", "seq", 768);
        Value Extent(long axis) => g.Add(new Unsqueeze(), g.Add(new Gather(), g.Add(new ShapeOf(), x), g.Int(axis)), g.Ints(0));
        var shape = g.Add(new Concat(0), Extent(0), Extent(1), g.Ints(12), g.Ints(64));
        var heads = g.Add(new Transpose([0, 2, 1, 3]), g.Add(new Reshape(), x, shape));
        Assert.Equal("[batch,12,seq,64]", heads.Shape!.ToString());
        var back = g.Add(new Reshape(), g.Add(new Transpose([0, 2, 1, 3]), heads), g.Add(new Concat(0), Extent(0), Extent(1), g.Ints(-1)));
        Assert.Equal("[batch,seq,768]", back.Shape!.ToString());
    }

    [Fact]
    public void Minus_one_takes_the_symbol_that_is_left()
    {
        var g = Build.Empty();
        var x = g.Input("x", DType.Float32, "batch", "seq", 12, 64);
        Assert.Equal("[batch,seq,768]", g.Add(new Reshape(), x, g.Ints(0, -1, 768)).Shape!.ToString());
        Assert.Equal("[batch*seq,768]", g.Add(new Reshape(), x, g.Ints(-1, 768)).Shape!.ToString());
    }

    [Fact]
    public void A_range_over_a_length_with_the_past_is_exact()
    {
        var g = Build.Empty();
        var past = g.Input("past", DType.Float32, "batch", 4, "past", 8);
        var now = g.Input("now", DType.Float32, "batch", 4, "seq", 8);
        var joined = g.Add(new Concat(2), past, now);
        Assert.Equal("[batch,4,past+seq,8]", joined.Shape!.ToString());
        var length = g.Add(new Gather(), g.Add(new ShapeOf(), joined), g.Int(2));
        Assert.Equal("[past+seq]", g.Add(new NumericRange(), g.Int(0), length, g.Int(1)).Shape!.ToString());
        Assert.Equal("[batch,4,past+seq,past+seq]", g.Add(new Concat(3), joined, g.Add(new Expand(), g.Floats(new Shape(1, 1, 1, 1), 0),
            g.Add(new Concat(0), g.Add(new Slice(), g.Add(new ShapeOf(), joined), g.Ints(0), g.Ints(3)), g.Add(new Unsqueeze(), g.Add(new Sub(), length, g.Int(8)), g.Ints(0))))).Shape!.ToString());
    }

    [Theory]
    [InlineData(0, long.MaxValue, 1, "n")]
    [InlineData(1, long.MaxValue, 1, "max(0,n-1)")]
    [InlineData(0, 4, 1, "min(4,n)")]
    [InlineData(0, long.MaxValue, 2, "-floor((-n)/(2))")]
    [InlineData(-1, long.MinValue, -1, "n")]
    [InlineData(-3, long.MaxValue, 1, "min(3,n)")]
    public void Slices_of_an_unknown_extent(long start, long end, long step, string expected)
    {
        var g = Build.Empty();
        var x = g.Input("x", DType.Float32, "n");
        var y = g.Add(new Slice(), x, g.Ints(start), g.Ints(end), g.Ints(0), g.Ints(step));
        Assert.Equal($"[{expected}]", y.Shape!.ToString());
        foreach (var n in new long[] { 0, 1, 2, 3, 4, 7 })
            Assert.Equal(Build.Run(new Slice(), Build.Counting(n), Tensor.Vector(start), Tensor.Vector(end), Tensor.Vector(0L), Tensor.Vector(step)).Shape,
                y.Shape!.Evaluate(new Dictionary<string, long> { ["n"] = n }));
    }

    [Fact]
    public void A_slice_of_an_even_split_is_one_symbol()
    {
        var g = Build.Empty();
        var node = g.Add(new Split(-1), [g.Input("x", DType.Float32, "batch", "seq", 2304)], [null, null, null]);
        Assert.All(node.Outputs, o => Assert.Equal("[batch,seq,768]", o.Shape!.ToString()));
    }

    [Fact]
    public void Data_dependent_extents_are_fresh()
    {
        var g = Build.Empty();
        var a = g.Add(new NonZero(), g.Input("x", DType.Float32, "n", 3));
        var b = g.Add(new NonZero(), g.Values["x"]);
        Assert.Equal(2, a.Shape!.Rank);
        Assert.NotEqual(a.Shape![1], b.Shape![1]);
        Assert.Equal(2, a.Shape![0].Constant);
    }

    [Theory]
    [InlineData(3, 2, 1, false)]
    [InlineData(3, 2, 0, true)]
    [InlineData(2, 3, 1, true)]
    [InlineData(5, 1, 2, false)]
    public void Windows_have_the_same_extent_symbolic_and_known(long kernel, long stride, long pad, bool ceil)
    {
        var op = new MaxPool([kernel], [stride], [pad, pad], default, AutoPad.NotSet, ceil);
        var g = Build.Empty();
        var y = g.Add(op, g.Input("x", DType.Float32, 1, 1, "n"));
        for (long n = kernel; n < 20; n++)
            Assert.Equal(Build.Run(op, Build.Counting(1, 1, n)).Shape, y.Shape!.Evaluate(new Dictionary<string, long> { ["n"] = n }));
    }

    [Fact]
    public void What_a_rule_rests_on_is_recorded()
    {
        var g = Build.Empty();
        g.Add(new MatMul(), g.Input("a", DType.Float32, "m", "k"), g.Input("b", DType.Float32, "l", 4));
        Assert.Contains(g.Constraints, c => new[] { c.Left.ToString(), c.Right.ToString() }.Order().SequenceEqual(["k", "l"]));
    }

    [Theory]
    [InlineData("...ij,...jk->...ik", "[2,b,n,5]")]
    [InlineData("...ij,...jk->ik...", "[n,5,2,b]")]
    [InlineData("abij,cjk", "[2,b,1,n,5]")]
    public void Equations_give_extents(string equation, string expected)
    {
        var g = Build.Empty();
        var y = g.Add(new Einsum(equation), g.Input("x", DType.Float32, 2, "b", "n", 4), g.Input("y", DType.Float32, 1, 4, 5));
        Assert.Equal(expected, y.Shape!.ToString());
    }

    [Fact]
    public void A_resize_by_a_whole_factor_keeps_symbols()
    {
        var g = Build.Empty();
        var x = g.Input("x", DType.Float32, "n", 3, "h", 10);
        Assert.Equal("[n,3,2*h,15]", g.Add(new Resize(ResizeMode.Linear), x, null, g.Floats(new Shape(4), 1, 1, 2, 1.5f)).Shape!.ToString());
        Assert.Equal("[n,3,floor((h)/(2)),10]", g.Add(new Resize(), x, null, g.Floats(new Shape(4), 1, 1, 0.5f, 1)).Shape!.ToString());
    }
}
