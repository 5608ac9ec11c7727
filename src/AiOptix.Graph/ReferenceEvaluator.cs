using AiOptix.Tensors;

namespace AiOptix.Graphs;

/// <summary>The values that are alive while a graph is evaluated; a subgraph's scope sees those around it.</summary>
public sealed class Scope
{
    private readonly Dictionary<Value, RuntimeValue> values = [];

    /// <summary>Creates a scope inside another.</summary>
    public Scope(Scope? outer = null) => Outer = outer;

    /// <summary>The scope around this one.</summary>
    public Scope? Outer { get; }

    /// <summary>The value of an edge.</summary>
    public RuntimeValue? Get(Value value) =>
        value.Constant is { } c ? c : values.TryGetValue(value, out var v) ? v : Outer?.Get(value);

    /// <summary>Sets the value of an edge.</summary>
    public void Set(Value value, RuntimeValue content) => values[value] = content;

    /// <summary>Forgets an edge that nobody reads any more and frees its memory.</summary>
    public void Drop(Value value)
    {
        if (values.Remove(value, out var v)) v.Dispose();
    }
}

/// <summary>Runs a graph by the reference evaluation of its operators: slow, simple, the oracle.</summary>
public static class ReferenceEvaluator
{
    /// <summary>Evaluates a graph.</summary>
    /// <param name="graph">The graph.</param>
    /// <param name="inputs">A value for every input, by name. They stay the caller's.</param>
    /// <param name="limits">Bounds on memory and loops.</param>
    /// <param name="cancellation">Ends it early.</param>
    /// <returns>The outputs in order; the caller's to dispose of.</returns>
    /// <exception cref="UnsupportedModelException">An operator is not known; all are named.</exception>
    /// <exception cref="InvalidInputException">An input is missing, or values contradict an operator's contract.</exception>
    public static IReadOnlyList<RuntimeValue> Run(Graph graph, IReadOnlyDictionary<string, RuntimeValue> inputs, Limits? limits = null,
        CancellationToken cancellation = default)
    {
        var unknown = graph.AllNodes.Where(n => !n.Operator.IsKnown).Select(n => n.Operator.Name).Distinct(StringComparer.Ordinal).ToArray();
        if (unknown.Length > 0) throw new UnsupportedModelException($"graph '{graph.Name}' uses operators that are not supported: {string.Join(", ", unknown)}");
        var given = new RuntimeValue[graph.Inputs.Count];
        for (var i = 0; i < given.Length; i++)
            given[i] = inputs.TryGetValue(graph.Inputs[i].Name, out var v) ? v
                : throw new InvalidInputException($"input '{graph.Inputs[i].Name}' is missing; it should be {graph.Inputs[i].Type}");
        return Run(graph, given, limits ?? Limits.Default, outer: null, cancellation);
    }

    /// <summary>Evaluates a graph or subgraph with its inputs in order.</summary>
    public static IReadOnlyList<RuntimeValue> Run(Graph graph, IReadOnlyList<RuntimeValue> inputs, Limits limits, Scope? outer, CancellationToken cancellation)
    {
        if (inputs.Count != graph.Inputs.Count) throw new InvalidInputException($"graph '{graph.Name}' takes {graph.Inputs.Count} inputs, found {inputs.Count}");
        var scope = new Scope(outer);
        for (var i = 0; i < inputs.Count; i++) scope.Set(graph.Inputs[i], inputs[i]);
        var uses = LastUses(graph);
        foreach (var node in graph.Nodes)
        {
            cancellation.ThrowIfCancellationRequested();
            var outputs = Evaluate(node, scope, limits, cancellation);
            for (var i = 0; i < outputs.Count; i++) scope.Set(node.Outputs[i], outputs[i]);
            if (uses.TryGetValue(node, out var last))
                foreach (var v in last) scope.Drop(v);
        }
        return [.. graph.Outputs.Select(o => (scope.Get(o) ?? throw new InvalidGraphException($"nothing made output '{o.Name}'")).Share())];
    }

    /// <summary>Evaluates one node with constant inputs; what constant folding calls.</summary>
    public static IReadOnlyList<RuntimeValue> Evaluate(Node node, Scope scope, Limits limits, CancellationToken cancellation)
    {
        if (node.Contradiction is { } why) throw new InvalidInputException(why);
        var inputs = node.Inputs.Select(i => i is null ? null : scope.Get(i) ?? throw new InvalidGraphException($"node {node}: '{i.Name}' has no value")).ToArray();
        var context = new EvaluationContext(node, inputs, limits, scope, cancellation);
        Evaluate(node, context);
        GC.KeepAlive(inputs);
        for (var i = 0; i < context.Outputs.Count; i++)
            if (!Fits(context.Outputs[i], node.Outputs[i].Type))
                throw new InvalidInputException($"node {node}: its evaluation made output {i} {context.Outputs[i]?.ToString() ?? "not at all"}; its rule says {node.Outputs[i].Type}");
        return context.Outputs!;
    }

    /// <summary>An evaluation reckons with whatever values a model and its inputs hold: what goes wrong names the node.</summary>
    private static void Evaluate(Node node, EvaluationContext context)
    {
        try
        {
            node.Operator.Evaluate(context);
        }
        catch (Exception e) when (e is OverflowException or OutOfMemoryException)
        {
            throw new LimitExceededException($"node {node}: its extents or its data exceed what a machine can hold: {e.Message}", e);
        }
        catch (Exception e) when (e is not (AiOptixException or OperationCanceledException))
        {
            throw new InvalidInputException($"node {node}: its inputs do not fit the operator: {e.Message}", e);
        }
        catch (AiOptixException e) when (!e.Message.Contains("node ", StringComparison.Ordinal))
        {
            throw Named(e, node);
        }
    }

    private static AiOptixException Named(AiOptixException e, Node node) => e switch
    {
        LimitExceededException => new LimitExceededException($"node {node}: {e.Message}", e),
        UnsupportedModelException => new UnsupportedModelException($"node {node}: {e.Message}", e),
        _ => new InvalidInputException($"node {node}: {e.Message}", e),
    };

    /// <summary>What reads a value rests on its type: element type, rank and extents that are known.</summary>
    private static bool Fits(RuntimeValue? value, GraphType? type) => (value, type) switch
    {
        (null, _) => false,
        (Tensor t, TensorType expected) => t.DType == expected.DType
            && (expected.Shape is not { } s || (s.Rank == t.Shape.Rank && s.Zip(t.Shape).All(p => p.First.Constant is not { } extent || extent == p.Second))),
        (_, TensorType) => false,
        _ => true,
    };

    private static Dictionary<Node, List<Value>> LastUses(Graph graph)
    {
        var result = new Dictionary<Node, List<Value>>();
        var seen = new HashSet<Value>();
        foreach (var o in graph.Outputs) seen.Add(o);
        foreach (var node in graph.Nodes.Reverse())
            foreach (var v in node.Inputs.Concat(node.Outputs).Concat(node.Operator.Subgraphs.SelectMany(g => g.AllNodes.SelectMany(n => n.Inputs).Concat(g.Outputs))))
                if (v is { Producer: not null } && v.Graph == graph && seen.Add(v))
                {
                    if (!result.TryGetValue(node, out var list)) result[node] = list = [];
                    list.Add(v);
                }
        return result;
    }
}
