using AiOptix.Graphs.Ops;
using AiOptix.Tensors;

namespace AiOptix.Graphs;

/// <summary>
/// A rewrite that is proposed but not yet done: a few new nodes, and which values they replace. A pass makes it, the driver verifies and applies it. A
/// patch that is not applied must be discarded.
/// </summary>
public sealed class Patch
{
    private readonly Graph graph;
    private readonly List<Node> added = [];
    private readonly List<(Value Old, Value New)> replaced = [];
    private readonly List<Value> constants = [];
    private readonly List<Node> dropped = [];
    private readonly List<Value> released = [];
    private bool done;
    private bool named;

    /// <summary>Starts a patch for a graph.</summary>
    /// <param name="graph">The graph.</param>
    /// <param name="description">What it does, in a few words, for reports.</param>
    public Patch(Graph graph, string description)
    {
        this.graph = graph;
        Description = description;
    }

    /// <summary>What it does.</summary>
    public string Description { get; }

    /// <summary>The new nodes.</summary>
    public IReadOnlyList<Node> Added => added;

    /// <summary>The values that are replaced, each with its replacement.</summary>
    public IReadOnlyList<(Value Old, Value New)> Replaced => replaced;

    /// <summary>The values that lost a use when the patch was applied, and are still there.</summary>
    public IReadOnlyList<Value> Released => released;

    /// <summary>Adds a node with one output to the patch.</summary>
    public Value Add(Operator op, params ReadOnlySpan<Value?> inputs) => AddNode(op, inputs, 1).Output;

    /// <summary>Adds a node to the patch.</summary>
    /// <param name="op">The operator.</param>
    /// <param name="inputs">Its inputs.</param>
    /// <param name="outputs">How many outputs it has.</param>
    /// <param name="like">A node whose name and origins it takes; without one they follow from the nodes that go away.</param>
    public Node AddNode(Operator op, ReadOnlySpan<Value?> inputs, int outputs, Node? like = null)
    {
        var node = graph.Create(op, inputs, new string?[outputs], like?.Name);
        if (like is not null) (node.Origins, named) = (like.Origins, true);
        added.Add(node);
        return node;
    }

    /// <summary>Adds a constant, or finds one that is there (<see cref="Graph.FindConstant"/>).</summary>
    public Value Constant(Tensor tensor, string? name = null)
    {
        if (graph.FindConstant(tensor) is { } found) return found;
        var v = graph.AddConstant(tensor, name);
        constants.Add(v);
        return v;
    }

    /// <summary>Adds the nodes of a subgraph of the graph to the patch, as copies.</summary>
    /// <param name="subgraph">The subgraph.</param>
    /// <param name="inputs">What its inputs are.</param>
    /// <returns>What its outputs are: values of the new nodes, constants, inputs, or what it captured.</returns>
    public IReadOnlyList<Value> Inline(Graph subgraph, params ReadOnlySpan<Value> inputs)
    {
        var map = new Dictionary<Value, Value>();
        for (var i = 0; i < inputs.Length; i++) map[subgraph.Inputs[i]] = inputs[i];
        foreach (var c in subgraph.Constants) map[c] = Constant(c.Constant!, c.Name);
        foreach (var n in subgraph.Nodes)
        {
            var op = n.Operator.Subgraphs.Count == 0 ? n.Operator : n.Operator.WithSubgraphs([.. n.Operator.Subgraphs.Select(g => g.Clone(graph, map))]);
            var node = AddNode(op, [.. n.Inputs.Select(v => v is null ? null : map.GetValueOrDefault(v, v))], n.Outputs.Count);
            (node.Origins, node.Annotation) = (n.Origins, n.Annotation);
            for (var i = 0; i < n.Outputs.Count; i++) map[n.Outputs[i]] = node.Outputs[i];
        }
        return [.. subgraph.Outputs.Select(o => map.GetValueOrDefault(o, o))];
    }

    /// <summary>
    /// True when a value can take over all uses of another: an output of the graph keeps its name only if a node of its own makes it, so an input, a constant
    /// or another output cannot stand in for one.
    /// </summary>
    public static bool CanReplace(Value old, Value replacement) =>
        old.OutputUses == 0 || (replacement.Producer is not null && replacement.OutputUses == 0 && replacement.Graph == old.Graph);

    /// <summary>Has every use of a value taken over by another.</summary>
    public Patch Replace(Value old, Value replacement)
    {
        replaced.Add((old, replacement));
        return this;
    }

    /// <summary>Has the outputs of a node that somebody uses taken over by what subgraphs gave for them, through a node of its own where a value may not stand for the output itself.</summary>
    /// <param name="node">The node.</param>
    /// <param name="result">What takes the place of an output, by its index.</param>
    /// <returns>False when nobody uses the node, or when a result says less of an output than the node does; the patch is discarded then.</returns>
    public bool ReplaceOutputs(Node node, Func<int, Value> result)
    {
        var taken = new HashSet<Value>();
        for (var i = 0; i < node.Outputs.Count; i++)
        {
            var old = node.Outputs[i];
            if (old.IsUnused) continue;
            var value = result(i);
            var isFirst = taken.Add(value);
            if (old.OutputUses > 0 && (!isFirst || !CanReplace(old, value))) value = Add(new Identity(), value);
            if (!Fits(old.Type, value.Type))
            {
                Discard();
                return false;
            }
            Replace(old, value);
        }
        if (taken.Count == 0) Discard();
        return taken.Count > 0;
    }

    private static bool Fits(GraphType? old, GraphType? result) => (old, result) switch
    {
        (TensorType a, TensorType b) => a.DType == b.DType && (a.Shape is null || a.Shape.Rank == b.Shape?.Rank),
        _ => old is not null && old.Equals(result),
    };

    /// <summary>Has a node removed whose outputs nobody uses, and what only it used.</summary>
    public Patch Remove(Node node)
    {
        dropped.Add(node);
        return this;
    }

    /// <summary>Takes the new nodes out again.</summary>
    public void Discard()
    {
        if (done) return;
        done = true;
        foreach (var n in Enumerable.Reverse(added)) graph.Forget(n);
        foreach (var c in constants) Graph.DropUnusedConstant(c);
    }

    /// <summary>Puts the new nodes into the graph, redirects the uses, and removes what nobody uses any more.</summary>
    /// <returns>The nodes that went away.</returns>
    /// <exception cref="InvalidGraphException">A replacement has another type than what it replaces.</exception>
    public IReadOnlyList<Node> Apply()
    {
        if (done) throw new InvalidOperationException("the patch is already applied or discarded");
        foreach (var (old, replacement) in replaced) Check(old, replacement);
        done = true;
        graph.InsertAt(Place(), added);
        List<Node> replacedNodes = [], replacements = [];
        foreach (var (old, replacement) in replaced)
        {
            if (old.Producer is { } o) replacedNodes.Add(o);
            if (replacement.Producer is { } n && n.Graph == graph) replacements.Add(n);
        }
        foreach (var (old, replacement) in replaced) Refinement.Solve(old, replacement);
        var refined = new List<Value>();
        foreach (var (old, replacement) in replaced)
            if (Refinement.Adopt(old, replacement)) refined.Add(replacement);
        foreach (var (old, replacement) in replaced) graph.ReplaceUses(old, replacement);
        foreach (var (old, _) in replaced) Graph.DropUnusedConstant(old);
        var removed = graph.RemoveUnused(replacedNodes.Concat(dropped), released);
        foreach (var c in constants) Graph.DropUnusedConstant(c);
        Name(removed, replacedNodes.Count > 0 ? replacedNodes[0] : null);
        if (!graph.IsOrdered(added.Concat(replacements))) graph.Sort();
        foreach (var value in refined) Refinement.Spread(value);
        return removed;
    }

    /// <summary>Before the first node that goes, but after all that the new nodes read.</summary>
    private int Place()
    {
        int? first = null;
        var behind = 0;
        foreach (var (old, _) in replaced)
            if (old.Producer is { } p && p.Graph == graph && graph.IndexOf(p) is var at && !(first < at)) first = at;
        foreach (var node in added)
            foreach (var input in node.Inputs)
                if (input?.Producer is { } p && p.Graph == graph && !added.Contains(p)) behind = Math.Max(behind, graph.IndexOf(p) + 1);
        return Math.Max(first ?? 0, behind);
    }

    /// <summary>New nodes come from where the removed ones came from, and the last one is called like the node that it stands in for.</summary>
    private void Name(IReadOnlyList<Node> removed, Node? root)
    {
        var origins = removed.SelectMany(n => n.Origins).Distinct(StringComparer.Ordinal).ToArray();
        for (var i = 0; i < added.Count; i++)
        {
            if (added[i].Origins.IsEmpty) added[i].Origins = [.. origins];
            if (root is not null && !named && removed.Contains(root)) added[i].Name = i == added.Count - 1 ? root.Name : $"{root.Name}/{added[i].Operator.Name}";
        }
    }

    private static void Check(Value old, Value replacement)
    {
        if (!CanReplace(old, replacement)) throw new InvalidGraphException($"a patch replaces the graph output {old} by {replacement}, which no node of its own makes");
        if (old.Type is null || replacement.Type is null) return;
        var fits = old.Type is TensorType a && replacement.Type is TensorType b
            ? a.DType == b.DType && (a.Shape is null || b.Shape is null || a.Shape.Rank == b.Shape.Rank)
            : old.Type.Equals(replacement.Type);
        if (!fits) throw new InvalidGraphException($"a patch replaces {old} by {replacement}: the types differ");
    }
}
