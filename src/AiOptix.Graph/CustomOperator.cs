using AiOptix.Tensors;

namespace AiOptix.Graphs;

/// <summary>
/// An operator of the user's own: what files call it, its shape rule and its evaluation. Give it to the loading of a model (<c>LoadOptions.Operators</c>); it runs as a step of
/// managed code, is written back as it was read, and what goes wrong in it is reported with its name and the node's.
/// </summary>
public sealed class OperatorDefinition
{
    /// <summary>Defines an operator.</summary>
    /// <param name="domain">The domain of its operator set, as files import it.</param>
    /// <param name="name">Its name.</param>
    public OperatorDefinition(string domain, string name)
    {
        ArgumentException.ThrowIfNullOrEmpty(name);
        ArgumentNullException.ThrowIfNull(domain);
        (Domain, Name) = (domain == "ai.onnx" ? "" : domain, name);
    }

    /// <summary>The domain; empty for the default one.</summary>
    public string Domain { get; }

    /// <summary>The name.</summary>
    public string Name { get; }

    /// <summary>The first version of the operator set in which it has this form.</summary>
    public long FirstVersion { get; init; } = 1;

    /// <summary>The last such version.</summary>
    public long LastVersion { get; init; } = long.MaxValue;

    /// <summary>False when two runs over the same inputs may differ, or a run has an effect: such nodes are neither evaluated beforehand nor merged.</summary>
    public bool IsPure { get; init; } = true;

    /// <summary>The shape rule: sets the type of every output from those of the inputs (<see cref="Operator.Infer"/>).</summary>
    public required Action<InferenceContext, OperatorAttributes> Infer { get; init; }

    /// <summary>The evaluation: sets every output, of the type that the rule gave it (<see cref="Operator.Evaluate"/>). May be called from several threads at once.</summary>
    public required Action<EvaluationContext, OperatorAttributes> Evaluate { get; init; }
}

/// <summary>A user's operator in a graph.</summary>
/// <param name="Definition">What it is.</param>
/// <param name="Version">The version of the operator set that the file imports.</param>
/// <param name="Attributes">The attributes, by name: long, float, string, Tensor, GraphType and arrays of them.</param>
public sealed record CustomOperator(OperatorDefinition Definition, long Version, IReadOnlyDictionary<string, object> Attributes)
    : ForeignOperator(Definition.Domain, Definition.Name, Version, Attributes)
{
    /// <inheritdoc/>
    public override bool IsPure => Definition.IsPure;

    /// <inheritdoc/>
    public override void Infer(InferenceContext context)
    {
        Guarded(() => Definition.Infer(context, new(this)), "shape rule", context.Node, (message, e) => new InvalidGraphException(message, e));
        for (var i = 0; i < context.OutputCount; i++)
            if (context.Node.Outputs[i].Type is null) throw context.Error($"the shape rule gives output {i} no type");
    }

    /// <inheritdoc/>
    public override void Evaluate(EvaluationContext context) =>
        Guarded(() => Definition.Evaluate(context, new(this)), "evaluation", context.Node, (message, e) => new InvalidInputException(message, e));

    private static void Guarded(Action call, string what, Node node, Func<string, Exception, AiOptixException> error)
    {
        try
        {
            call();
        }
        catch (Exception e) when (e is not (OperationCanceledException or LimitExceededException) && !(e is AiOptixException && e.Message.Contains(node.ToString(), StringComparison.Ordinal)))
        {
            throw error($"node {node}: its {what} failed: {e.Message}", e);
        }
    }
}

/// <summary>The attributes of a user's operator.</summary>
public readonly struct OperatorAttributes
{
    private readonly CustomOperator op;

    internal OperatorAttributes(CustomOperator op) => this.op = op;

    /// <summary>True when the attribute is there.</summary>
    public bool Has(string name) => op.Attributes.ContainsKey(name);

    /// <summary>An integer.</summary>
    /// <exception cref="InvalidGraphException">It is something else.</exception>
    public long Int(string name, long otherwise) => Find(name, "an integer", otherwise);

    /// <summary>A number.</summary>
    /// <exception cref="InvalidGraphException">It is something else.</exception>
    public float Float(string name, float otherwise) => Find(name, "a float", otherwise);

    /// <summary>A text.</summary>
    /// <exception cref="InvalidGraphException">It is something else.</exception>
    public string String(string name, string otherwise) => Find(name, "a string", otherwise);

    /// <summary>A list of integers; empty when it is left out.</summary>
    /// <exception cref="InvalidGraphException">It is something else.</exception>
    public IReadOnlyList<long> Ints(string name) => Find<long[]>(name, "a list of integers", []);

    /// <summary>A list of numbers; empty when it is left out.</summary>
    /// <exception cref="InvalidGraphException">It is something else.</exception>
    public IReadOnlyList<float> Floats(string name) => Find<float[]>(name, "a list of floats", []);

    /// <summary>A list of texts; empty when it is left out.</summary>
    /// <exception cref="InvalidGraphException">It is something else.</exception>
    public IReadOnlyList<string> Strings(string name) => Find<string[]>(name, "a list of strings", []);

    /// <summary>A tensor, not to be written to; null when it is left out.</summary>
    /// <exception cref="InvalidGraphException">It is something else.</exception>
    public Tensor? Tensor(string name) => Find<Tensor?>(name, "a tensor", null);

    private T Find<T>(string name, string expected, T otherwise) => !op.Attributes.TryGetValue(name, out var value) ? otherwise
        : value is T found ? found : throw new InvalidGraphException($"operator {op.Name}: attribute '{name}' must be {expected}, found {value.GetType().Name}");
}
