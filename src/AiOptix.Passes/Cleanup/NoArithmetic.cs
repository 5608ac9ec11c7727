using AiOptix.Graphs;
using AiOptix.Graphs.Ops;
using AiOptix.Tensors;

namespace AiOptix.Passes.Cleanup;

/// <summary>
/// Removes arithmetic with a single number that leaves every bit: x * 1, x / 1, x ^ 1, x - 0, and x + 0 for integers. For floating-point x only -0 can be
/// added without turning -0 into 0.
/// </summary>
public sealed class NoArithmetic : IPass
{
    /// <inheritdoc/>
    public Patch? Match(Graph graph, Node node)
    {
        if (node.Inputs is not [{ } a, { } b]) return null;
        var kept = node.Operator switch
        {
            Mul => b.Number() == 1 ? a : a.Number() == 1 ? b : null,
            Add => IsNothing(b) ? a : IsNothing(a) ? b : null,
            Div or Pow => b.Number() == 1 ? a : null,
            Sub => b.Number() is { } n && n == 0 && (!double.IsNegative(n) || b.DType.IsInteger()) ? a : null,
            _ => null,
        };
        return kept is not null && kept.SameType(node.Output) ? node.Output.ReplaceBy(kept, $"{node.Operator.Name} with a neutral number") : null;
    }

    private static bool IsNothing(Value value) => value.Number() is { } n && n == 0 && (double.IsNegative(n) || value.DType.IsInteger());
}
