using AiOptix.Graphs;
using AiOptix.Tensors;

namespace AiOptix.Runtime;

/// <summary>Stands in where a node has no kernel: the reference evaluation, in managed code. Named in <c>inspect</c>, and its operators stand in a tested list.</summary>
public sealed class ReferenceStep : ManagedStep
{
    private readonly Node node;

    /// <summary>Creates the step of a node.</summary>
    public ReferenceStep(Node node, IReadOnlyList<int> inputs, IReadOnlyList<int> outputs) : base(node.Name, inputs, outputs) => this.node = node;

    /// <summary>The node.</summary>
    public Node Node => node;

    /// <inheritdoc/>
    public override IReadOnlyList<RuntimeValue> Run(RuntimeValue?[] inputs, ManagedContext context)
    {
        var scope = new Scope();
        for (var i = 0; i < node.Inputs.Count; i++)
            if (node.Inputs[i] is { IsConstant: false } v) scope.Set(v, inputs[i]!);
        return ReferenceEvaluator.Evaluate(node, scope, context.Limits, context.Cancellation);
    }
}
