namespace AiOptix.Graphs;

/// <summary>
/// What a node computes: attributes, type and shape rule, and reference evaluation together. Operators are immutable and have value equality
/// (records whose list attributes are <see cref="ValueList{T}"/>), so that equal nodes can be merged. They follow the newest form of their ONNX
/// operator; the Onnx room translates older ones.
/// </summary>
public abstract record Operator
{
    /// <summary>The operator's name; that of the ONNX operator where there is one.</summary>
    public virtual string Name => GetType().Name;

    /// <summary>False when two runs may differ (random operators) or the run has an effect: such nodes are neither folded nor merged.</summary>
    public virtual bool IsPure => true;

    /// <summary>The graphs that it runs (branches, loop bodies).</summary>
    public virtual IReadOnlyList<Graph> Subgraphs => [];

    /// <summary>The same operator with other graphs in place of <see cref="Subgraphs"/>, in the same order; an operator that has subgraphs overrides it.</summary>
    public virtual Operator WithSubgraphs(IReadOnlyList<Graph> subgraphs) =>
        Subgraphs.Count == 0 ? this : throw new InvalidOperationException($"{Name} holds subgraphs but does not say how to replace them");

    /// <summary>True when it can be inferred and evaluated. An operator of a file that nobody knows is carried along, printed and written back only.</summary>
    public virtual bool IsKnown => true;

    /// <summary>
    /// The type and shape rule: sets the type of every output. Called when all inputs that are there have a type. A shape that cannot be told before a run
    /// takes a fresh symbol an axis; a rank that cannot be told gives a null shape.
    /// </summary>
    /// <exception cref="Tensors.InvalidGraphException">Inputs contradict the operator's contract.</exception>
    public abstract void Infer(InferenceContext context);

    /// <summary>
    /// The reference evaluation: the oracle of every test and the only constant folder. Right for every type and shape that <see cref="Infer"/> accepts;
    /// float32 and narrower sums are accumulated in float64. Sets every output.
    /// </summary>
    /// <exception cref="Tensors.InvalidInputException">Values contradict the operator's contract (an index out of range, say).</exception>
    public abstract void Evaluate(EvaluationContext context);

    /// <summary>
    /// Writes a node of this operator in more basic operators, where the result is as exact as a kernel of its own would be: integers to the bit, and NaN, infinities and
    /// empty tensors as in <see cref="Evaluate"/> (but for what an infinity does in a transform that mixes all elements). A backend does so with operators that it has no kernel for.
    /// </summary>
    /// <param name="to">The node, and where the operators go. Every output that is used must be set.</param>
    /// <returns>False where it is not composed, with these types and attributes.</returns>
    public virtual bool Compose(Composition to) => false;

    /// <summary>Floating-point operations of one application, multiply and add counted apart; null when not told by shapes.</summary>
    public virtual Dim? Flops(Node node) => null;
}
