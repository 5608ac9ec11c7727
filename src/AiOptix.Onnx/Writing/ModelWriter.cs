using AiOptix.Graphs;
using AiOptix.Onnx.Microsoft;
using AiOptix.Tensors;

namespace AiOptix.Onnx;

/// <summary>Turns a graph into <c>ModelProto</c>: chooses the versions, then writes the graphs.</summary>
internal sealed class ModelWriter
{
    private readonly Graph graph;
    private readonly HashSet<string> names;
    private readonly Dictionary<string, long> opsets;
    private long needed;
    private int fresh;

    /// <param name="graph">The main graph.</param>
    /// <param name="tensors">Takes the tensors.</param>
    /// <param name="atLeast">The lowest version of the default operator set that will do.</param>
    /// <param name="dialect">Which operators the file may use.</param>
    /// <exception cref="UnsupportedModelException">An operator cannot be written, or the versions that operators need do not go together.</exception>
    private ModelWriter(Graph graph, TensorEncoder tensors, long atLeast, OnnxDialect dialect)
    {
        this.graph = graph;
        Tensors = tensors;
        Dialect = dialect;
        names = new(Graphs(graph).SelectMany(g => g.Values.Keys), StringComparer.Ordinal);
        opsets = Versions(atLeast);
        needed = Opset;
    }

    /// <summary>Takes the tensors.</summary>
    public TensorEncoder Tensors { get; }

    /// <summary>Which operators the file may use.</summary>
    public OnnxDialect Dialect { get; }

    /// <summary>The names that nodes and outputs of the file refer to; a constant that became an attribute is not among them.</summary>
    public HashSet<string> Referenced { get; } = new(StringComparer.Ordinal);

    /// <summary>The version of the default operator set.</summary>
    public long Opset => opsets[""];

    /// <summary>
    /// The message of a model, for the lowest opset at or above the graph's own at which every operator exists in the form that is written and takes its element types.
    /// The form depends on the opset, so it is written anew until the opset that it needs is the one that it is written for.
    /// </summary>
    /// <param name="graph">The main graph.</param>
    /// <param name="encoder">Makes what takes the tensors.</param>
    /// <param name="dialect">Which operators the file may use.</param>
    /// <exception cref="UnsupportedModelException">An operator cannot be written, or the versions that operators need do not go together.</exception>
    public static (Proto.ModelProto Model, TensorEncoder Tensors) Encode(Graph graph, Func<TensorEncoder> encoder, OnnxDialect dialect)
    {
        for (var atLeast = dialect == OnnxDialect.Newest ? OnnxVersions.HighestOpset : 0;;)
        {
            var writer = new ModelWriter(graph, encoder(), atLeast, dialect);
            var model = writer.Write();
            if (writer.needed == writer.Opset) return (model, writer.Tensors);
            atLeast = writer.needed;
        }
    }

    /// <summary>Notes which version of the default operator set a node needs for its element types.</summary>
    /// <exception cref="UnsupportedModelException">None will do.</exception>
    public void Require(FileNode node, IReadOnlyList<DType> inputs, IReadOnlyList<DType> outputs)
    {
        var version = OperatorTypes.LowestOpset(node.OpType, Opset, inputs, outputs) ?? throw new UnsupportedModelException(
            $"node '{node.Name}' cannot be written: no version of {node.OpType} takes ({Names(inputs)}) and gives ({Names(outputs)})");
        needed = Math.Max(needed, version);

        static string Names(IReadOnlyList<DType> types) => string.Join(", ", types.Select(t => t == DType.Undefined ? "?" : t.Name()));
    }

    private Proto.ModelProto Write()
    {
        var model = new Proto.ModelProto
        {
            IrVersion = IrVersion(),
            ProducerName = "AI Optix",
            ProducerVersion = typeof(ModelWriter).Assembly.GetName().Version?.ToString(3) ?? "",
        };
        model.MetadataProps.AddRange(Annotations.Entries(graph.Metadata.Properties));
        if (graph.Metadata.Documentation.Length > 0) model.DocString = graph.Metadata.Documentation;
        if (graph.Metadata.Domain.Length > 0) model.Domain = graph.Metadata.Domain;
        if (graph.Metadata.ModelVersion != 0) model.ModelVersion = graph.Metadata.ModelVersion;
        model.Graph = new GraphWriter(this, graph, outer: null).Write();
        foreach (var (domain, version) in opsets) model.OpsetImport.Add(new Proto.OperatorSetIdProto { Domain = domain, Version = version });
        return model;
    }

    /// <summary>Has the file import the first version of a domain that it does not import yet.</summary>
    public void Import(string domain) => opsets.TryAdd(domain, 1);

    /// <summary>A name that nothing in the model has.</summary>
    public string Unique(string wanted)
    {
        var name = wanted;
        while (!names.Add(name)) name = $"{wanted}.{++fresh}";
        return name;
    }

    /// <summary>A graph and all in it.</summary>
    public static IEnumerable<Graph> Graphs(Graph graph) => graph.Nodes.SelectMany(n => n.Operator.Subgraphs).SelectMany(Graphs).Prepend(graph);

    /// <summary>Whether a node is written by itself: the dialect of ONNX Runtime has products that take stored weights without the nodes that make numbers of them.</summary>
    public bool Stands(Node node) => Dialect != OnnxDialect.OnnxRuntime || !BlockedWeights.AreMadeBy(node);

    private Dictionary<string, long> Versions(long atLeast)
    {
        var nodes = graph.AllNodes.Where(Stands).ToList();
        var missing = nodes.Where(n => n.Operator is not ForeignOperator && OnnxRegistry.Find(n.Operator.GetType())?.Write is null)
            .Select(n => n.Operator.Name).Distinct(StringComparer.Ordinal).ToArray();
        if (missing.Length > 0) throw new UnsupportedModelException($"operators that cannot be written as ONNX: {string.Join(", ", missing)}");
        var versions = new Dictionary<string, long>(graph.Metadata.Opsets, StringComparer.Ordinal);
        versions.TryAdd("", OnnxVersions.DefaultOpset);
        versions[""] = Math.Max(versions[""], atLeast);
        foreach (var node in nodes.Where(n => n.Operator is not ForeignOperator))
        {
            var row = OnnxRegistry.Find(node.Operator.GetType())!;
            versions[row.Domain] = Math.Max(versions.GetValueOrDefault(row.Domain), row.MinOpset(node));
        }
        foreach (var node in nodes.Where(n => n.Operator is ForeignOperator)) Settle(versions, node, (ForeignOperator)node.Operator);
        return versions;
    }

    /// <summary>An operator that is defined elsewhere can only be written for the version that it was read from.</summary>
    private static void Settle(Dictionary<string, long> versions, Node node, ForeignOperator op)
    {
        if (versions.TryAdd(op.Domain, op.Version) || versions[op.Domain] == op.Version) return;
        throw new UnsupportedModelException($"node {node}: the operator {op.Name} is not of this library and can only be written for version {op.Version} of its operator set"
            + $" ('{op.Domain}'), but the rest of the graph needs version {versions[op.Domain]}");
    }

    private long IrVersion()
    {
        var values = Graphs(graph).SelectMany(g => g.Values.Values).Select(v => OnnxVersions.IrOf(v.DType)).DefaultIfEmpty(0).Max();
        var noted = Graphs(graph).SelectMany(g => g.Values.Values.Select(v => v.Annotation).Concat(g.Nodes.Select(n => n.Annotation)).Append(g.Annotation)).Any(a => a.Properties.Count > 0);
        return new[] { graph.Metadata.IrVersion, values, OnnxVersions.IrOf(Opset), noted ? OnnxVersions.PropertiesIr : 0 }.Max();
    }
}
