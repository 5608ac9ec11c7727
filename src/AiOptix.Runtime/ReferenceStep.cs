using AiOptix.Graphs;
using AiOptix.Tensors;

namespace AiOptix.Runtime;

/// <summary>Stands in where a node has no kernel: the reference evaluation, in managed code. Named in <c>inspect</c>, and its operators stand in a tested list.</summary>
public sealed class ReferenceStep : ManagedStep
{
    private readonly Node node;
    private readonly (Value Value, int Index)[] captures;

    /// <summary>Creates the step of a node. Captured values of its subgraphs follow the node's own inputs in <paramref name="inputs"/>.</summary>
    public ReferenceStep(Node node, IReadOnlyList<int> inputs, IReadOnlyList<int> outputs, IReadOnlyList<Value> captured) : base(node.Name, inputs, outputs)
    {
        this.node = node;
        captures = [.. captured.Select((v, i) => (v, node.Inputs.Count + i))];
    }

    /// <summary>The node.</summary>
    public Node Node => node;

    /// <inheritdoc/>
    public override IReadOnlyList<RuntimeValue> Run(RuntimeValue?[] inputs, Limits limits, CancellationToken cancellation)
    {
        var scope = new Scope();
        for (var i = 0; i < node.Inputs.Count; i++)
            if (node.Inputs[i] is { IsConstant: false } v) scope.Set(v, inputs[i]!);
        foreach (var (value, index) in captures) scope.Set(value, inputs[index]!);
        return ReferenceEvaluator.Evaluate(node, scope, limits, cancellation);
    }
}
