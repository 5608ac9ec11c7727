using AiOptix.Graphs;
using AiOptix.Graphs.Ops;

namespace AiOptix.Passes.Cleanup;

/// <summary>Writes an Einsum of float32 as the transposes, sums and products that it is made of, so that what looks for products (attention, quantised products, folded scales) finds them.</summary>
public sealed class Einsums : IPass
{
    /// <inheritdoc/>
    public Patch? Match(Graph graph, Node node) => node.Operator is Einsum ? Composition.Of(node) : null;
}
