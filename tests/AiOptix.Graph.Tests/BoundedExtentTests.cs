using AiOptix.Tensors;

namespace AiOptix.Graphs.Tests;

public class BoundedExtentTests
{
    [Fact]
    public void A_long_expression_becomes_a_symbol_the_same_one_each_time()
    {
        var g = new Graph("g");
        var a = g.AddInput("a", new TensorType(DType.Float32, new SymbolicShape(Dim.Symbol("n")))).Shape![0];
        Assert.Same(a, g.Bounded(a));
        Dim Long() => Enumerable.Range(0, 100).Aggregate((Dim)0, (sum, i) => sum + Dim.Min(Dim.Symbol($"s{i}"), a));
        var symbol = g.Bounded(Long());
        Assert.NotNull(symbol.SymbolName);
        Assert.Equal(symbol, new Graph("sub", g).Bounded(Long()));
        Assert.NotEqual(symbol, g.Bounded(Long() + 1));
    }
}
