using AiOptix.Graphs;
using AiOptix.Graphs.Ops;
using AiOptix.Tensors;

namespace AiOptix.Passes.Fuse;

/// <summary>Finds x * Sigmoid(alpha x) and makes it a Swish.</summary>
public sealed class SwishFusion : IPass
{
    /// <inheritdoc/>
    public Patch? Match(Graph graph, Node node)
    {
        if (node.Operator is not Mul) return null;
        foreach (var (x, other) in node.Orders())
        {
            if (other.MadeOnlyFor<Sigmoid>(node) is not { } sigmoid || !x.SameType(node.Output)) continue;
            var nodes = new HashSet<Node> { sigmoid, node };
            if (Polynomial.Of(sigmoid.Inputs[0]!, x, nodes) is not { Coefficients: [0, var alpha] } || !Patterns.IsClosed(nodes, node)) continue;
            if (!float.IsFinite((float)alpha) || (x.DType == DType.Float64 && (float)alpha != alpha)) continue;
            var patch = new Patch(graph, "x * Sigmoid(x)");
            return patch.Replace(node.Output, patch.Add(new Swish((float)alpha), x));
        }
        return null;
    }
}
