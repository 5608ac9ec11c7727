using AiOptix.Tensors;

namespace AiOptix.Graphs;

/// <summary>What a type and shape rule sees of its node, and where it puts its results.</summary>
public sealed class InferenceContext
{
    internal InferenceContext(Node node) => Node = node;

    /// <summary>The node.</summary>
    public Node Node { get; }

    /// <summary>How many inputs are listed, left-out ones included.</summary>
    public int InputCount => Node.Inputs.Count;

    /// <summary>How many outputs there are.</summary>
    public int OutputCount => Node.Outputs.Count;

    /// <summary>True when the input is there.</summary>
    public bool Has(int input) => Node.Input(input) is not null;

    /// <summary>The type of an input that must be a tensor.</summary>
    /// <exception cref="InvalidGraphException">It is missing or no tensor.</exception>
    public TensorType Tensor(int input) => Node.Input(input) switch
    {
        null => throw Error($"input {input} is required"),
        { Type: TensorType t } => t,
        { } v => throw Error($"input {input} ('{v.Name}') must be a tensor, found {v.Type}"),
    };

    /// <summary>The type of an input of any kind.</summary>
    /// <exception cref="InvalidGraphException">It is missing.</exception>
    public GraphType Type(int input) => Node.Input(input)?.Type ?? throw Error($"input {input} is required");

    /// <summary>The element type of a tensor input.</summary>
    public DType DType(int input) => Tensor(input).DType;

    /// <summary>The shape of a tensor input; null when the rank is unknown.</summary>
    public SymbolicShape? Shape(int input) => Tensor(input).Shape;

    /// <summary>The tensor of a constant input, otherwise null.</summary>
    public Tensor? Constant(int input) => Node.Input(input)?.Constant;

    /// <summary>The elements of an integer scalar or vector as far as they are known: from a constant, or followed from shapes.</summary>
    public IReadOnlyList<Dim>? Elements(int input) => Node.Input(input)?.Elements;

    /// <summary>The elements of an integer input when every one is a known number.</summary>
    public long[]? Integers(int input) =>
        Elements(input) is { } e && e.All(d => d.IsConstant) ? Queries.Each(e.Count, i => e[i].Constant!.Value) : null;

    /// <summary>Sets the type of an output.</summary>
    public void Set(int output, GraphType type)
    {
        if (output >= OutputCount) return;
        Node.Outputs[output].Type = type is TensorType { Shape: { } shape } t && shape.Any(d => !d.IsConstant)
            ? t with { Shape = new([.. shape.Select(Node.Graph.Bounded)]) }
            : type;
    }

    /// <summary>Sets an output to a tensor; a null shape means unknown rank.</summary>
    public void Set(int output, DType type, SymbolicShape? shape) => Set(output, new TensorType(type, shape));

    /// <summary>Says what the elements of an integer output are. Only short scalars and vectors are followed.</summary>
    public void SetElements(int output, IReadOnlyList<Dim>? elements)
    {
        if (output < OutputCount && elements is { Count: <= Graph.MaxFollowedElements })
            Node.Outputs[output].Elements = [.. elements.Select(Node.Graph.Bounded)];
    }

    /// <summary>
    /// Records that two extents must be equal in every run. Rules call it where they rest on it and the extents are not known yet; a binding refuses shapes
    /// that break it, so that no kernel ever reads past a buffer.
    /// </summary>
    public void AssumeEqual(Dim a, Dim b, string what)
    {
        if (!a.Equals(b)) Node.Graph.AddConstraint(new(a, b, $"node {Node}: {what}"));
    }

    /// <summary>An extent that only a run can tell.</summary>
    public Dim Fresh() => Node.Graph.FreshSymbol();

    /// <summary>A shape of fresh extents.</summary>
    public SymbolicShape FreshShape(int rank) => new(Queries.Each(rank, _ => Fresh()));

    /// <summary>Checks the element type of an input.</summary>
    /// <exception cref="InvalidGraphException">It is not allowed.</exception>
    public DType Require(int input, Func<DType, bool> allowed, string expected)
    {
        var t = DType(input);
        return allowed(t) ? t : throw Error($"input {input} ('{Node.Input(input)!.Name}') has type {t.Name()}; expected {expected}");
    }

    /// <summary>Checks that two inputs have the same element type.</summary>
    /// <exception cref="InvalidGraphException">They have not.</exception>
    public DType RequireSame(int a, int b)
    {
        var t = DType(a);
        return DType(b) == t ? t : throw Error($"inputs {a} and {b} must have the same type, found {t.Name()} and {DType(b).Name()}");
    }

    /// <summary>Checks the rank of an input if it is known.</summary>
    /// <exception cref="InvalidGraphException">It differs.</exception>
    public void RequireRank(int input, int rank)
    {
        if (Shape(input) is { } s && s.Rank != rank) throw Error($"input {input} ('{Node.Input(input)!.Name}') has shape {s}; expected rank {rank}");
    }

    /// <summary>Brings an axis into 0..rank-1.</summary>
    /// <exception cref="InvalidGraphException">It is out of range.</exception>
    public int Axis(long axis, int rank) =>
        axis >= -rank && axis < rank ? (int)(axis < 0 ? axis + rank : axis) : throw Error($"axis {axis} is out of range for rank {rank}");

    /// <summary>An error that names the node.</summary>
    public InvalidGraphException Error(string message) => new($"node {Node}: {message}");
}
