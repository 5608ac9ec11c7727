using AiOptix.Tensors;

namespace AiOptix.Graphs;

/// <summary>What a reference evaluation sees of its node, and where it puts its results. It keeps every tensor it hands out alive until the node is done.</summary>
public sealed class EvaluationContext
{
    private readonly RuntimeValue?[] inputs;
    private readonly RuntimeValue?[] outputs;

    /// <summary>Creates a context for one evaluation of a node.</summary>
    public EvaluationContext(Node node, RuntimeValue?[] inputs, Limits limits, Scope? scope = null, CancellationToken cancellation = default)
    {
        Node = node;
        this.inputs = inputs;
        outputs = new RuntimeValue?[node.Outputs.Count];
        Limits = limits;
        Cancellation = cancellation;
        OuterScope = scope;
    }

    /// <summary>The node.</summary>
    public Node Node { get; }

    /// <summary>The bounds that every allocation is held against.</summary>
    public Limits Limits { get; }

    /// <summary>Ends a long evaluation.</summary>
    public CancellationToken Cancellation { get; }

    /// <summary>The values that subgraphs may capture.</summary>
    public Scope? OuterScope { get; }

    /// <summary>How many inputs are listed, left-out ones included.</summary>
    public int InputCount => inputs.Length;

    /// <summary>How many outputs there are.</summary>
    public int OutputCount => outputs.Length;

    /// <summary>The results; all set once the evaluation is done.</summary>
    public IReadOnlyList<RuntimeValue?> Outputs => outputs;

    /// <summary>True when the input is there.</summary>
    public bool Has(int input) => input < inputs.Length && inputs[input] is not null;

    /// <summary>A tensor input.</summary>
    /// <exception cref="InvalidInputException">It is missing or no tensor.</exception>
    public Tensor Input(int input) => OptionalInput(input) ?? throw Error($"input {input} is required");

    /// <summary>A tensor input, or null when it is left out.</summary>
    public Tensor? OptionalInput(int input) => !Has(input) ? null : inputs[input] as Tensor ?? throw Error($"input {input} must be a tensor");

    /// <summary>An input of any kind.</summary>
    public RuntimeValue Value(int input) => Has(input) ? inputs[input]! : throw Error($"input {input} is required");

    /// <summary>Makes the tensor of an output, with undefined content. An output that nobody asked for is made all the same and dropped.</summary>
    /// <exception cref="LimitExceededException">It is larger than <see cref="Limits"/> allow.</exception>
    public Tensor Allocate(int output, DType type, Shape shape, bool zeroed = false)
    {
        Limits.CheckTensor(type, shape, $"output {output} of node {Node}");
        var t = Tensors.Tensor.Allocate(type, shape, zeroed);
        Set(output, t);
        return t;
    }

    /// <summary>Sets an output.</summary>
    public void Set(int output, RuntimeValue value)
    {
        if (output < outputs.Length) outputs[output] = value;
    }

    /// <summary>An error that names the node.</summary>
    public InvalidInputException Error(string message) => new($"node {Node}: {message}");
}
