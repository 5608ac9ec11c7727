using System.Collections.Immutable;

namespace AiOptix.Graphs;

/// <summary>One application of an operator. Optional inputs that are left out are null; every output exists.</summary>
public sealed class Node
{
    private readonly Value?[] inputs;
    private readonly Value[] outputs;

    internal Node(Graph graph, string name, Operator op, ReadOnlySpan<Value?> inputs, int outputCount)
    {
        Graph = graph;
        Name = name;
        Operator = op;
        this.inputs = inputs.ToArray();
        outputs = new Value[outputCount];
    }

    /// <summary>The graph that it belongs to.</summary>
    public Graph Graph { get; }

    /// <summary>The name, for messages and profiles.</summary>
    public string Name { get; internal set; }

    /// <summary>What it computes.</summary>
    public Operator Operator { get; }

    /// <summary>What it reads; null where an optional input is left out.</summary>
    public IReadOnlyList<Value?> Inputs => inputs;

    /// <summary>What it makes.</summary>
    public IReadOnlyList<Value> Outputs => outputs;

    /// <summary>
    /// Why its rule refuses its inputs, when it stands in a subgraph: such a branch may be there for other inputs and never run, so only running the node
    /// is an error. Its outputs have no type. Null for any other node.
    /// </summary>
    public string? Contradiction { get; internal set; }

    /// <summary>The floating-point operations of nodes together; null when none of them tells, or when they are more than a number holds.</summary>
    public static Dim? FlopsOf(IEnumerable<Node> nodes)
    {
        try
        {
            return nodes.Aggregate((Dim?)null, (sum, n) => n.Operator.Flops(n) is { } f ? f + (sum ?? Dim.Zero) : sum);
        }
        catch (OverflowException)
        {
            return null;
        }
    }

    /// <summary>The names of the file's nodes that it came from.</summary>
    public ImmutableArray<string> Origins { get; internal set; } = [];

    /// <summary>What is noted on it.</summary>
    public Annotation Annotation { get; set; } = Annotation.None;

    internal Value[] OutputArray => outputs;

    /// <summary>Where it stands in its graph: nodes that come later have larger numbers. Only a node that is in a graph's list has one.</summary>
    internal long Position { get; set; } = long.MinValue;

    /// <summary>Says which node of the file it came from.</summary>
    public void SetOrigin(string name) => Origins = [name];

    /// <summary>The first output.</summary>
    public Value Output => outputs[0];

    /// <summary>An input, or null when it is left out or not there.</summary>
    public Value? Input(int index) => index < inputs.Length ? inputs[index] : null;

    internal void SetInput(int index, Value? value)
    {
        inputs[index]?.RemoveUser(this);
        inputs[index] = value;
        value?.AddUser(this);
    }

    /// <summary><c>Conv 'conv1'</c></summary>
    public override string ToString() => $"{Operator.Name} '{Name}'";
}
