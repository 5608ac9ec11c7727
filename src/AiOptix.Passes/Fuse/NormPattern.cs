using AiOptix.Graphs;
using AiOptix.Graphs.Ops;
using AiOptix.Tensors;

namespace AiOptix.Passes.Fuse;

/// <summary>What the normalisations have in common: a value over the root of a mean of squares, and the scale and bias that follow.</summary>
internal static class NormPattern
{
    /// <summary>The dividend and the standard deviation's node: d / root, or d times the reciprocal of the root.</summary>
    public static IEnumerable<(Value Top, Node Root)> Quotient(Node node, HashSet<Node> nodes)
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
    public static (Node Mean, double Epsilon)? Variance(Node root, HashSet<Node> nodes)
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

    /// <summary>What a node squares: x^2 or x * x.</summary>
    public static Value? Square(Value value, HashSet<Node> nodes)
    {
        if (value.Producer is not { } node || !(node.Operator is Pow && node.Input(1).Number() == 2 || node.Operator is Mul && node.Input(0) == node.Input(1))) return null;
        nodes.Add(node);
        return node.Input(0);
    }

    /// <summary>What stands before casts that lose nothing.</summary>
    public static Value? Through(Value? value, Graph graph, HashSet<Node> nodes)
    {
        while (value.MadeBy<Cast>(graph) is { Inputs: [{ } source] } cast && Cleanup.CastPairs.Holds(((Cast)cast.Operator).To, source.DType) && source.DType.IsFloat())
        {
            nodes.Add(cast);
            value = source;
        }
        return value;
    }

    /// <summary>The only reader of a node, when it is a product or sum with a value that has exactly the normalised axes.</summary>
    public static Operand? Follow<T>(Node before, SymbolicShape shape, int axis) where T : Operator
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

    /// <summary>The first axis of a reduction that keeps its axes, when they are the last ones.</summary>
    public static int? LastAxes(Node reduction, SymbolicShape shape) =>
        ((Reduction)reduction.Operator).KeepDims && reduction.AxesOf() is { Length: > 0 } axes && axes.SequenceEqual(Enumerable.Range(shape.Rank - axes.Length, axes.Length))
            ? axes[0]
            : null;

    /// <summary>The quotient, or the Cast behind it that brings it back to the type of x.</summary>
    public static Node Narrowed(Node quotient, Value x, HashSet<Node> nodes)
    {
        if (quotient.Output.DType == x.DType || quotient.Output.SoleUser is not { Operator: Cast } cast || cast.Graph != quotient.Graph) return quotient;
        nodes.Add(cast);
        return cast;
    }

    /// <summary>True when the pattern's last node makes what x is and nothing reads what lies between.</summary>
    public static bool Ends(Node last, Value x, HashSet<Node> nodes) => last.Output.SameType(x) && Patterns.IsClosed(nodes, last);

    /// <summary>The type that the statistics are calculated in.</summary>
    public static DType Statistics(Value x) => x.DType == DType.Float64 ? DType.Float64 : DType.Float32;

    /// <summary>True when a scale of ones is small enough to be made.</summary>
    public static bool CanMakeOnes(DType type, SymbolicShape shape) => shape.Concrete is { } s && type.ByteLength(s.Count) <= Fold.ConstantFolding.MaxBytes;

    /// <summary>A scale that changes nothing.</summary>
    public static Tensor Ones(DType type, SymbolicShape shape)
    {
        var s = shape.Concrete!.Value;
        return Reals.Write([.. Enumerable.Repeat(1.0, (int)s.Count)], type, s);
    }

    /// <summary>A scale or bias and the node that applies it.</summary>
    public readonly record struct Operand(Node Node, Value Value)
    {
        /// <summary>The value with exactly the normalised axes.</summary>
        public Value In(Patch patch, SymbolicShape lengths) =>
            Value.Constant is { } t && t.Shape.Rank > lengths.Rank ? patch.Constant(t.Reshape(lengths.Concrete!.Value), Value.Name) : Value;
    }
}
