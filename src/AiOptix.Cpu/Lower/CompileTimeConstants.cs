using AiOptix.Graphs;
using AiOptix.Tensors;

namespace AiOptix.Cpu.Lower;

/// <summary>
/// Evaluates what depends on constants alone, however large the result: the portable passes leave such nodes in place where folding them would enlarge the
/// file, but kernels want their weights packed when a model is opened.
/// </summary>
internal static class CompileTimeConstants
{
    /// <summary>The graph with constants in place of such nodes: a copy, or the graph itself when there are none.</summary>
    public static Graph Evaluate(Graph graph, Limits limits)
    {
        if (!graph.Nodes.Any(IsConstant)) return graph;
        var copy = graph.Clone();
        using var time = new CancellationTokenSource();
        if (limits.MaxRunTime is { } most) time.CancelAfter(most);
        foreach (var node in copy.Nodes.ToArray())
        {
            if (!IsConstant(node)) continue;
            var results = Evaluate(node, limits, time.Token);
            if (!results.All(r => r is Tensor)) continue;
            var patch = new Patch(copy, "constants evaluated");
            for (var i = 0; i < results.Count; i++)
                if (!node.Outputs[i].IsUnused) patch.Replace(node.Outputs[i], patch.Constant((Tensor)results[i], node.Outputs[i].Name));
            patch.Apply();
        }
        return copy;
    }

    private static IReadOnlyList<RuntimeValue> Evaluate(Node node, Limits limits, CancellationToken cancellation)
    {
        try
        {
            return ReferenceEvaluator.Evaluate(node, new Scope(), limits, cancellation);
        }
        catch (OperationCanceledException e)
        {
            throw new LimitExceededException($"node {node}: evaluating what depends on constants alone took longer than {limits.MaxRunTime} (Limits.MaxRunTime)", e);
        }
    }

    private static bool IsConstant(Node node) =>
        !StridedOperand.IsTiedMatrix(node) && node.Operator is { IsKnown: true, IsPure: true, Subgraphs.Count: 0 } && node.Inputs.All(i => i is null or { IsConstant: true })
        && node.Outputs.All(o => o.OutputUses == 0) && node.Outputs.Any(o => !o.IsUnused);
}
