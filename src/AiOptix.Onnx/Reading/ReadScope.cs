using AiOptix.Graphs;
using AiOptix.Tensors;

namespace AiOptix.Onnx;

/// <summary>One call of a model-local function on its way into the graph.</summary>
/// <param name="Function">The function.</param>
/// <param name="Attributes">The attributes that its body may refer to, each with the scope that its graphs see.</param>
/// <param name="Opsets">The operator sets that the body imports.</param>
/// <param name="Caller">The call that this one stands in, or null.</param>
internal sealed record FunctionCall(Proto.FunctionProto Function, IReadOnlyDictionary<string, (Proto.AttributeProto Proto, ReadScope Scope)> Attributes,
    IReadOnlyDictionary<string, long> Opsets, FunctionCall? Caller);

/// <summary>The names that nodes of a file can see, and the values that they stand for: those of a graph, of a subgraph, or of a function's body.</summary>
internal sealed class ReadScope
{
    private readonly ReadScope? outer;
    private readonly Dictionary<string, Value?> values = new(StringComparer.Ordinal);
    private readonly Dictionary<string, string> announced = new(StringComparer.Ordinal);

    /// <summary>The scope of a main graph, of a subgraph (with <paramref name="outer"/>), or of a function's body (with <paramref name="call"/> and no outer scope).</summary>
    public ReadScope(Graph graph, ReadScope? outer = null, FunctionCall? call = null, string prefix = "", int depth = 0)
    {
        Graph = graph;
        this.outer = outer;
        Call = call;
        Prefix = prefix;
        Depth = depth;
    }

    /// <summary>The graph that nodes go into.</summary>
    public Graph Graph { get; }

    /// <summary>The function call that the scope is in, or null.</summary>
    public FunctionCall? Call { get; }

    /// <summary>What the names of a function's body get in front of them.</summary>
    public string Prefix { get; }

    /// <summary>How many graphs and functions are around it.</summary>
    public int Depth { get; }

    /// <summary>Types that the file declares, by name.</summary>
    public Dictionary<string, Proto.TypeProto> Declared { get; } = new(StringComparer.Ordinal);

    /// <summary>Looks a name up, outwards. A name may stand for nothing: a function's input that its caller left out.</summary>
    public bool TryFind(string name, out Value? value)
    {
        for (var s = this; s is not null; s = s.outer)
            if (s.values.TryGetValue(name, out value)) return true;
        value = null;
        return false;
    }

    /// <summary>Says what a name stands for.</summary>
    /// <exception cref="InvalidGraphException">The scope has it already.</exception>
    public void Define(string name, Value? value)
    {
        if (!values.TryAdd(name, value)) throw Duplicate(name);
    }

    /// <summary>Announces a value that a node will make, so that no other takes its name in the graph.</summary>
    /// <param name="name">The name in the file.</param>
    /// <param name="graphName">The name in the graph, when that is settled already.</param>
    /// <exception cref="InvalidGraphException">The scope has the name already.</exception>
    public void Announce(string name, string? graphName = null)
    {
        if (values.ContainsKey(name) || announced.ContainsKey(name)) throw Duplicate(name);
        announced[name] = graphName ?? Graph.Unique(Prefix + name);
        Graph.Reserve(announced[name]);
    }

    /// <summary>The name that an announced value has in the graph.</summary>
    public string GraphName(string name) => announced[name];

    private InvalidGraphException Duplicate(string name) => new($"graph '{Graph.Name}' has two values named '{Prefix}{name}'; names must be unique");
}
