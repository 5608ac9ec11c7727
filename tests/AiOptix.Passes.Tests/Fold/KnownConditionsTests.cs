using AiOptix.Graphs;
using AiOptix.Graphs.Ops;
using AiOptix.Passes.Fold;
using AiOptix.Tensors;

namespace AiOptix.Passes.Tests.Fold;

[TestsOf<KnownConditions>]
public class KnownConditionsTests
{
    /// <summary>What an exporter writes for a squeeze of an axis whose extent it did not know: here the extent is known, and so is the branch.</summary>
    [Theory]
    [InlineData(1, "Squeeze Relu")]
    [InlineData(4, "Relu")]
    public void ASqueezeThatDependsOnAnExtent(long extent, string expected)
    {
        var g = new Graph("squeeze");
        var x = g.Input("x", DType.Float32, Rewriting.N, extent, 5);
        var one = g.AddConstant(Tensor.Scalar(1L));
        var isOne = g.Add(new Equal(), g.Add(new Gather(0), g.Add(new ShapeOf(), x), one), one);
        var then = new Graph("then", g);
        then.AddOutput(then.Add(new Squeeze(), x, then.Integers(1)));
        var otherwise = new Graph("else", g);
        otherwise.AddOutput(otherwise.Add(new Identity(), x));
        g.Returning(g.Add(new Relu(), g.Add(new If(then, otherwise), isOne)));
        g.Check([.. Pipeline.Create(Limits.Default)[0].Passes]);
        Assert.Equal(expected, g.Operators());
        Assert.Equal(extent == 1 ? 2 : 3, g.Outputs[0].Shape!.Rank);
    }

    /// <summary>A branch with a loop in it that reads values of the branch and of the graph around it; its results are outputs, one of them twice and one captured.</summary>
    [Fact]
    public void NestedGraphsAndOutputsThatOthersMade()
    {
        var g = new Graph("nested");
        var x = g.Input("x", DType.Float32, Rewriting.N);
        var then = new Graph("then", g);
        var doubled = then.Add(new Add(), x, x);
        var body = new Graph("body", then);
        body.AddInput("i", new TensorType(DType.Int64, new()));
        var go = body.AddInput("go", new TensorType(DType.Bool, new()));
        body.AddOutput(go);
        body.AddOutput(body.Add(new Mul(), body.Add(new Sub(), body.AddInput("v", null), doubled), x));
        var looped = then.Add(new Loop(body), then.AddConstant(Tensor.Scalar(3L)), null, doubled);
        foreach (var o in new[] { looped, looped, x }) then.AddOutput(o);
        var otherwise = new Graph("else", g);
        for (var i = 0; i < 3; i++) otherwise.AddOutput(otherwise.Add(new Neg(), x));
        g.Returning([.. g.Add(new If(then, otherwise), [g.AddConstant(Tensor.Scalar(true))], [null, null, null]).Outputs]);
        g.Check(new KnownConditions());
        Assert.DoesNotContain(g.AllNodes, n => n.Operator is If);
        Assert.Contains(g.Nodes, n => n.Operator is Loop);
    }

    /// <summary>Once the branch is known nothing is left of the extent that only the If could have told.</summary>
    [Fact]
    public void WhatWasUnknownIsReplacedBehindTheNode()
    {
        var g = new Graph("extent");
        var x = g.Input("x", DType.Float32, Rewriting.N);
        var then = new Graph("then", g);
        then.AddOutput(then.Add(new Neg(), then.Add(new Unsqueeze(), then.Number(2), then.Integers(0))));
        var otherwise = new Graph("else", g);
        otherwise.AddOutput(otherwise.Add(new Neg(), x));
        var chosen = g.Add(new If(then, otherwise), g.AddConstant(Tensor.Scalar(true)));
        var positions = g.Add(new Cast(DType.Float32), g.Add(new Squeeze(), g.Add(new NonZero(), x), g.Integers(0)));
        g.Returning(g.Add(new Mul(), chosen, positions));
        g.Check(new KnownConditions());
        Assert.Equal(positions.Shape, g.Outputs[0].Shape);
    }

    [Fact]
    public void OtherConditionsStay()
    {
        var g = new Graph("runtime");
        var x = g.Input("x", DType.Float32, Rewriting.N);
        var c = g.Input("c", DType.Bool);
        Graph Branch(string name, Operator op)
        {
            var b = new Graph(name, g);
            b.AddOutput(b.Add(op, x));
            return b;
        }
        g.Returning(g.Add(new If(Branch("then", new Relu()), Branch("else", new Neg())), c));
        Assert.Empty(g.Check(new KnownConditions()).Applied);
    }
}
