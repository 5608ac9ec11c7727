using AiOptix.Graphs;
using AiOptix.Graphs.Ops;
using AiOptix.Passes.Cleanup;
using AiOptix.Tensors;
using static AiOptix.Passes.Tests.Rewriting;

namespace AiOptix.Passes.Tests;

public class PassDriverTests
{
    [Fact]
    public void Every_stop_on_the_way_is_a_valid_graph_with_the_same_answers()
    {
        var full = PassDriver.Run(Chain(6));
        Assert.True(full.Applied.Count > 6);
        Assert.False(full.Stopped);
        for (var stop = 0; stop <= full.Applied.Count; stop++)
        {
            var graph = Chain(6);
            var input = new Dictionary<string, RuntimeValue> { ["x"] = Random(DType.Float32, new Shape(2, 3, 4), new Random(1)) };
            var expected = (Tensor)ReferenceEvaluator.Run(graph, input)[0];
            var report = PassDriver.Run(graph, new() { StopAfterPatch = stop, VerifyWholeGraph = true });
            Assert.Equal(full.Applied.Take(stop).Select(a => a.ToString()), report.Applied.Select(a => a.ToString()));
            Same(expected, (Tensor)ReferenceEvaluator.Run(graph, input)[0], 0);
        }
    }

    [Fact]
    public void The_same_graph_gives_the_same_patches_and_the_same_text()
    {
        Graph a = Chain(20), b = Chain(20);
        Assert.Equal(PassDriver.Run(a).Applied.Select(p => p.ToString()), PassDriver.Run(b).Applied.Select(p => p.ToString()));
        Assert.Equal(Printer.Print(a), Printer.Print(b));
    }

    [Fact]
    public void A_report_counts_nodes_and_names_them()
    {
        var graph = Chain(3);
        var seen = new List<AppliedPatch>();
        var report = PassDriver.Run(graph, new() { Progress = new Collect(seen) });
        Assert.Equal(seen, report.Applied);
        Assert.Equal(Chain(3).Nodes.Count, report.NodesBefore);
        Assert.Equal(graph.Nodes.Count, report.NodesAfter);
        Assert.Equal(Enumerable.Range(1, seen.Count), seen.Select(s => s.Index));
        for (var i = 0; i < seen.Count; i++)
        {
            Assert.Equal(i == 0 ? report.NodesBefore : seen[i - 1].NodesAfter, seen[i].NodesBefore);
            Assert.Equal(seen[i].After.Count - seen[i].Before.Count, seen[i].NodesAfter - seen[i].NodesBefore);
        }
    }

    [Fact]
    public void Work_grows_with_nodes_and_patches_only()
    {
        var graph = Chain(1000);
        Assert.Equal(3001, graph.Nodes.Count);
        var report = PassDriver.Run(graph);
        Assert.True(report.Applied.Count >= 1500, $"{report.Applied.Count} patches");
        Assert.True(report.Visits <= 12L * (report.NodesBefore + report.Applied.Count), $"{report.Visits} visits, {report.Applied.Count} patches");
        Assert.Single(graph.Nodes);
    }

    [Fact]
    public void Passes_that_never_end_are_stopped_and_named()
    {
        var e = Assert.Throws<AiOptixException>(() => PassDriver.Run(Chain(1), new() { Pipeline = [new("test", [new BackAndForth()])] }));
        Assert.Contains("BackAndForth", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_wrong_patch_is_named()
    {
        var e = Assert.Throws<InvalidGraphException>(() => PassDriver.Run(Chain(1), new() { Pipeline = [new("test", [new WrongType()])] }));
        Assert.Contains("patch 1 (WrongType: drops an axis)", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Cancelling_stops_between_patches()
    {
        using var source = new CancellationTokenSource();
        var graph = Chain(5);
        var stop = new Collect([], () => source.Cancel());
        Assert.Throws<OperationCanceledException>(() => PassDriver.Run(graph, new() { Progress = stop, Cancellation = source.Token }));
        Verifier.Verify(graph);
    }

    [Fact]
    public void Subgraphs_are_rewritten_and_what_they_no_longer_read_goes()
    {
        var graph = new Graph("outer");
        var x = graph.Input("x", DType.Float32, 2, 3);
        var captured = graph.Add(new Transpose(), x);
        var unread = graph.Add(new Tile(), x, graph.Integers(1, 2));
        var body = new Graph("body", graph);
        var back = body.Add(new Transpose(), captured);
        body.Add(new Transpose(), unread);
        body.AddOutput(body.Add(new Flatten(), body.Add(new Transpose(), body.Add(new Transpose(), back))));
        graph.Returning(graph.Add(new Inline(body)));
        var report = graph.Check([.. Pipeline.Create(Limits.Default).SelectMany(g => g.Passes)]);
        Assert.Equal("Transpose Inline", graph.Operators());
        Assert.Equal("Transpose", body.Operators());
        Assert.Equal(8, report.NodesBefore);
    }

    [Fact]
    public void Extents_of_deep_models_stay_short()
    {
        var graph = new Graph("deep");
        Value a = graph.Input("a", DType.Float32, N, 4), b = graph.Input("b", DType.Float32, Dim.Symbol("M"), 4);
        for (var i = 0; i < 40; i++) (a, b) = (graph.Add(new Add(), a, b), graph.Add(new Concat(0), graph.Add(new Add(), b, a), a));
        graph.Returning(a, b);
        Assert.All(graph.Values.Values, v => Assert.True(v.Shape!.ToString().Length <= 2048, v.Name));
        Value c = graph.Input("c", DType.Float32, N, 4), d = graph.Input("d", DType.Float32, Dim.Symbol("M"), 4);
        var joined = graph.Add(new Add(), c, d);
        Assert.Equal(joined.Shape, graph.Add(new Add(), graph.Add(new Add(), d, joined), graph.Add(new Add(), joined, c)).Shape);
    }

    /// <summary>Each link is a Transpose there, one back, and a Reshape to the same shape.</summary>
    private static Graph Chain(int links)
    {
        var graph = new Graph("chain");
        var v = graph.Input("x", DType.Float32, 2, 3, 4);
        for (var i = 0; i < links; i++)
        {
            v = graph.Add(new Transpose([2, 0, 1]), v);
            v = graph.Add(new Transpose(i % 2 == 0 ? [1, 2, 0] : [0, 2, 1]), v);
            v = graph.Add(new Reshape(), v, graph.Integers(0, -1, 0));
        }
        return graph.Returning(graph.Add(new Flatten(), v));
    }

    private sealed class Collect(List<AppliedPatch> to, Action? then = null) : IProgress<AppliedPatch>
    {
        public void Report(AppliedPatch value)
        {
            to.Add(value);
            then?.Invoke();
        }
    }

    private sealed class BackAndForth : IPass
    {
        public Patch? Match(Graph graph, Node node)
        {
            if (node.Operator is not Flatten f) return null;
            var patch = new Patch(graph, "flattens on another axis and back");
            return patch.Replace(node.Output, patch.Add(new Flatten(f.Axis == 1 ? 1 - node.Inputs[0]!.Shape!.Rank : 1), node.Inputs[0]));
        }
    }

    private sealed class WrongType : IPass
    {
        public Patch? Match(Graph graph, Node node) =>
            node.Operator is Flatten ? Wrong(graph, node) : null;

        private static Patch Wrong(Graph graph, Node node)
        {
            var patch = new Patch(graph, "drops an axis");
            return patch.Replace(node.Output, patch.Add(new Reshape(), node.Inputs[0], patch.Constant(Tensor.Vector(-1L))));
        }
    }

    /// <summary>Runs its body in place.</summary>
    private sealed record Inline(Graph Body) : Operator
    {
        public override IReadOnlyList<Graph> Subgraphs => [Body];

        public override void Infer(InferenceContext context) => context.Set(0, Body.Outputs[0].Type!);

        public override void Evaluate(EvaluationContext context) =>
            context.Set(0, ReferenceEvaluator.Run(Body, [], context.Limits, context.OuterScope, context.Cancellation)[0]);
    }
}
