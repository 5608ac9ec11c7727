using AiOptix.Tensors;

namespace AiOptix.Graphs;

/// <summary>An edge of a graph: a graph input, a constant, or one output of a node. Names are unique in a graph.</summary>
public sealed class Value
{
    private readonly List<Node> users = [];

    internal Value(Graph graph, string name, GraphType? type, Tensor? constant = null)
    {
        Graph = graph;
        Name = name;
        Type = type;
        Constant = constant;
    }

    /// <summary>The graph that it belongs to; nodes of its subgraphs may use it too.</summary>
    public Graph Graph { get; }

    /// <summary>The name.</summary>
    public string Name { get; internal set; }

    /// <summary>The type; null behind an operator that is not known.</summary>
    public GraphType? Type { get; internal set; }

    /// <summary>The tensor of a constant, otherwise null. Never written to.</summary>
    public Tensor? Constant { get; }

    /// <summary>The node that makes it; null for inputs and constants.</summary>
    public Node? Producer { get; internal set; }

    /// <summary>Which output of <see cref="Producer"/> it is.</summary>
    public int OutputIndex { get; internal set; }

    /// <summary>The elements of an integer scalar or vector as far as shape inference knows them, otherwise null. Follows a shape through its arithmetic.</summary>
    public IReadOnlyList<Dim>? Elements { get; internal set; }

    /// <summary>What is noted on it.</summary>
    public Annotation Annotation { get; set; } = Annotation.None;

    /// <summary>The nodes that read it, in this graph and its subgraphs; one entry for each time they do.</summary>
    public IReadOnlyList<Node> Users => users;

    /// <summary>How often it is an output of a graph (its own, or a subgraph that hands it through).</summary>
    public int OutputUses { get; internal set; }

    /// <summary>True when nobody reads it.</summary>
    public bool IsUnused => users.Count == 0 && OutputUses == 0;

    /// <summary>True for a constant.</summary>
    public bool IsConstant => Constant is not null;

    /// <summary>The type as a tensor type, or null.</summary>
    public TensorType? TensorType => Type as TensorType;

    /// <summary>The symbolic shape when it is a tensor of known rank.</summary>
    public SymbolicShape? Shape => TensorType?.Shape;

    /// <summary>The element type; <see cref="DType.Undefined"/> when it is not a tensor or not known.</summary>
    public DType DType => TensorType?.DType ?? DType.Undefined;

    /// <summary>The only node that reads it, when that is its only use; otherwise null.</summary>
    public Node? SoleUser => users.Count == 1 && OutputUses == 0 ? users[0] : null;

    /// <summary>Gives a type to a value that no rule gives one: an output of an operator that is not known, or behind one.</summary>
    /// <exception cref="InvalidOperationException">It has one already.</exception>
    public void Declare(GraphType type) => Type = Type is null ? type : throw new InvalidOperationException($"{this} has a type already");

    internal void AddUser(Node node) => users.Add(node);

    internal void RemoveUser(Node node) => users.Remove(node);

    /// <inheritdoc/>
    public override string ToString() => $"{Name}: {Type?.ToString() ?? "?"}";
}
