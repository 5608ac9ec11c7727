using AiOptix.Tensors;

namespace AiOptix.Graphs.Ops;

/// <summary>Runs a subgraph.</summary>
/// <param name="graph">Its index.</param>
/// <param name="inputs">A value for each of its inputs; they stay the caller's.</param>
/// <returns>Its outputs, which the caller owns.</returns>
public delegate IReadOnlyList<RuntimeValue> SubgraphRunner(int graph, ReadOnlySpan<RuntimeValue> inputs);

/// <summary>What a control-flow operator sees when it runs: its inputs, and a way to run its subgraphs.</summary>
/// <param name="Node">The node's name for messages.</param>
/// <param name="Inputs">A value for each input; null where it is left out. They stay the caller's.</param>
/// <param name="RunSubgraph">Runs a subgraph.</param>
/// <param name="Limits">Bounds on memory and loops.</param>
/// <param name="Cancellation">Ends it early.</param>
public sealed record ControlFlowRun(string Node, IReadOnlyList<RuntimeValue?> Inputs, SubgraphRunner RunSubgraph, Limits Limits, CancellationToken Cancellation)
{
    /// <summary>A tensor input.</summary>
    public Tensor Tensor(int input) => Inputs[input] as Tensor ?? throw Error($"input {input} must be a tensor");

    /// <summary>Keeps a value to be stacked with others.</summary>
    /// <returns>The bytes that are held now.</returns>
    internal long Keep(RuntimeValue value, List<Tensor> stack, long held)
    {
        if (value is not Tensor t) throw Error($"only tensors can be stacked, found {value}");
        stack.Add(t);
        return Limits.Charge(held, t, $"node {Node}");
    }

    /// <summary>An error that names the node.</summary>
    public InvalidInputException Error(string message) => new($"node {Node}: {message}");
}

/// <summary>
/// An operator that runs subgraphs: If, Loop, Scan. What it does is written once, in <see cref="Run"/>; the reference evaluation runs the subgraphs by their own
/// reference evaluation, a compiled program by programs of their own.
/// </summary>
public abstract record ControlFlow : Operator
{
    /// <summary>Runs the operator.</summary>
    /// <returns>Its outputs, which the caller owns.</returns>
    public abstract IReadOnlyList<RuntimeValue> Run(ControlFlowRun run);

    /// <inheritdoc/>
    public override bool IsPure => Subgraphs.All(g => g.Nodes.All(n => n.Operator.IsPure));

    /// <inheritdoc/>
    public sealed override void Evaluate(EvaluationContext context)
    {
        var inputs = Enumerable.Range(0, context.InputCount).Select(i => context.Has(i) ? context.Value(i) : null).ToArray();
        var outputs = Run(new(context.Node.ToString(), inputs, (graph, values) => ReferenceEvaluator.Run(Subgraphs[graph], values.ToArray(), context.Limits, context.OuterScope, context.Cancellation),
            context.Limits, context.Cancellation));
        for (var i = 0; i < outputs.Count; i++) context.Set(i, outputs[i]);
    }

    /// <summary>The symbols that mean the same outside of a subgraph as inside: those of what it captures.</summary>
    protected static HashSet<string> SharedSymbols(Graph graph) =>
        graph.Captures().SelectMany(v => (v.Shape?.Symbols ?? []).Concat(v.Elements?.SelectMany(e => e.Symbols) ?? [])).ToHashSet(StringComparer.Ordinal);

    /// <summary>The type of a value that is either of two; extents that differ, or that are not among those shared, become fresh.</summary>
    /// <param name="context">The node's.</param>
    /// <param name="a">One type; null when it is not known.</param>
    /// <param name="b">The other.</param>
    /// <param name="shared">The symbols that may stay; null keeps all.</param>
    /// <param name="what">The value, for messages.</param>
    /// <exception cref="InvalidGraphException">The kinds or element types differ.</exception>
    protected static GraphType? Join(InferenceContext context, GraphType? a, GraphType? b, IReadOnlySet<string>? shared, string what)
    {
        if (a is null || b is null) return (a ?? b) is { } known ? Join(context, known, known, shared, what) : null;
        return (a, b) switch
        {
            (TensorType x, TensorType y) when x.DType == y.DType => new TensorType(x.DType, Join(context, x.Shape, y.Shape, shared)),
            (SequenceType x, SequenceType y) => new SequenceType(Join(context, x.Element, y.Element, shared, what)!),
            (OptionalType x, OptionalType y) => new OptionalType(Join(context, x.Element, y.Element, shared, what)!),
            (OptionalType x, var y) => new OptionalType(Join(context, x.Element, y, shared, what)!),
            (var x, OptionalType y) => new OptionalType(Join(context, x, y.Element, shared, what)!),
            (MapType x, MapType y) when x == y => x,
            _ => throw context.Error($"{what} would be {a} or {b}; it must have one type"),
        };
    }

    private static SymbolicShape? Join(InferenceContext context, SymbolicShape? a, SymbolicShape? b, IReadOnlySet<string>? shared)
    {
        if (a is null || b is null || a.Rank != b.Rank) return null;
        return new([.. a.Zip(b, (x, y) => x.Equals(y) && (shared is null || x.Symbols.All(shared.Contains)) ? x : context.Fresh())]);
    }
}
