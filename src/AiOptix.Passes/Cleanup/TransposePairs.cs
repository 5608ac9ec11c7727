using AiOptix.Graphs;
using AiOptix.Graphs.Ops;

namespace AiOptix.Passes.Cleanup;

/// <summary>Merges a Transpose of a Transpose into one, or into none when they undo each other.</summary>
public sealed class TransposePairs : IPass
{
    /// <inheritdoc/>
    public Patch? Match(Graph graph, Node node)
    {
        if (node.Operator is not Transpose outer || node.Input(0) is not { Shape: { } s } middle) return null;
        if (middle.MadeBy<Transpose>(graph) is not { } inner) return null;
        var first = ((Transpose)inner.Operator).PermutationOf(s.Rank);
        var merged = outer.PermutationOf(s.Rank).Select(a => (long)first[a]).ToArray();
        var source = inner.Input(0)!;
        if (merged.Select((a, i) => a == i).All(same => same)) return node.Output.ReplaceBy(source, $"undoes {inner}");
        if (middle.SoleUser != node) return null;
        var patch = new Patch(graph, $"one permutation with {inner}");
        return patch.Replace(node.Output, patch.Add(new Transpose(new(merged)), source));
    }
}
