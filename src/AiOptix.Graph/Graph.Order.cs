using AiOptix.Tensors;

namespace AiOptix.Graphs;

/// <content>The order of the nodes: each knows its position, positions leave gaps, so that looking one up or comparing two costs no scan.</content>
public sealed partial class Graph
{
    private const long PositionStep = 1 << 16;

    /// <summary>True when one node of this graph stands before another.</summary>
    public bool Precedes(Node first, Node second) => first.Graph == this && second.Graph == this && first.Position < second.Position;

    internal void InsertAt(int index, IReadOnlyList<Node> added)
    {
        if (added.Count == 0) return;
        var low = index > 0 ? nodes[index - 1].Position : (nodes.Count > 0 ? nodes[0].Position : 0) - (added.Count + 1) * PositionStep;
        var high = index < nodes.Count ? nodes[index].Position : low + (added.Count + 1) * PositionStep;
        var step = (high - low) / (added.Count + 1);
        nodes.InsertRange(index, added);
        if (step == 0) Renumber();
        else
            for (var i = 0; i < added.Count; i++) added[i].Position = low + (i + 1) * step;
    }

    internal int IndexOf(Node node)
    {
        var (low, high) = (0, nodes.Count - 1);
        while (low <= high)
        {
            var middle = (low + high) / 2;
            if (nodes[middle] == node) return middle;
            if (nodes[middle].Position < node.Position) low = middle + 1;
            else high = middle - 1;
        }
        return -1;
    }

    private void Renumber()
    {
        for (var i = 0; i < nodes.Count; i++) nodes[i].Position = i * PositionStep;
    }

    /// <summary>
    /// True when the given nodes are known to come after all they read from and before all that read from them; what subgraphs read is not looked into.
    /// </summary>
    internal bool IsOrdered(IEnumerable<Node> some)
    {
        foreach (var n in some)
        {
            if (n.Operator.Subgraphs.Count > 0) return false;
            if (n.Inputs.Any(i => i?.Producer is { } p && p.Graph == this && p.Position >= n.Position)) return false;
            if (n.Outputs.SelectMany(o => o.Users).Any(u => u.Graph != this || u.Position <= n.Position)) return false;
        }
        return true;
    }

    /// <summary>Puts the nodes into an order in which they can run, as close to the present one as possible.</summary>
    /// <exception cref="InvalidGraphException">The graph has a cycle.</exception>
    public void Sort()
    {
        var sorted = new List<Node>(nodes.Count);
        var state = new Dictionary<Node, bool>();
        var stack = new Stack<(Node Node, bool Leave)>();
        foreach (var root in nodes)
        {
            stack.Push((root, false));
            while (stack.TryPop(out var top))
            {
                if (top.Leave)
                {
                    state[top.Node] = true;
                    sorted.Add(top.Node);
                    continue;
                }
                if (state.TryGetValue(top.Node, out var finished))
                {
                    if (!finished) throw new InvalidGraphException($"graph '{Name}' has a cycle through node {top.Node}");
                    continue;
                }
                state[top.Node] = false;
                stack.Push((top.Node, true));
                foreach (var p in Dependencies(top.Node).Reverse())
                    if (!state.TryGetValue(p, out var f)) stack.Push((p, false));
                    else if (!f) throw new InvalidGraphException($"graph '{Name}' has a cycle through node {p}");
            }
        }
        nodes.Clear();
        nodes.AddRange(sorted);
        Renumber();
    }

    /// <summary>The nodes of this graph that a node, or a subgraph of it, reads from.</summary>
    private IEnumerable<Node> Dependencies(Node node)
    {
        var read = node.Inputs.Concat(node.Operator.Subgraphs.SelectMany(g => g.AllNodes.SelectMany(n => n.Inputs).Concat(g.Outputs)));
        return read.Select(v => v?.Producer).OfType<Node>().Where(p => p.Graph == this);
    }
}
