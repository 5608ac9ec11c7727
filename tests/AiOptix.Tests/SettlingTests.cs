using AiOptix.Graphs;
using AiOptix.Graphs.Ops;
using AiOptix.Runtime;
using AiOptix.Tensors;

namespace AiOptix.Tests;

/// <summary>Models whose ranks depend on extents run compiled code once the extents are known.</summary>
public class SettlingTests
{
    [Fact]
    public void A_branch_that_drops_an_axis_is_settled_by_the_shapes_of_a_run()
    {
        var model = Model.Of(Build());
        using var session = model.Compile(new CompileOptions { Threads = 1 });
        var settled = new List<bool>();
        session.StepDone = t => settled.Add(t.Step is not (ReferenceStep or ControlFlowStep));
        foreach (var (rows, columns) in new[] { (3, 5), (1, 5), (1, 5), (3, 5) })
        {
            settled.Clear();
            Check(session, model.Graph, rows, columns);
            Assert.DoesNotContain(false, settled);
        }
    }

    [Fact]
    public void Shapes_beyond_the_first_few_run_the_general_program()
    {
        var model = Model.Of(Build());
        using var session = model.Compile(new CompileOptions { Threads = 2 });
        for (var round = 0; round < 2; round++)
            for (var columns = 1; columns < 14; columns++) Check(session, model.Graph, columns % 3 == 0 ? 1 : 2, columns);
    }

    [Fact]
    public void Wrong_inputs_are_refused_as_ever()
    {
        using var session = Model.Of(Build()).Compile(new CompileOptions { Threads = 1 });
        Assert.Throws<InvalidInputException>(() => session.Run([Tensor.Vector(1f)]));
        Assert.Throws<InvalidInputException>(() => session.Run(Array.Empty<RuntimeValue>()));
        Assert.Throws<InputTypeException>(() => session.Run([Tensor.From<long>([1, 2], new Shape(1, 2))]));
    }

    [Fact]
    public void A_session_that_was_disposed_of_says_so()
    {
        var session = Model.Of(Build()).Compile(new CompileOptions { Threads = 1 });
        session.Run([Tensor.From([1f, 2f], new Shape(1, 2))])[0].Dispose();
        session.Dispose();
        Assert.Throws<ObjectDisposedException>(() => session.Run([Tensor.From([1f, 2f], new Shape(1, 2))]));
    }

    private static void Check(Session session, Graph graph, int rows, int columns)
    {
        using var x = Tensor.From([.. Enumerable.Range(0, rows * columns).Select(i => i * 0.5f - 1)], new Shape(rows, columns));
        var expected = (Tensor)ReferenceEvaluator.Run(graph, new Dictionary<string, RuntimeValue> { ["x"] = x })[0];
        using var found = (Tensor)session.Run([x])[0];
        Assert.True(expected.BitEquals(found), $"{rows}×{columns}: {expected} and {found}");
    }

    /// <summary>|x| after the first axis was dropped where its extent is 1.</summary>
    private static Graph Build()
    {
        var g = new Graph("g");
        var x = g.AddInput("x", new TensorType(DType.Float32, new(Dim.Symbol("n"), Dim.Symbol("m"))));
        var isOne = g.Add(new Equal(), g.Add(new Gather(), g.Add(new ShapeOf(), x), g.AddConstant(Tensor.Scalar(0L))), g.AddConstant(Tensor.Scalar(1L)));
        Graph drops = new("drops", g), keeps = new("keeps", g);
        drops.AddOutput(drops.Add(new Squeeze(), x, drops.AddConstant(Tensor.Vector(0L))));
        keeps.AddOutput(keeps.Add(new Identity(), x));
        g.AddOutput(g.Add(new Abs(), g.Add(new If(drops, keeps), isOne)));
        return g;
    }
}
