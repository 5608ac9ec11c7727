using AiOptix.Graphs;
using AiOptix.Graphs.Ops;
using static AiOptix.Passes.Fuse.NormPattern;

namespace AiOptix.Passes.Fuse;

/// <summary>
/// Finds d / Sqrt(ReduceMean(d^2) + epsilon) with d = x - ReduceMean(x) over the last axes, however the square, the root and the second difference are
/// written and whatever widening casts stand in between, and makes it a LayerNormalization, with the scale and the bias that follow.
/// </summary>
public sealed class LayerNormFusion : IPass
{
    /// <inheritdoc/>
    public Patch? Match(Graph graph, Node node)
    {
        var nodes = new HashSet<Node>();
        if (Normalised(node, nodes) is not var (x, axis, epsilon) || x.Shape is not { } shape || !Reals.CanWrite(x.DType)) return null;
        var last = Narrowed(node, x, nodes);
        var (scale, bias) = (default(Operand?), default(Operand?));
        if (Follow<Mul>(last, shape, axis) is { } multiply)
        {
            scale = multiply;
            nodes.Add(last = multiply.Node);
        }
        if (Follow<Add>(last, shape, axis) is { } add)
        {
            bias = add;
            nodes.Add(last = add.Node);
        }
        var lengths = new SymbolicShape(shape.Dims[axis..]);
        if (!Ends(last, x, nodes) || (scale is null && !CanMakeOnes(x.DType, lengths))) return null;
        var patch = new Patch(graph, scale is null ? "without a scale" : bias is null ? "with a scale" : "with scale and bias");
        var weights = scale?.In(patch, lengths) ?? patch.Constant(Ones(x.DType, lengths));
        var op = new LayerNormalization(axis - shape.Rank, (float)epsilon, Statistics(x));
        return patch.Replace(last.Output, bias is null ? patch.Add(op, x, weights) : patch.Add(op, x, weights, bias.Value.In(patch, lengths)));
    }

    /// <summary>What a node normalises, from which axis on, and with which epsilon; null when it is no such node.</summary>
    private static (Value X, int Axis, double Epsilon)? Normalised(Node node, HashSet<Node> nodes)
    {
        foreach (var (top, root) in Quotient(node, nodes))
        {
            var found = new HashSet<Node>(nodes) { node };
            if (Variance(root, found) is not var (variance, epsilon)) continue;
            if (Square(variance.Inputs[0]!, found) is not { } squared || Difference(squared, found) is not var (x, mean)) continue;
            if (Difference(top, found) is not var (again, other) || again != x) continue;
            if (x.Shape is not { } s || LastAxes(variance, s) is not { } axis || LastAxes(mean, s) != axis || LastAxes(other, s) != axis) continue;
            nodes.UnionWith(found);
            return (x, axis, epsilon);
        }
        return null;
    }

    /// <summary>x and the node of its mean in x - ReduceMean(x), through casts that widen.</summary>
    private static (Value X, Node Mean)? Difference(Value value, HashSet<Node> nodes)
    {
        if (value.Producer is not { } producer) return null;
        var graph = producer.Graph;
        if (Through(value, graph, nodes).MadeBy<Sub>(graph) is not { } sub || sub.Input(1).MadeBy<ReduceMean>(graph) is not { } mean || mean.Input(0) != sub.Input(0)) return null;
        nodes.Add(sub);
        nodes.Add(mean);
        return (sub.Inputs[0]!, mean);
    }
}
