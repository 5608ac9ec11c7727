using AiOptix.Graphs;
using AiOptix.Graphs.Ops;
using AiOptix.Tensors;

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
        var last = node;
        if (node.Output.DType != x.DType && node.Output.SoleUser is { Operator: Cast } cast && cast.Graph == graph) nodes.Add(last = cast);
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
        var type = last.Output.DType;
        if (type != x.DType) return null;
        var lengths = new SymbolicShape(shape.Dims[axis..]);
        if (scale is null && (lengths.Concrete is not { } known || type.ByteLength(known.Count) > Fold.ConstantFolding.MaxBytes)) return null;
        if (!Patterns.IsClosed(nodes, last) || !last.Output.Shape!.Equals(shape)) return null;
        var patch = new Patch(graph, scale is null ? "without a scale" : bias is null ? "with a scale" : "with scale and bias");
        var weights = scale?.In(patch, lengths) ?? patch.Constant(Ones(type, lengths.Concrete!.Value));
        var op = new LayerNormalization(axis - shape.Rank, (float)epsilon, x.DType == DType.Float64 ? DType.Float64 : DType.Float32);
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
            if (variance.AxesOf() is not { } axes || !KeepsSame(mean, axes) || !KeepsSame(other, axes) || !((Reduction)variance.Operator).KeepDims) continue;
            if (x.Shape is not { } s || axes.Length == 0 || !axes.SequenceEqual(Enumerable.Range(s.Rank - axes.Length, axes.Length))) continue;
            nodes.UnionWith(found);
            return (x, axes[0], epsilon);
        }
        return null;
    }

    private static bool KeepsSame(Node mean, int[] axes) => ((Reduction)mean.Operator).KeepDims && mean.AxesOf() is { } own && own.SequenceEqual(axes);

    /// <summary>The dividend and the standard deviation's node: d / root, or d times the reciprocal of the root.</summary>
    private static IEnumerable<(Value Top, Node Root)> Quotient(Node node, HashSet<Node> nodes)
    {
        var graph = node.Graph;
        if (node.Operator is Div && node.Input(0) is { } top && Through(node.Input(1), graph, nodes).MadeBy<Sqrt>(graph) is { } root) yield return (top, root);
        if (node.Operator is not Mul) yield break;
        foreach (var (value, inverse) in node.Orders())
        {
            if (inverse.MadeBy<Reciprocal>(graph) is { } reciprocal && reciprocal.Input(0).MadeBy<Sqrt>(graph) is { } below)
            {
                nodes.Add(reciprocal);
                yield return (value, below);
                nodes.Remove(reciprocal);
            }
            if (inverse.MadeBy<Div>(graph) is { } division && division.Input(0).Number() == 1 && division.Input(1).MadeBy<Sqrt>(graph) is { } under)
            {
                nodes.Add(division);
                yield return (value, under);
                nodes.Remove(division);
            }
            if (inverse.MadeBy<Pow>(graph) is { } power && power.Input(1).Number() == -0.5) yield return (value, power);
        }
    }

    /// <summary>The mean of squares under a root, and what is added to it.</summary>
    private static (Node Mean, double Epsilon)? Variance(Node root, HashSet<Node> nodes)
    {
        nodes.Add(root);
        if (root.Input(0).MadeBy<Add>(root.Graph) is not { } sum) return null;
        nodes.Add(sum);
        foreach (var (value, constant) in sum.Orders())
        {
            if (constant.Number() is not { } epsilon || !(epsilon >= 0) || value.MadeBy<ReduceMean>(root.Graph) is not { } mean) continue;
            nodes.Add(mean);
            return (mean, epsilon);
        }
        return null;
    }

    private static Value? Square(Value value, HashSet<Node> nodes)
    {
        if (value.Producer is not { } node || !(node.Operator is Pow && node.Input(1).Number() == 2 || node.Operator is Mul && node.Input(0) == node.Input(1))) return null;
        nodes.Add(node);
        return node.Input(0);
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

    /// <summary>What stands before casts that lose nothing.</summary>
    private static Value? Through(Value? value, Graph graph, HashSet<Node> nodes)
    {
        while (value.MadeBy<Cast>(graph) is { Inputs: [{ } source] } cast && Cleanup.CastPairs.Holds(((Cast)cast.Operator).To, source.DType) && source.DType.IsFloat())
        {
            nodes.Add(cast);
            value = source;
        }
        return value;
    }

    /// <summary>The only reader of a node, when it is a product or sum with a value that has exactly the normalised axes.</summary>
    private static Operand? Follow<T>(Node before, SymbolicShape shape, int axis) where T : Operator
    {
        if (before.Output.SoleUser is not { Operator: T } user || user.Graph != before.Graph) return null;
        foreach (var (value, other) in user.Orders())
        {
            if (value != before.Output || other.Shape is not { } s || s.Rank < shape.Rank - axis || s.Rank > shape.Rank) continue;
            var leading = s.Rank - (shape.Rank - axis);
            if (leading > 0 && (!other.IsConstant || !s.Dims[..leading].ToArray().All(d => d.Constant == 1))) continue;
            if (s.Dims[leading..].SequenceEqual(shape.Dims[axis..])) return new(user, other);
        }
        return null;
    }

    private static Tensor Ones(DType type, Shape shape) => Reals.Write([.. Enumerable.Repeat(1.0, (int)shape.Count)], type, shape);

    /// <summary>A scale or bias and the node that applies it.</summary>
    private readonly record struct Operand(Node Node, Value Value)
    {
        public Value In(Patch patch, SymbolicShape lengths) =>
            Value.Constant is { } t && t.Shape.Rank > lengths.Rank ? patch.Constant(t.Reshape(lengths.Concrete!.Value), Value.Name) : Value;
    }
}
