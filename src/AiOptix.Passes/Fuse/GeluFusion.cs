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
    private const int MaxFactors = 4;

    /// <inheritdoc/>
    public Patch? Match(Graph graph, Node node)
    {
        if (node.Operator is not (Mul or Div)) return null;
        var outer = new HashSet<Node>();
        var factors = new List<Value>();
        var constants = new List<(Value Number, bool Divides)>();
        if (!Flatten(node, node, outer, factors, constants) || factors.Count != 2) return null;
        var factor = 1.0;
        var tolerance = 0.0;
        foreach (var (number, divides) in constants)
        {
            factor = divides ? factor / number.Number()!.Value : factor * number.Number()!.Value;
            tolerance += Reals.Tolerance(number.DType);
        }
        return Match(graph, node, factors[0], factors[1], factor, tolerance, outer) ?? Match(graph, node, factors[1], factors[0], factor, tolerance, outer);
    }

    /// <summary>x times a sum of 1 and an Erf or Tanh, times a constant factor.</summary>
    private static Patch? Match(Graph graph, Node node, Value x, Value sum, double factor, double tolerance, HashSet<Node> outer)
    {
        if (Curve(sum, graph, 3) is not { } curve || !x.DType.IsFloat() || !x.SameType(node.Output)) return null;
        var nodes = new HashSet<Node>(outer) { curve };
        if (Polynomial.Of(sum, curve.Output, nodes) is not { Coefficients: [var zeroth, var first] } line) return null;
        if (!Near(zeroth * factor, 0.5, tolerance + line.Tolerance) || !Near(first * factor, 0.5, tolerance + line.Tolerance)) return null;
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

    /// <summary>The factors of a product, through products that nothing else reads.</summary>
    private static bool Flatten(Node product, Node reader, HashSet<Node> nodes, List<Value> factors, List<(Value Number, bool Divides)> constants)
    {
        nodes.Add(product);
        if (product.Operator is Div && product.Input(1).Number() is null or 0) return false;
        for (var i = 0; i < product.Inputs.Count; i++)
        {
            if (product.Inputs[i] is not { } input) return false;
            if (input.Number() is not null && input.DType.IsFloat()) constants.Add((input, product.Operator is Div && i == 1));
            else if ((input.MadeOnlyFor<Mul>(product) ?? input.MadeOnlyFor<Div>(product)) is { } inner && inner != reader)
            {
                if (factors.Count > MaxFactors || !Flatten(inner, reader, nodes, factors, constants)) return false;
            }
            else factors.Add(input);
        }
        return factors.Count <= MaxFactors;
    }

    private static bool Near(double found, double expected, double tolerance) => Math.Abs(found - expected) <= expected * Math.Max(tolerance, 1e-12);
}
