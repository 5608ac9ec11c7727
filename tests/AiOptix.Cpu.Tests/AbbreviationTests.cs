using AiOptix.Graphs;
using AiOptix.Graphs.Ops;
using AiOptix.Runtime;
using AiOptix.Tensors;

namespace AiOptix.Cpu.Tests;

/// <summary>Extents whose expressions are too long to be carried along are symbols of their own; programs give them their values.</summary>
public class AbbreviationTests
{
    [Fact]
    public void AnAbbreviatedExtentIsKnownWhenTheInputsAre()
    {
        var (graph, extent) = Build();
        Assert.True(Graph.IsFresh(extent));
        var program = PlanCheck.Compile(graph);
        Assert.Single(program.Segments);
        Assert.DoesNotContain(program.Steps, s => s is ManagedStep);
        PlanCheck.Same(graph, PlanCheck.Random(1, 3), PlanCheck.Random(2, 4));
        PlanCheck.Same(graph, PlanCheck.Random(1, 5), PlanCheck.Random(2, 1));
    }

    [Fact]
    public void BindingAsksForTheSymbolsOfTheInputsOnly()
    {
        var program = PlanCheck.Compile(Build().Graph);
        var extents = program.InputSymbols.ToDictionary(s => s, _ => 2L);
        Assert.Equal(2, extents.Count);
        Assert.Equal(new Shape(8L), program.Bind(0, extents).Shape(program.Outputs[0]));
    }

    [Fact]
    public void ACloneKnowsThem()
    {
        var (graph, extent) = Build();
        Assert.Contains(graph.Clone().Abbreviations, a => a.Symbol == extent.SymbolName);
    }

    private static (Graph Graph, Dim Extent) Build()
    {
        var g = new Graph("long");
        var a = g.AddInput("a", PlanCheck.F32(Dim.Symbol(new string('n', 300))));
        var b = g.AddInput("b", PlanCheck.F32(Dim.Symbol(new string('m', 300))));
        var both = g.Add(new Concat(0), a, b);
        g.AddOutput(g.Add(new Neg(), g.Add(new Concat(0), both, g.Add(new Where(), g.Add(new Less(), both, both), both, both))));
        return (g, both.Shape![0]);
    }
}
