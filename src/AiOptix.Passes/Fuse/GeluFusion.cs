using AiOptix.Graphs;
using AiOptix.Graphs.Ops;
using AiOptix.Tensors;

namespace AiOptix.Passes.Fuse;

/// <summary>
/// Finds x (1 + erf(x / sqrt 2)) / 2 and x (1 + tanh(sqrt(2 / pi) (x + 0.044715 x^3))) / 2, in whatever order their factors and halves are
/// written, and makes them a Gelu.
/// </summary>
public sealed class GeluFusion : IPass
{
    /// <inheritdoc/>
    public Patch? Match(Graph graph, Node node)
    {
        if (node.Operator is not (Mul or Div)) return null;
        if (Factors.Of(node) is not { Values: [var a, var b] } product) return null;
        return Match(graph, node, a, b, product) ?? Match(graph, node, b, a, product);
    }

    /// <summary>x times a sum of 1 and an Erf or Tanh, times a constant factor.</summary>
    private static Patch? Match(Graph graph, Node node, Value x, Value sum, Factors product)
    {
        if (Curve(sum, graph, 3) is not { } curve || !x.DType.IsFloat() || !x.SameType(node.Output)) return null;
        var nodes = new HashSet<Node>(product.Nodes) { curve };
        if (Polynomial.Of(sum, curve.Output, nodes) is not { Coefficients: [var zeroth, var first] } line) return null;
        var tolerance = product.Tolerance + line.Tolerance;
        if (!Near(zeroth * product.Number, 0.5, tolerance) || !Near(first * product.Number, 0.5, tolerance)) return null;
        if (Polynomial.Of(curve.Inputs[0]!, x, nodes) is not { } argument) return null;
        var tanh = curve.Operator is Tanh;
        var slope = Math.Sqrt(2 / Math.PI);
        if (!(tanh ? argument.Is(0, slope, 0, slope * 0.044715) : argument.Is(0, Math.Sqrt(0.5)))) return null;
        if (!Patterns.IsClosed(nodes, node)) return null;
        var patch = new Patch(graph, tanh ? "tanh form" : "erf form");
        return patch.Replace(node.Output, patch.Add(new Gelu(tanh), x));
    }

    /// <summary>The Erf or Tanh under a few sums and products.</summary>
    private static Node? Curve(Value value, Graph graph, int depth)
    {
        if (value.Producer is not { } node || node.Graph != graph) return null;
        if (node.Operator is Erf or Tanh) return node;
        if (depth == 0 || node.Operator is not (Add or Mul or Div)) return null;
        return node.Inputs.OfType<Value>().Where(i => !i.IsConstant).Select(i => Curve(i, graph, depth - 1)).FirstOrDefault(n => n is not null);
    }

    private static bool Near(double found, double expected, double tolerance) => Math.Abs(found - expected) <= expected * Math.Max(tolerance, 1e-12);
}
