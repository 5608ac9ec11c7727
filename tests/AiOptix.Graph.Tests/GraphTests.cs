using AiOptix.Graphs.Ops;
using AiOptix.Tensors;

namespace AiOptix.Graphs.Tests;

public class GraphTests
{
    private static readonly TensorType vector = new(DType.Float32, new SymbolicShape(Dim.Symbol("n")));

    [Fact]
    public void Nodes_are_inferred_as_they_are_added()
    {
        var g = new Graph("g");
        var x = g.AddInput("x", vector);
        var y = g.Add(new Exp(), x);
        Assert.Equal(vector, y.Type);
        Assert.Equal("Exp", y.Producer!.Operator.Name);
    }

    [Fact]
    public void Names_are_unique()
    {
        var g = new Graph("g");
        g.AddInput("x", vector);
        Assert.Throws<InvalidGraphException>(() => g.AddInput("x", vector));
        Assert.NotEqual("x", g.Unique("x"));
        Assert.Equal("y", g.Unique("y"));
    }

    [Fact]
    public void Unused_nodes_go_with_all_that_only_they_used()
    {
        var g = new Graph("g");
        var x = g.AddInput("x", vector);
        var kept = g.Add(new Exp(), x);
        var first = g.Add(new Add(), kept, g.AddConstant(Tensor.Scalar(1f), "one"));
        var dead = g.Add(new Neg(), first);
        g.AddOutput(kept);
        var removed = g.RemoveUnused([dead.Producer!]);
        Assert.Equal(2, removed.Count);
        Assert.Single(g.Nodes);
        Assert.Empty(g.Constants);
        Verifier.Verify(g);
    }

    [Fact]
    public void Sorting_puts_makers_before_readers_and_keeps_the_rest()
    {
        var g = new Graph("g");
        var x = g.AddInput("x", vector);
        var a = g.Add(new Exp(), x);
        var b = g.Add(new Neg(), a);
        var c = g.Add(new Abs(), b);
        g.AddOutput(c);
        var late = new Patch(g, "test");
        var l = late.Add(new Relu(), x);
        late.Replace(a, l);
        b.Producer!.SetInput(0, c);
        Assert.Throws<InvalidGraphException>(g.Sort);
        b.Producer!.SetInput(0, a);
        g.Sort();
        Assert.Equal(["Exp", "Neg", "Abs"], g.Nodes.Select(n => n.Operator.Name));
        late.Discard();
        Verifier.Verify(g);
    }

    [Fact]
    public void The_verifier_finds_a_node_before_its_input()
    {
        var g = new Graph("g");
        var x = g.AddInput("x", vector);
        var a = g.Add(new Exp(), x);
        var b = g.Add(new Neg(), a);
        g.AddOutput(b);
        Verifier.Verify(g);
        var c = g.Add(new Abs(), b);
        a.Producer!.SetInput(0, c);
        var e = Assert.Throws<InvalidGraphException>(() => Verifier.Verify(g));
        Assert.Contains("Exp", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void The_verifier_finds_an_output_of_another_graph()
    {
        var g = new Graph("g");
        g.AddOutput(new Graph("other").AddInput("x", vector));
        Assert.Throws<InvalidGraphException>(() => Verifier.Verify(g));
    }

    [Fact]
    public void Wrong_types_are_refused_with_the_node_and_the_input()
    {
        var g = new Graph("g");
        var x = g.AddInput("x", vector);
        var i = g.AddInput("i", vector with { DType = DType.Int64 });
        var e = Assert.Throws<InvalidGraphException>(() => g.Add(new Add(), [x, i], ["sum"], "adder"));
        Assert.Contains("adder", e.Message, StringComparison.Ordinal);
        e = Assert.Throws<InvalidGraphException>(() => g.Add(new Exp(), i));
        Assert.Contains("int64", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void The_printer_shows_operators_with_attributes()
    {
        var g = new Graph("g");
        var y = g.Add(new LeakyRelu(0.5f), g.AddInput("x", vector));
        g.AddOutput(y);
        Assert.Equal("graph g (x: float32[n])\n  LeakyRelu: float32[n] = LeakyRelu{Alpha = 0.5}(x)\n  return LeakyRelu\n", Printer.Print(g));
    }

    [Fact]
    public void Equal_operators_compare_equal()
    {
        Assert.Equal(new LeakyRelu(0.5f), new LeakyRelu(0.5f));
        Assert.NotEqual<Operator>(new LeakyRelu(0.5f), new Elu(0.5f));
        Assert.Equal(new Add(), new Add());
    }
}
