using AiOptix.Tensors;

namespace AiOptix.Onnx;

/// <summary>Puts the nodes of a file into an order in which they can run: the file's own where that is one.</summary>
internal sealed class NodeOrder
{
    private readonly Dictionary<Proto.GraphProto, HashSet<string>> captures = new(ReferenceEqualityComparer.Instance);

    /// <summary>The nodes in order.</summary>
    /// <exception cref="InvalidGraphException">They form a cycle.</exception>
    public IReadOnlyList<Proto.NodeProto> Sort(IReadOnlyList<Proto.NodeProto> nodes, string graph)
    {
        var producer = new Dictionary<string, int>(StringComparer.Ordinal);
        for (var i = 0; i < nodes.Count; i++)
            foreach (var o in nodes[i].Output)
                if (o.Length > 0) producer.TryAdd(o, i);
        var waiting = new int[nodes.Count];
        var users = new List<int>?[nodes.Count];
        var ready = new PriorityQueue<int, int>();
        for (var i = 0; i < nodes.Count; i++)
        {
            foreach (var name in Reads(nodes[i]))
            {
                if (!producer.TryGetValue(name, out var p) || users[p] is [.., var last] && last == i) continue;
                (users[p] ??= []).Add(i);
                waiting[i]++;
            }
            if (waiting[i] == 0) ready.Enqueue(i, i);
        }
        var sorted = new List<Proto.NodeProto>(nodes.Count);
        while (ready.TryDequeue(out var n, out _))
        {
            sorted.Add(nodes[n]);
            foreach (var u in users[n] ?? [])
                if (--waiting[u] == 0) ready.Enqueue(u, u);
        }
        if (sorted.Count == nodes.Count) return sorted;
        var at = Array.FindIndex(waiting, w => w > 0);
        for (var steps = 0; steps < nodes.Count; steps++)
            at = Reads(nodes[at]).Select(n => producer.GetValueOrDefault(n, -1)).First(p => p >= 0 && waiting[p] > 0);
        var stuck = nodes[at];
        throw new InvalidGraphException($"graph '{graph}' has a cycle: node '{stuck.Name}' ({stuck.OpType}), which makes '{stuck.Output.FirstOrDefault()}', waits for its own result");
    }

    /// <summary>The names that a node reads from the scope that it stands in.</summary>
    private IEnumerable<string> Reads(Proto.NodeProto node) => node.Input.Concat(node.Attribute.SelectMany(Graphs).SelectMany(Captures));

    private static IEnumerable<Proto.GraphProto> Graphs(Proto.AttributeProto attribute) => attribute.G is null ? attribute.Graphs : attribute.Graphs.Prepend(attribute.G);

    private HashSet<string> Captures(Proto.GraphProto graph)
    {
        if (captures.TryGetValue(graph, out var known)) return known;
        var read = new HashSet<string>(graph.Node.SelectMany(Reads).Concat(graph.Output.Select(o => o.Name)), StringComparer.Ordinal);
        read.ExceptWith(graph.Input.Select(i => i.Name));
        read.ExceptWith(graph.Initializer.Select(i => i.Name));
        read.ExceptWith(graph.SparseInitializer.Select(i => i.Values?.Name ?? ""));
        read.ExceptWith(graph.Node.SelectMany(n => n.Output));
        return captures[graph] = read;
    }
}
