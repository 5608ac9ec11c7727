using AiOptix.Tensors;

namespace AiOptix.Graphs.Ops;

/// <summary>ONNX If: runs one of two graphs without inputs, which give values of the same types; their shapes may differ.</summary>
/// <param name="Then">What runs when the condition is true.</param>
/// <param name="Else">What runs when it is false.</param>
public sealed record If(Graph Then, Graph Else) : ControlFlow
{
    /// <inheritdoc/>
    public override IReadOnlyList<Graph> Subgraphs => [Then, Else];

    /// <inheritdoc/>
    public override Operator WithSubgraphs(IReadOnlyList<Graph> subgraphs) => new If(subgraphs[0], subgraphs[1]);

    /// <inheritdoc/>
    public override void Infer(InferenceContext context)
    {
        context.Require(0, t => t == DType.Bool, "bool");
        foreach (var graph in Subgraphs)
        {
            if (graph.Outputs.Count < context.OutputCount) throw context.Error($"graph '{graph.Name}' gives {graph.Outputs.Count} values; expected {context.OutputCount}");
            graph.InferAll();
        }
        var shared = SharedSymbols(Then);
        shared.UnionWith(SharedSymbols(Else));
        for (var i = 0; i < context.OutputCount; i++)
            if (Join(context, Then.Outputs[i].Type, Else.Outputs[i].Type, shared, $"output {i}") is { } type) context.Set(i, type);
    }

    /// <inheritdoc/>
    public override IReadOnlyList<RuntimeValue> Run(ControlFlowRun run) => run.RunSubgraph(Loop.IsTrue(run.Tensor(0), run) ? 0 : 1, []);
}
