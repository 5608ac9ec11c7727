using AiOptix.Graphs;
using AiOptix.Tensors;

namespace AiOptix.Onnx;

/// <summary>A node of a file on its way into a graph: attributes, inputs, and where the outputs go.</summary>
internal sealed class NodeReader
{
    private readonly IReadOnlyDictionary<string, object> attributes;
    private readonly HashSet<string> read = new(StringComparer.Ordinal);
    private readonly Value?[] inputs;
    private readonly string[] outputs;
    private readonly Action<int, Value> bind;

    /// <param name="graph">The graph that nodes are added to.</param>
    /// <param name="name">The node's name.</param>
    /// <param name="domain">The operator's domain.</param>
    /// <param name="opType">The operator's name.</param>
    /// <param name="opset">The version of the domain that the file imports.</param>
    /// <param name="attributes">Decoded attributes: long, float, string, long[], float[], string[], Tensor, Graph, Graph[] or GraphType.</param>
    /// <param name="inputs">The inputs, null where left out.</param>
    /// <param name="outputs">The outputs' names in the graph, reserved there; empty where left out.</param>
    /// <param name="bind">Tells the caller which value an output became.</param>
    public NodeReader(Graph graph, string name, string domain, string opType, long opset, IReadOnlyDictionary<string, object> attributes, Value?[] inputs,
        string[] outputs, Action<int, Value> bind)
    {
        Graph = graph;
        Name = name;
        Domain = domain;
        OpType = opType;
        Opset = opset;
        this.attributes = attributes;
        this.inputs = inputs;
        this.outputs = outputs;
        this.bind = bind;
    }

    public Graph Graph { get; }

    public string Name { get; }

    public string Domain { get; }

    public string OpType { get; }

    /// <summary>The version of the node's domain that the file imports.</summary>
    public long Opset { get; }

    public int InputCount => inputs.Length;

    public int OutputCount => outputs.Length;

    public Value? Input(int index) => index < inputs.Length ? inputs[index] : null;

    public Value Required(int index) => Input(index) ?? throw Error($"input {index} is required");

    /// <summary>All inputs from an index on.</summary>
    public Value?[] InputsFrom(int index) => inputs[Math.Min(index, inputs.Length)..];

    public bool HasOutput(int index) => (uint)index < outputs.Length && outputs[index].Length > 0;

    public bool Has(string attribute) => Find(attribute) is not null;

    public long Int(string attribute, long otherwise) => Find(attribute) is { } v ? As<long>(attribute, v) : otherwise;

    public long? OptionalInt(string attribute) => Find(attribute) is { } v ? As<long>(attribute, v) : null;

    public bool Bool(string attribute, bool otherwise) => Int(attribute, otherwise ? 1 : 0) != 0;

    public float Float(string attribute, float otherwise) => Find(attribute) is { } v ? As<float>(attribute, v) : otherwise;

    public float? OptionalFloat(string attribute) => Find(attribute) is { } v ? As<float>(attribute, v) : null;

    public string String(string attribute, string otherwise) => Find(attribute) is { } v ? As<string>(attribute, v) : otherwise;

    public string? OptionalString(string attribute) => Find(attribute) is { } v ? As<string>(attribute, v) : null;

    public ValueList<long> Ints(string attribute) => new(RequiredInts(attribute));

    public long[] RequiredInts(string attribute) => OptionalInts(attribute) ?? throw Error($"attribute '{attribute}' is required");

    public long[]? OptionalInts(string attribute) => Find(attribute) is { } v ? As<long[]>(attribute, v) : null;

    public float[]? OptionalFloats(string attribute) => Find(attribute) is { } v ? As<float[]>(attribute, v) : null;

    public string[]? OptionalStrings(string attribute) => Find(attribute) is { } v ? As<string[]>(attribute, v) : null;

    public Tensor? OptionalTensor(string attribute) => Find(attribute) is { } v ? As<Tensor>(attribute, v) : null;

    public GraphType? OptionalType(string attribute) => Find(attribute) is { } v ? As<GraphType>(attribute, v) : null;

    /// <summary>An element type given by its number; null when it is left out or 0.</summary>
    public DType? Type(string attribute) => Int(attribute, 0) switch
    {
        0 => null,
        > 0 and <= (long)DType.Int2 and var code => (DType)code,
        var code => throw Error($"attribute '{attribute}' has the value {code}, which is no element type"),
    };

    public Tensor RequiredTensor(string attribute) => OptionalTensor(attribute) ?? throw Error($"attribute '{attribute}' is required");

    /// <summary>Real numbers given as a list of floats or as a tensor, under the name itself or with <c>_as_tensor</c> behind it; empty when there are none.</summary>
    public double[] Doubles(string attribute)
    {
        var given = Find(attribute + "_as_tensor") ?? Find(attribute);
        return given is Tensor t ? Graphs.Evaluate.ElementTypes.ToFloat64(t) : given is null ? [] : Array.ConvertAll(As<float[]>(attribute, given), v => (double)v);
    }

    public Graph Subgraph(string attribute) => Find(attribute) is { } v ? As<Graph>(attribute, v) : throw Error($"attribute '{attribute}' is required");

    /// <summary>Attributes that may be there but change nothing (of old versions, say).</summary>
    public void Ignore(params ReadOnlySpan<string> names)
    {
        foreach (var n in names) read.Add(n);
    }

    /// <summary>Adds the graph operator that makes all outputs of the node.</summary>
    public void Emit(Operator op, params ReadOnlySpan<Value?> operands)
    {
        var names = new string?[outputs.Length];
        for (var i = 0; i < names.Length; i++) names[i] = outputs[i].Length > 0 ? outputs[i] : null;
        var node = Graph.Add(op, operands, names, Name.Length > 0 ? Name : null);
        node.SetOrigin(Name.Length > 0 ? Name : $"{OpType}:{(outputs.Length > 0 ? outputs[0] : "")}");
        for (var i = 0; i < node.Outputs.Count; i++) bind(i, node.Outputs[i]);
    }

    /// <summary>Adds the graph operator that makes one output of the node, under that output's name if the node has it.</summary>
    public Value EmitOutput(int output, Operator op, params ReadOnlySpan<Value?> operands)
    {
        if (!HasOutput(output)) return Add(op, operands);
        var node = Graph.Add(op, operands, [outputs[output]], output == 0 && Name.Length > 0 ? Name : null);
        node.SetOrigin(Name.Length > 0 ? Name : OpType);
        bind(output, node.Output);
        return node.Output;
    }

    /// <summary>Adds a graph operator on the way to the node's outputs.</summary>
    public Value Add(Operator op, params ReadOnlySpan<Value?> operands) => AddAll(op, 1, operands)[0];

    /// <summary>Adds a graph operator with several outputs on the way to the node's outputs.</summary>
    public IReadOnlyList<Value> AddAll(Operator op, int count, params ReadOnlySpan<Value?> operands)
    {
        var node = Graph.Add(op, operands, new string?[count]);
        node.SetOrigin(Name.Length > 0 ? Name : OpType);
        return node.Outputs;
    }

    /// <summary>Adds a constant.</summary>
    public Value Constant(Tensor tensor) => Graph.AddConstant(tensor, outputs.Length > 0 ? outputs[0] + ".const" : null);

    /// <summary>A vector of 64-bit integers as a constant.</summary>
    public Value Constant(params ReadOnlySpan<long> values) => Constant(Tensor.Vector(values));

    /// <summary>A number of a type as a constant.</summary>
    public Value Number(float value, DType type) => Numbers([value], type, Shape.Scalar);

    /// <summary>Numbers of a type as a constant.</summary>
    public Value Numbers(ReadOnlySpan<float> values, DType type, Shape shape)
    {
        if (type is DType.Undefined or DType.String) throw Error($"a numeric input is needed, found {type.Name()}");
        var wide = new double[values.Length];
        for (var i = 0; i < wide.Length; i++) wide[i] = values[i];
        return Constant(Graphs.Evaluate.ElementTypes.From(wide, type, shape));
    }

    /// <summary>Says that the node's first output is a constant.</summary>
    public void EmitConstant(Tensor tensor)
    {
        Graph.Release(outputs[0]);
        bind(0, Graph.AddConstant(tensor, outputs[0]));
    }

    /// <summary>Says that an output of the node is a value that was added before.</summary>
    public void Bind(int output, Value value)
    {
        if (HasOutput(output)) bind(output, value);
    }

    /// <summary>Attributes of the node that no rule has looked at.</summary>
    public IEnumerable<string> Unread => attributes.Keys.Where(k => !read.Contains(k));

    public ModelFormatException Error(string message) =>
        new($"node '{(Name.Length > 0 ? Name : outputs.FirstOrDefault() ?? "")}' ({(Domain.Length > 0 ? Domain + "::" : "")}{OpType}, opset {Opset}): {message}");

    private object? Find(string attribute)
    {
        read.Add(attribute);
        return attributes.GetValueOrDefault(attribute);
    }

    private T As<T>(string attribute, object value) => value switch
    {
        T t => t,
        _ when typeof(T) == typeof(long[]) && value is float[] { Length: 0 } or string[] { Length: 0 } => (T)(object)Array.Empty<long>(),
        _ => throw Error($"attribute '{attribute}' should be {typeof(T).Name}, found {value.GetType().Name}"),
    };
}
