using AiOptix.Graphs;
using AiOptix.Graphs.Ops;
using AiOptix.Tensors;
using static AiOptix.Passes.Fuse.NormPattern;

namespace AiOptix.Passes.Fuse;

/// <summary>
/// Finds x / Sqrt(ReduceMean(x^2) + epsilon) over the last axes, however the square and the root are written and whatever widening casts stand in between, and
/// makes it an RMSNormalization, with the scale that follows.
/// </summary>
public sealed class RMSNormFusion : IPass
{
    /// <inheritdoc/>
    public Patch? Match(Graph graph, Node node)
    {
        var nodes = new HashSet<Node>();
        if (Normalised(node, nodes) is not var (x, axis, epsilon) || x.Shape is not { } shape || !Reals.CanWrite(x.DType)) return null;
        var last = Narrowed(node, x, nodes);
        var scale = Follow<Mul>(last, shape, axis);
        if (scale is { } s) nodes.Add(last = s.Node);
        var lengths = new SymbolicShape(shape.Dims[axis..]);
        if (!Ends(last, x, nodes) || (scale is null && !CanMakeOnes(x.DType, lengths))) return null;
        var patch = new Patch(graph, scale is null ? "without a scale" : "with a scale");
        var weights = scale?.In(patch, lengths) ?? patch.Constant(Ones(x.DType, lengths));
        return patch.Replace(last.Output, patch.Add(new RMSNormalization(axis - shape.Rank, (float)epsilon, Statistics(x)), x, weights));
    }

    /// <summary>What a node normalises, from which axis on, and with which epsilon; null when it is no such node.</summary>
    private static (Value X, int Axis, double Epsilon)? Normalised(Node node, HashSet<Node> nodes)
    {
        foreach (var (top, root) in Quotient(node, nodes))
        {
            var found = new HashSet<Node>(nodes) { node };
            if (Variance(root, found) is not var (mean, epsilon) || Square(mean.Inputs[0]!, found) is not { } squared) continue;
            var wider = new HashSet<Node>(found);
            var x = Through(top, node.Graph, wider);
            var narrows = node.Output.SoleUser is { Operator: Cast cast } && cast.To == x?.DType && Patterns.IsClosed(wider, node);
            if (squared == top && !narrows) x = top;
            else if (Through(squared, node.Graph, wider) == x) found = wider;
            else continue;
            if (x?.Shape is not { } s || LastAxes(mean, s) is not { } axis) continue;
            nodes.UnionWith(found);
            return (x, axis, epsilon);
        }
        return null;
    }
}
