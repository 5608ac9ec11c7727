namespace AiOptix.Graphs;

/// <summary>
/// An operator of a file that no room here knows: carried along so that the model can be inspected, printed and written back. It has no shape rule and no
/// evaluation; compiling or evaluating a graph that holds one fails and names it.
/// </summary>
/// <param name="Domain">The operator set's domain; empty for the default one.</param>
/// <param name="OpType">The operator's name in the file.</param>
/// <param name="Version">The version of the operator set that the file imports.</param>
/// <param name="Attributes">The attributes, by name.</param>
/// <param name="Graphs">The subgraphs among the attributes.</param>
public sealed record UnknownOperator(string Domain, string OpType, long Version, IReadOnlyDictionary<string, object> Attributes, IReadOnlyList<Graph> Graphs)
    : ForeignOperator(Domain, OpType, Version, Attributes)
{
    /// <inheritdoc/>
    public override bool IsPure => false;

    /// <inheritdoc/>
    public override bool IsKnown => false;

    /// <inheritdoc/>
    public override IReadOnlyList<Graph> Subgraphs => Graphs;

    /// <inheritdoc/>
    public override Operator WithSubgraphs(IReadOnlyList<Graph> subgraphs)
    {
        var map = Graphs.Zip(subgraphs).ToDictionary(p => p.First, p => p.Second);
        object Replace(object value) => value switch { Graph g => map[g], Graph[] many => many.Select(g => map[g]).ToArray(), _ => value };
        return this with { Attributes = Attributes.ToDictionary(a => a.Key, a => Replace(a.Value), StringComparer.Ordinal), Graphs = subgraphs };
    }

    /// <inheritdoc/>
    public override void Infer(InferenceContext context) => throw Error(context.Node);

    /// <inheritdoc/>
    public override void Evaluate(EvaluationContext context) => throw Error(context.Node);

    private Tensors.UnsupportedModelException Error(Node node) => new($"node {node}: operator {Name} (opset {Version}) is not supported");
}
