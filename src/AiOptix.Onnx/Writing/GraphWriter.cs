using AiOptix.Graphs;
using AiOptix.Tensors;

namespace AiOptix.Onnx;

/// <summary>Turns a graph or subgraph into <c>GraphProto</c>. Values keep their names, unless a name of a graph around would be hidden.</summary>
internal sealed class GraphWriter
{
    private readonly ModelWriter model;
    private readonly GraphWriter? outer;
    private readonly Graph graph;
    private readonly Proto.GraphProto proto = new();
    private readonly Dictionary<Value, string> names = [];
    private readonly Dictionary<string, DType> types = new(StringComparer.Ordinal);
    private readonly HashSet<string> taken = new(StringComparer.Ordinal);
    private readonly List<(Tensor Tensor, string Name)> added = [];
    private readonly HashSet<string> nodeNames = new(StringComparer.Ordinal);
    private readonly AttributeEncoder attributes;

    public GraphWriter(ModelWriter model, Graph graph, GraphWriter? outer)
    {
        this.model = model;
        this.outer = outer;
        this.graph = graph;
        attributes = new(model.Tensors, g => new GraphWriter(model, g, this).Write());
        foreach (var v in graph.Values.Values)
        {
            var name = outer is not null && outer.Hides(v.Name) ? model.Unique(v.Name) : v.Name;
            names[v] = name;
            types[name] = v.DType;
            taken.Add(name);
        }
    }

    /// <summary>The message.</summary>
    public Proto.GraphProto Write()
    {
        proto.Name = graph.Name;
        Annotations.Put(graph.Annotation, proto);
        foreach (var i in graph.Inputs) proto.Input.Add(Info(i, NameOf(i)));
        foreach (var n in graph.Nodes.Where(model.Stands)) WriteNode(n);
        WriteOutputs();
        foreach (var c in graph.Constants)
            if (model.Referenced.Contains(NameOf(c))) proto.Initializer.Add(Annotations.Put(c.Annotation, model.Tensors.EncodeInitializer(c.Constant!, NameOf(c))));
        foreach (var (tensor, name) in added) proto.Initializer.Add(model.Tensors.EncodeInitializer(tensor, name));
        return proto;
    }

    /// <summary>The name of a value, of this graph or one around it.</summary>
    public string NameOf(Value value) => names.TryGetValue(value, out var name) ? name : outer?.NameOf(value) ?? value.Name;

    /// <summary>Which operators the file may use.</summary>
    public OnnxDialect Dialect => model.Dialect;

    /// <summary>A name that nothing in the model has.</summary>
    public string Unique(string wanted) => model.Unique(wanted);

    /// <summary>Adds a node that the writer knows, and has the model's opset rise where the operator takes its types only from a later version on.</summary>
    /// <exception cref="UnsupportedModelException">No version of the operator takes its types.</exception>
    public void Add(FileNode node)
    {
        if (node.Domain.Length == 0)
        {
            DType[] inputs = [.. node.Inputs.Select(TypeOf)];
            model.Require(node, inputs, [.. node.Outputs.Select(TypeOf)]);
            var made = OperatorTypes.Outputs(node.OpType, model.Opset, inputs, node.Outputs.Length);
            for (var i = 0; i < made.Length; i++) types.TryAdd(node.Outputs[i], made[i]);
        }
        else model.Import(node.Domain);
        AddAsIs(node);
    }

    private DType TypeOf(string name) => types.TryGetValue(name, out var type) ? type : outer?.TypeOf(name) ?? DType.Undefined;

    private void AddAsIs(FileNode node)
    {
        var n = new Proto.NodeProto { OpType = node.OpType };
        if (node.Name.Length > 0) n.Name = UniqueNodeName(node.Name);
        if (node.Domain.Length > 0) n.Domain = node.Domain;
        n.Input.AddRange(node.Inputs);
        model.Referenced.UnionWith(node.Inputs);
        n.Output.AddRange(node.Outputs);
        foreach (var (name, value) in node.Attributes) n.Attribute.Add(attributes.Encode(name, value));
        proto.Node.Add(n);
    }

    /// <summary>Readers refuse two nodes of one name, and one node of the graph may become several in the file.</summary>
    private string UniqueNodeName(string wanted)
    {
        var name = wanted;
        for (var i = 1; !nodeNames.Add(name); i++) name = $"{wanted}.{i}";
        return name;
    }

    /// <summary>Adds an initializer and gives its name.</summary>
    public string AddConstant(Tensor tensor, string wanted)
    {
        var name = Unique(wanted);
        added.Add((tensor, name));
        types[name] = tensor.DType;
        return name;
    }

    private bool Hides(string name) => taken.Contains(name) || (outer?.Hides(name) ?? false);

    private static Proto.ValueInfoProto Info(Value value, string name) => Annotations.Put(value.Annotation, TypeEncoder.Encode(name, value.Type));

    private void WriteNode(Node node)
    {
        var before = proto.Node.Count;
        if (node.Operator is ForeignOperator foreign)
        {
            AddAsIs(new FileNode(foreign.OpType, foreign.Domain, node.Name, [.. node.Inputs.Select(i => i is null ? "" : NameOf(i))], [.. node.Outputs.Select(NameOf)],
                [.. foreign.Attributes.Select(a => (a.Key, a.Value))]));
        }
        else
        {
            var row = OnnxRegistry.Find(node.Operator.GetType())!;
            row.Write!(new NodeWriter(node, row, model.Opset, this), node.Operator);
        }
        // Of several nodes in the file, the one that makes the first output stands for the graph's.
        if (!node.Annotation.IsEmpty && node.Outputs.Count > 0 && proto.Node.Skip(before).LastOrDefault(n => n.Output.Contains(NameOf(node.Output))) is { } main) Annotations.Put(node.Annotation, main);
        var inferred = node.Operator.IsKnown && node.Inputs.All(i => i is not { Type: null });
        foreach (var o in node.Outputs)
            if (inferred ? !o.Annotation.IsEmpty && !graph.Outputs.Contains(o) : o.Type is not null) proto.ValueInfo.Add(Info(o, NameOf(o)));
    }

    /// <summary>A subgraph may not hand out a value of a graph around it, nor one value twice: such an output gets a node of its own.</summary>
    private void WriteOutputs()
    {
        var seen = new HashSet<Value>();
        foreach (var o in graph.Outputs)
        {
            var name = NameOf(o);
            if (o.Graph != graph || !seen.Add(o))
            {
                var copy = Unique(name);
                Add(new FileNode("Identity", "", "", [name], [copy], []));
                name = copy;
            }
            proto.Output.Add(Info(o, name));
            model.Referenced.Add(name);
        }
    }
}
