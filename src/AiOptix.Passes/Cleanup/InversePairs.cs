using AiOptix.Graphs;
using AiOptix.Graphs.Ops;

namespace AiOptix.Passes.Cleanup;

/// <summary>Removes two neighbouring nodes that undo each other bit by bit: Neg of Neg, Not of Not, BitwiseNot of BitwiseNot.</summary>
public sealed class InversePairs : IPass
{
    /// <inheritdoc/>
    public Patch? Match(Graph graph, Node node)
    {
        var inner = node.Operator switch
        {
            Neg => node.Input(0).MadeBy<Neg>(graph),
            Not => node.Input(0).MadeBy<Not>(graph),
            BitwiseNot => node.Input(0).MadeBy<BitwiseNot>(graph),
            _ => null,
        };
        return inner?.Input(0) is { } source ? node.Output.ReplaceBy(source, $"undoes {inner}") : null;
    }
}
