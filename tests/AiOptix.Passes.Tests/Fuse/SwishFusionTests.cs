using AiOptix.Graphs;
using AiOptix.Graphs.Ops;
using AiOptix.Passes.Fuse;
using AiOptix.Tensors;
using static AiOptix.Passes.Tests.Rewriting;

namespace AiOptix.Passes.Tests.Fuse;

[TestsOf<SwishFusion>, TestsOf<HardSwishFusion>]
public class SwishFusionTests
{
    private readonly Graph graph = new("test");
    private readonly Value x;

    public SwishFusionTests() => x = graph.Add(new Neg(), graph.Input("x", DType.Float32, N, 9));

    [Theory]
    [InlineData(1)]
    [InlineData(1.702f)]
    public void SwishFusion_finds_a_sigmoid_gate(float alpha)
    {
        var inner = alpha == 1 ? x : Mul(graph.Number(alpha), x);
        graph.Returning(Mul(graph.Add(new Sigmoid(), inner), x));
        Assert.Single(graph.Check(new SwishFusion()).Applied);
        Assert.Equal(new Swish(alpha), graph.Nodes[1].Operator);
    }

    [Fact]
    public void SwishFusion_leaves_other_gates_and_read_sigmoids()
    {
        var other = graph.Input("other", DType.Float32, N, 9);
        var read = graph.Add(new Sigmoid(), x);
        graph.Returning(Mul(x, graph.Add(new Sigmoid(), other)), Mul(x, read), read, Mul(x, graph.Add(new Sigmoid(), graph.Add(new Add(), x, graph.Number(1)))));
        Assert.Empty(graph.Check(new SwishFusion()).Applied);
    }

    [Theory]
    [InlineData("(x*clip)/6")]
    [InlineData("x*(clip/6)")]
    [InlineData("(clip*.16)*x")]
    [InlineData("x*hard")]
    public void HardSwishFusion_finds_every_order(string form)
    {
        var clip = Clip(3, 6);
        graph.Returning(form switch
        {
            "(x*clip)/6" => graph.Add(new Div(), Mul(x, clip), graph.Number(6)),
            "x*(clip/6)" => Mul(x, graph.Add(new Div(), clip, graph.Number(6))),
            "(clip*.16)*x" => Mul(Mul(clip, graph.Number(1 / 6f)), x),
            _ => Mul(x, graph.Add(new HardSigmoid(1 / 6f), x)),
        });
        graph.Check(new AiOptix.Passes.Cleanup.DeadNodes());
        graph.Check(new HardSwishFusion());
        Assert.Equal("Neg HardSwish", graph.Operators());
    }

    [Fact]
    public void HardSwishFusion_makes_a_hard_sigmoid()
    {
        graph.Returning(graph.Add(new Div(), Clip(3, 6), graph.Number(6)));
        Assert.Single(graph.Check(new HardSwishFusion()).Applied);
        Assert.Equal("Neg HardSigmoid", graph.Operators());
    }

    [Fact]
    public void HardSwishFusion_leaves_other_numbers_and_read_intermediates()
    {
        var read = Clip(3, 6);
        graph.Returning(
            graph.Add(new Div(), Mul(x, Clip(3, 6)), graph.Number(5)), graph.Add(new Div(), Mul(x, Clip(2, 6)), graph.Number(6)),
            graph.Add(new Div(), Mul(x, Clip(3, 5)), graph.Number(6)), graph.Add(new Div(), Mul(x, read), graph.Number(6)), read,
            Mul(x, graph.Add(new HardSigmoid(), x)), Mul(x, Clip(3, 6)));
        Assert.Empty(graph.Check(new HardSwishFusion()).Applied);
    }

    private Value Mul(Value a, Value b) => graph.Add(new Mul(), a, b);

    private Value Clip(float shift, float high) => graph.Add(new Clip(), graph.Add(new Add(), x, graph.Number(shift)), graph.Number(0), graph.Number(high));
}
