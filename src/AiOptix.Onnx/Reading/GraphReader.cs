using System.Runtime.CompilerServices;
using AiOptix.Graphs;
using AiOptix.Tensors;

namespace AiOptix.Onnx;

/// <summary>Turns a parsed model into a graph.</summary>
internal sealed class GraphReader
{
    private readonly Proto.ModelProto model;
    private readonly OnnxReadOptions options;
    private readonly TensorDecoder tensors;
    private readonly AttributeReader attributes;
    private readonly FunctionLibrary functions;
    private readonly CustomOperators custom;
    private readonly NodeOrder order = new();
    private readonly Dictionary<string, long> opsets;
    private readonly List<string> unread = [];
    private long nodes;

    /// <exception cref="UnsupportedModelException">A version is not supported.</exception>
    public GraphReader(ModelSource source, Proto.ModelProto model, OnnxReadOptions options)
    {
        OnnxVersions.CheckIr(model.IrVersion);
        this.model = model;
        this.options = options;
        opsets = OnnxVersions.Imports(model.OpsetImport);
        functions = new(model);
        tensors = new(source);
        attributes = new(tensors, ReadSubgraph);
        custom = new(options.Operators);
    }

    /// <summary>Reads the main graph.</summary>
    public Graph Read()
    {
        var proto = model.Graph ?? throw new ModelFormatException("the model has no graph");
        var graph = new Graph(proto.Name);
        foreach (var name in DeclaredSymbols.Of(proto)) graph.ReserveSymbol(name);
        var scope = new ReadScope(graph);
        ReadGraph(proto, scope, []);
        if (unread.Count > 0) throw new UnsupportedModelException($"attributes that are not supported: {string.Join("; ", unread)}");
        graph.RemoveUnusedConstants();
        graph.Metadata = new(model.IrVersion, opsets, model.ProducerName, Annotations.Properties(model.MetadataProps))
        {
            Documentation = model.DocString, Domain = model.Domain, ModelVersion = model.ModelVersion,
        };
        return graph;
    }

    private Graph ReadSubgraph(Proto.GraphProto proto, ReadScope around, IReadOnlyList<GraphType?> inputTypes)
    {
        var scope = new ReadScope(new Graph(proto.Name, around.Graph), around, around.Call, around.Prefix, around.Depth + 1);
        CheckDepth(scope, $"graph '{proto.Name}'");
        ReadGraph(proto, scope, inputTypes);
        return scope.Graph;
    }

    private void ReadGraph(Proto.GraphProto proto, ReadScope scope, IReadOnlyList<GraphType?> inputTypes)
    {
        foreach (var v in proto.ValueInfo.Concat(proto.Output))
            if (v.Type is not null) scope.Declared.TryAdd(v.Name, v.Type);
        ReadInitializers(proto, scope);
        ReadInputs(proto, scope, inputTypes);
        var list = WithoutOverwritten(proto.Node);
        foreach (var name in list.SelectMany(n => n.Output).Where(o => o.Length > 0)) scope.Announce(name);
        ReadNodes(list, scope);
        ReadOutputs(proto, scope);
        scope.Graph.Annotation = Annotations.Of(proto);
        foreach (var v in proto.Input.Concat(proto.ValueInfo).Concat(proto.Output))
            if (Annotations.Of(v) is { IsEmpty: false } noted && scope.TryFind(v.Name, out var value) && value is not null && value.Graph == scope.Graph) value.Annotation = noted;
    }

    /// <summary>
    /// Some exporters write a <c>Constant</c> node anew under the same name instead of replacing it. No valid file does; the last one is what they mean, and what other readers take.
    /// </summary>
    private static Proto.NodeProto[] WithoutOverwritten(IReadOnlyList<Proto.NodeProto> nodes)
    {
        var last = new Dictionary<string, Proto.NodeProto>(StringComparer.Ordinal);
        foreach (var n in nodes.Where(IsConstant)) last[n.Output[0]] = n;
        return [.. nodes.Where(n => !IsConstant(n) || ReferenceEquals(last[n.Output[0]], n))];

        static bool IsConstant(Proto.NodeProto n) => n.OpType == "Constant" && n.Output.Count == 1 && OnnxVersions.Domain(n.Domain).Length == 0;
    }

    private void ReadInitializers(Proto.GraphProto proto, ReadScope scope)
    {
        foreach (var i in proto.Initializer)
        {
            if (i.Name.Length == 0) throw new ModelFormatException($"graph '{proto.Name}' has an initializer without a name");
            var constant = scope.Graph.AddConstant(tensors.Decode(i, $"initializer '{i.Name}'"), i.Name);
            constant.Annotation = Annotations.Of(i);
            scope.Define(i.Name, constant);
        }
        foreach (var s in proto.SparseInitializer)
        {
            var name = s.Values?.Name is { Length: > 0 } n ? n : throw new ModelFormatException($"graph '{proto.Name}' has a sparse initializer without a name");
            var what = $"sparse initializer '{name}'";
            scope.Define(name, scope.Graph.AddConstant(tensors.Densify(tensors.DecodeSparse(s, what), what), name));
        }
    }

    /// <summary>An input that is an initializer as well (all of them are, up to IR version 3) is a constant and no input of the graph.</summary>
    private static void ReadInputs(Proto.GraphProto proto, ReadScope scope, IReadOnlyList<GraphType?> otherwise)
    {
        var seen = new HashSet<string>(StringComparer.Ordinal);
        var main = scope.Graph.Parent is null;
        foreach (var i in proto.Input)
        {
            if (i.Name.Length == 0 || !seen.Add(i.Name)) throw new InvalidGraphException($"graph '{proto.Name}' has two inputs named '{i.Name}', or one without a name");
            if (scope.TryFind(i.Name, out var known) && known is { IsConstant: true } && known.Graph == scope.Graph && main) continue;
            var type = TypeDecoder.Decode(i.Type, scope.Graph, $"input '{i.Name}'") ?? otherwise.ElementAtOrDefault(scope.Graph.Inputs.Count);
            if (type is null && main) throw new InvalidGraphException($"input '{i.Name}' has no type");
            scope.Define(i.Name, scope.Graph.AddInput(scope.Graph.Unique(i.Name), type));
        }
    }

    private void ReadOutputs(Proto.GraphProto proto, ReadScope scope)
    {
        var seen = new HashSet<string>(StringComparer.Ordinal);
        var main = scope.Graph.Parent is null;
        foreach (var o in proto.Output)
        {
            if (main && !seen.Add(o.Name)) throw new InvalidGraphException($"graph '{proto.Name}' has two outputs named '{o.Name}'");
            if (!scope.TryFind(o.Name, out var value) || value is null) throw new InvalidGraphException($"graph '{proto.Name}': nothing makes the output '{o.Name}'");
            // A branch or body may hand out a value of a graph around it, or one value twice: such an output becomes a value of its own.
            var name = main ? o.Name : value.Graph != scope.Graph || scope.Graph.Outputs.Contains(value) ? scope.Graph.Unique(o.Name) : value.Name;
            scope.Graph.AddOutput(value.Name != name ? Renamed(value, name, scope) : value);
        }
    }

    /// <summary>An output that is another name of some value: a value of its own, so that the name lasts.</summary>
    private Value Renamed(Value value, string name, ReadScope scope)
    {
        var bound = new Value?[1];
        Translate(new Proto.NodeProto { OpType = "Identity" }, [value], [name], scope, bound, $"output '{name}'");
        return bound[0]!;
    }

    private void ReadNodes(IReadOnlyList<Proto.NodeProto> list, ReadScope scope)
    {
        foreach (var n in order.Sort(list, scope.Graph.Name)) ReadNode(n, scope);
    }

    private void ReadNode(Proto.NodeProto node, ReadScope scope)
    {
        var what = Describe(node, scope);
        if (++nodes > options.MaxNodes) throw new LimitExceededException($"{what}: functions and subgraphs expand to more than {options.MaxNodes} nodes (OnnxReadOptions.MaxNodes)");
        var inputs = node.Input.Select(name => Resolve(name, scope, what)).ToArray();
        var bound = new Value?[node.Output.Count];
        if (functions.Enter(node, inputs, scope, what) is { } body)
        {
            CheckDepth(body, what);
            ReadNodes(body.Call!.Function.Node, body);
            for (var i = 0; i < bound.Length; i++)
                if (!body.TryFind(body.Call.Function.Output[i], out bound[i]) && node.Output[i].Length > 0)
                    throw new InvalidGraphException($"{what}: nothing in the function makes its output '{body.Call.Function.Output[i]}'");
        }
        else
        {
            string[] outputs = [.. node.Output.Select(o => o.Length > 0 ? scope.GraphName(o) : "")];
            var before = scope.Graph.Nodes.Count;
            Translate(node, inputs, outputs, scope, bound, what);
            Note(Annotations.Of(node), bound, scope.Graph, before);
        }
        for (var i = 0; i < bound.Length; i++)
        {
            if (node.Output[i].Length == 0) continue;
            if (bound[i] is { Type: null } v && scope.Declared.TryGetValue(node.Output[i], out var declared)
                && TypeDecoder.Decode(declared, scope.Graph, $"value '{node.Output[i]}'") is { } type) v.Declare(type);
            scope.Define(node.Output[i], bound[i]);
        }
    }

    /// <summary>What is noted on a node of the file goes to the graph's node that makes its first output, if one was added for it, or to the constant that it is.</summary>
    private static void Note(Annotation annotation, Value?[] bound, Graph graph, int before)
    {
        if (annotation.IsEmpty || Array.Find(bound, v => v is not null) is not { } first) return;
        if (first.Producer is { } producer && graph.Nodes.Skip(before).Contains(producer)) producer.Annotation = annotation;
        else if (first is { IsConstant: true, Annotation.IsEmpty: true }) first.Annotation = annotation;
    }

    private void Translate(Proto.NodeProto node, Value?[] inputs, string[] outputs, ReadScope scope, Value?[] bound, string what)
    {
        var domain = OnnxVersions.Domain(node.Domain);
        var opset = OpsetOf(domain, scope, what);
        var row = OnnxRegistry.Find(domain, node.OpType);
        var read = attributes.Read(node, scope, sparse: row is null && !custom.Names(domain, node.OpType), row?.BodyInputs?.Invoke(inputs, opset) ?? [], what);
        if (row is null)
        {
            ForeignOperator op = custom.Find(domain, node.OpType, opset, what) is { } definition
                ? CustomOperators.Make(definition, opset, read, what)
                : new UnknownOperator(domain, node.OpType, opset, read, GraphsOf(read));
            Guarded(() => Carry(op, inputs, outputs, NameOf(node, scope), scope.Graph, bound), what);
            return;
        }
        var reader = new NodeReader(scope.Graph, NameOf(node, scope) ?? "", domain, node.OpType, opset, read, inputs, outputs, (i, v) =>
        {
            if (i < bound.Length) bound[i] = v;
        });
        try
        {
            Guarded(() => row.Read(reader), what);
        }
        catch (AiOptixException) when (Array.Exists(inputs, i => i is { Type: null }) && Array.TrueForAll(bound, v => v is null))
        {
            Carry(new UnknownOperator(domain, node.OpType, opset, read, GraphsOf(read)), inputs, outputs, NameOf(node, scope), scope.Graph, bound);
            return;
        }
        if (reader.Unread.ToArray() is { Length: > 0 } left) unread.Add($"{what}: {string.Join(", ", left)}");
        for (var i = 0; i < bound.Length; i++)
            if (outputs[i].Length > 0 && bound[i] is null) throw new UnsupportedModelException($"{what}: its output {i} ('{outputs[i]}') is not supported");
    }

    /// <summary>Adds a node whose operator is the user's or not known, or cannot be translated because nobody knows the types of its inputs.</summary>
    private static void Carry(ForeignOperator op, Value?[] inputs, string[] outputs, string? name, Graph graph, Value?[] bound)
    {
        var added = graph.Add(op, inputs, [.. outputs.Select(o => o.Length > 0 ? o : null)], name);
        if (name is not null) added.SetOrigin(name);
        for (var i = 0; i < bound.Length; i++) bound[i] = added.Outputs[i];
    }

    private static Graph[] GraphsOf(Dictionary<string, object> attributes) =>
        [.. attributes.Values.SelectMany(v => v switch { Graph g => [g], Graph[] many => many, _ => Array.Empty<Graph>() })];

    /// <summary>Runs a rule over what an untrusted file says: whatever goes wrong becomes a typed error that names the node.</summary>
    private static void Guarded(Action rule, string what)
    {
        try
        {
            rule();
        }
        catch (AiOptixException e) when (!e.Message.Contains("node ", StringComparison.Ordinal))
        {
            throw Rewording.Prefix(e, what);
        }
        catch (Exception e) when (e is OverflowException or OutOfMemoryException)
        {
            throw new LimitExceededException($"{what}: its extents or its data exceed what a machine can hold: {e.Message}", e);
        }
        catch (Exception e) when (e is not AiOptixException)
        {
            throw new InvalidGraphException($"{what}: its inputs or attributes do not fit the operator: {e.Message}", e);
        }
    }

    private static Value? Resolve(string name, ReadScope scope, string what)
    {
        if (name.Length == 0) return null;
        return scope.TryFind(name, out var value) ? value : throw new InvalidGraphException($"{what}: nothing makes its input '{name}'");
    }

    private long OpsetOf(string domain, ReadScope scope, string what)
    {
        if (scope.Call is { } call && call.Opsets.TryGetValue(domain, out var own)) return own;
        if (opsets.TryGetValue(domain, out var version)) return version;
        return domain.Length > 0 ? 1 : throw new ModelFormatException($"{what}: the file imports no version of the default operator set");
    }

    private void CheckDepth(ReadScope scope, string what)
    {
        if (scope.Depth > options.Limits.MaxDepth || !RuntimeHelpers.TryEnsureSufficientExecutionStack())
            throw new LimitExceededException($"{what}: graphs and functions are nested more than {options.Limits.MaxDepth} deep (Limits.MaxDepth)");
    }

    private static string? NameOf(Proto.NodeProto node, ReadScope scope) => node.Name.Length > 0 ? scope.Prefix + node.Name : null;

    private static string Describe(Proto.NodeProto node, ReadScope scope)
    {
        var name = node.Name.Length > 0 ? node.Name : node.Output.FirstOrDefault(o => o.Length > 0) ?? "";
        return $"node '{scope.Prefix}{name}' ({(node.Domain.Length > 0 ? node.Domain + "::" : "")}{node.OpType})";
    }
}
