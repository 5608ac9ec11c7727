using AiOptix.Graphs;
using AiOptix.Graphs.Ops;
using AiOptix.Tensors;

namespace AiOptix.Passes.Fuse;

/// <summary>
/// Finds Clip(x + 3, 0, 6) / 6 and makes it a HardSigmoid; finds x times that, the sixth anywhere in the product, and makes it a HardSwish.
/// </summary>
public sealed class HardSwishFusion : IPass
{
    /// <inheritdoc/>
    public Patch? Match(Graph graph, Node node)
    {
        if (node.Operator is not (Mul or Div) || Factors.Of(node) is not { } product) return null;
        return product.Values switch
        {
            [var clip] => Sigmoid(graph, node, clip, product),
            [var a, var b] => Swish(graph, node, a, b, product) ?? Swish(graph, node, b, a, product),
            _ => null,
        };
    }

    private static Patch? Sigmoid(Graph graph, Node node, Value clip, Factors product)
    {
        if (!product.IsNumber(1 / 6.0) || Clipped(clip, graph) is not { Input: { } sum } found || sum.MadeBy<Add>(graph) is not { } add) return null;
        foreach (var (x, _) in add.Orders())
        {
            var nodes = new HashSet<Node>(product.Nodes) { found.Clip };
            if (Polynomial.Of(sum, x, nodes) is not { } line || !line.Is(3, 1) || !x.SameType(node.Output) || !Patterns.IsClosed(nodes, node)) continue;
            var patch = new Patch(graph, "Clip(x + 3, 0, 6) / 6");
            return patch.Replace(node.Output, patch.Add(new HardSigmoid(1 / 6f), x));
        }
        return null;
    }

    private static Patch? Swish(Graph graph, Node node, Value x, Value curve, Factors product)
    {
        var nodes = new HashSet<Node>(product.Nodes);
        if (!x.SameType(node.Output)) return null;
        if (curve.MadeBy<HardSigmoid>(graph) is { } sigmoid)
        {
            var op = (HardSigmoid)sigmoid.Operator;
            if (sigmoid.Input(0) != x || product.Number != 1 || Math.Abs(op.Alpha - 1 / 6.0) > 1e-6 / 6 || op.Beta != 0.5f) return null;
            nodes.Add(sigmoid);
        }
        else
        {
            if (!product.IsNumber(1 / 6.0) || Clipped(curve, graph) is not var (clip, sum) || Polynomial.Of(sum, x, nodes) is not { } line || !line.Is(3, 1)) return null;
            nodes.Add(clip);
        }
        if (!Patterns.IsClosed(nodes, node)) return null;
        var patch = new Patch(graph, "x * HardSigmoid(x)");
        return patch.Replace(node.Output, patch.Add(new HardSwish(), x));
    }

    private static (Node Clip, Value Input)? Clipped(Value value, Graph graph) =>
        value.MadeBy<Clip>(graph) is { Inputs: [{ } input, var low, var high] } clip && low.Number() == 0 && high.Number() == 6 ? (clip, input) : null;
}
