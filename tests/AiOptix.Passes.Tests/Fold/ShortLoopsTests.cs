using AiOptix.Graphs;
using AiOptix.Graphs.Ops;
using AiOptix.Passes.Fold;
using AiOptix.Tensors;
using static AiOptix.Passes.Tests.Rewriting;

namespace AiOptix.Passes.Tests.Fold;

[TestsOf<ShortLoops>]
public class ShortLoopsTests
{
    private readonly Graph graph = new("test");
    private readonly Value x;

    public ShortLoopsTests() => x = graph.Input("x", DType.Float32, N, 3);

    /// <summary>A carried value, a scan value and a use of the iteration number, as torch.jit writes a for loop.</summary>
    [Theory]
    [InlineData(1, true)]
    [InlineData(4, true)]
    [InlineData(4, false)]
    public void IterationsComeOneAfterTheOther(long trips, bool isGiven)
    {
        var loop = Looped(graph.AddConstant(Tensor.Scalar(trips)), isGiven, graph.AddConstant(Tensor.Scalar(true)));
        graph.Returning(loop);
        Assert.Single(graph.Check(new ShortLoops()).Applied);
        Assert.DoesNotContain(graph.AllNodes, n => n.Operator is Loop);
        Assert.Equal($"[{trips},N,3]", graph.Outputs[1].Shape!.ToString());
    }

    [Theory]
    [InlineData("long")]
    [InlineData("unknown number")]
    [InlineData("no iteration")]
    [InlineData("condition from outside")]
    public void OthersStay(string form)
    {
        var trips = form switch
        {
            "long" => graph.AddConstant(Tensor.Scalar((long)ShortLoops.MaxTrips + 1)),
            "unknown number" => graph.Input("trips", DType.Int64),
            "no iteration" => graph.AddConstant(Tensor.Scalar(0L)),
            _ => graph.AddConstant(Tensor.Scalar(3L)),
        };
        var go = form == "condition from outside" ? graph.Input("go", DType.Bool) : graph.AddConstant(Tensor.Scalar(true));
        graph.Returning(Looped(trips, isGiven: true, go));
        Assert.Empty(PassDriver.Run(graph, new PassOptions { Pipeline = [new("test", [new ShortLoops()])] }).Applied);
    }

    [Fact]
    public void ALoopThatEndsItselfStays()
    {
        var body = Body(out _, out var v);
        body.AddOutput(body.Add(new Less(), body.Add(new ReduceMax(false), v), body.AddConstant(Tensor.Scalar(3f))));
        body.AddOutput(body.Add(new Add(), v, v));
        graph.Returning(graph.Add(new Loop(body), graph.AddConstant(Tensor.Scalar(3L)), graph.AddConstant(Tensor.Scalar(true)), x));
        Assert.Empty(graph.Check(new ShortLoops()).Applied);
    }

    private Value[] Looped(Value trips, bool isGiven, Value go)
    {
        var body = Body(out var condition, out var v);
        body.AddOutput(isGiven ? body.Add(new Identity(), condition) : body.AddConstant(Tensor.Scalar(true)));
        var i = body.Add(new Cast(DType.Float32), body.Inputs[0]);
        var next = body.Add(new Add(), body.Add(new Mul(), v, x), i);
        body.AddOutput(next);
        body.AddOutput(body.Add(new Neg(), next));
        return [.. graph.Add(new Loop(body), [trips, go, x], [null, null]).Outputs];
    }

    private Graph Body(out Value condition, out Value carried)
    {
        var body = new Graph("body", graph);
        body.AddInput("i", new TensorType(DType.Int64, new()));
        condition = body.AddInput("go", new TensorType(DType.Bool, new()));
        carried = body.AddInput("v", null);
        return body;
    }
}
