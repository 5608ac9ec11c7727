using AiOptix.Graphs;
using AiOptix.Graphs.Ops;
using AiOptix.Tensors;

namespace AiOptix.Passes.Fuse;

/// <summary>A product taken apart, through products and quotients by numbers that nothing else reads: its numbers as one, and the values that remain.</summary>
internal sealed class Factors
{
    private const int MaxValues = 4;

    private readonly List<Value> values = [];

    /// <summary>The product of the numbers.</summary>
    public double Number { get; private set; } = 1;

    /// <summary>How far, relatively, rounding may have moved <see cref="Number"/>.</summary>
    public double Tolerance { get; private set; }

    /// <summary>The values that are multiplied.</summary>
    public IReadOnlyList<Value> Values => values;

    /// <summary>The nodes that multiply and divide.</summary>
    public HashSet<Node> Nodes { get; } = [];

    /// <summary>Takes a product apart; null when the node is none, or has too many factors to be a pattern.</summary>
    public static Factors? Of(Node product)
    {
        var result = new Factors();
        return result.Collect(product) && result.values.Count <= MaxValues ? result : null;
    }

    /// <summary>True when the product of the numbers is this one, up to rounding.</summary>
    public bool IsNumber(double expected) => Math.Abs(Number - expected) <= Math.Abs(expected) * Tolerance;

    private bool Collect(Node product)
    {
        if (product.Operator is not (Mul or Div) || (product.Operator is Div && product.Input(1).Number() is null or 0)) return false;
        Nodes.Add(product);
        for (var i = 0; i < product.Inputs.Count; i++)
        {
            if (product.Inputs[i] is not { } input) return false;
            if (input.DType.IsFloat() && input.Number() is { } n)
            {
                Number = product.Operator is Div && i == 1 ? Number / n : Number * n;
                Tolerance += Reals.Tolerance(input.DType);
            }
            else if ((input.MadeOnlyFor<Mul>(product) ?? input.MadeOnlyFor<Div>(product)) is { } inner && values.Count <= MaxValues && Collect(inner)) continue;
            else values.Add(input);
        }
        return true;
    }
}
