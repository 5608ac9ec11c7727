using AiOptix.Tensors;

namespace AiOptix.Graphs;

/// <summary>Checks that a graph holds together: edges, order, names, and that the types on the edges are those that the rules give.</summary>
public static class Verifier
{
    /// <summary>Checks a whole graph, subgraphs included.</summary>
    /// <exception cref="InvalidGraphException">The first thing that is wrong.</exception>
    public static void Verify(Graph graph)
    {
        var made = new HashSet<Value>(graph.Inputs);
        made.UnionWith(graph.Constants);
        for (var outer = graph.Parent; outer is not null; outer = outer.Parent) made.UnionWith(outer.Values.Values);
        foreach (var node in graph.Nodes)
        {
            VerifyNode(node, made);
            made.UnionWith(node.Outputs);
        }
        foreach (var o in graph.Outputs)
            if (!made.Contains(o)) throw new InvalidGraphException($"graph '{graph.Name}': nothing makes the output '{o.Name}'");
    }

    /// <summary>Checks the neighbourhood of a patch: its new nodes and all that read from them.</summary>
    /// <exception cref="InvalidGraphException">The first thing that is wrong.</exception>
    public static void Verify(Patch patch)
    {
        foreach (var node in patch.Added)
        {
            VerifyNode(node, made: null);
            if (node.Contradiction is { } why) throw new InvalidGraphException($"a patch ({patch.Description}) adds a node that cannot run: {why}");
            foreach (var user in node.Outputs.SelectMany(o => o.Users).Distinct()) VerifyNode(user, made: null);
        }
        foreach (var (old, _) in patch.Replaced)
            if (!old.IsUnused) throw new InvalidGraphException($"after a patch ({patch.Description}) '{old.Name}' is still used");
    }

    private static void VerifyNode(Node node, HashSet<Value>? made)
    {
        for (var i = 0; i < node.Inputs.Count; i++)
        {
            if (node.Inputs[i] is not { } v) continue;
            if (made is not null && !made.Contains(v))
                throw new InvalidGraphException($"node {node}: input {i} ('{v.Name}') is not made before the node runs");
            if (!v.Users.Contains(node)) throw new InvalidGraphException($"node {node}: input {i} ('{v.Name}') does not know it as a user");
        }
        for (var i = 0; i < node.Outputs.Count; i++)
        {
            var o = node.Outputs[i];
            if (o.Producer != node || o.OutputIndex != i) throw new InvalidGraphException($"node {node}: output {i} ('{o.Name}') names another producer");
            if (!node.Graph.Values.TryGetValue(o.Name, out var named) || named != o)
                throw new InvalidGraphException($"node {node}: output {i} ('{o.Name}') is not registered under its name");
        }
        if (!node.Operator.IsKnown || node.Contradiction is not null || node.Inputs.Any(i => i is { Type: null })) return;
        foreach (var o in node.Outputs)
            if (o.Type is null && !Graph.IsBlind(node)) throw new InvalidGraphException($"node {node}: its rule gave output '{o.Name}' no type");
        foreach (var sub in node.Operator.Subgraphs) Verify(sub);
    }
}
