using AiOptix.Graphs;
using AiOptix.Tensors;
using Type = AiOptix.Onnx.Proto.AttributeProto.Types.AttributeType;

namespace AiOptix.Onnx;

/// <summary>
/// Decodes the attributes of nodes: long, float, string, Tensor, Graph, GraphType and arrays of them; bytes that are no text stay <c>byte[]</c>. A sparse tensor becomes a dense one,
/// and stays a <see cref="SparseTensor"/> for an operator that is only carried along. References to attributes of a function are resolved.
/// </summary>
internal sealed class AttributeReader(TensorDecoder tensors, Func<Proto.GraphProto, ReadScope, IReadOnlyList<GraphType?>, Graph> readGraph)
{
    /// <summary>The attributes of a node by name.</summary>
    /// <param name="node">The node.</param>
    /// <param name="scope">Where it stands.</param>
    /// <param name="sparse">True to keep sparse tensors as they are.</param>
    /// <param name="bodyInputs">Types for those inputs of a subgraph that declare none.</param>
    /// <param name="what">The node's name for errors.</param>
    public Dictionary<string, object> Read(Proto.NodeProto node, ReadScope scope, bool sparse, IReadOnlyList<GraphType?> bodyInputs, string what)
    {
        var read = new Dictionary<string, object>(StringComparer.Ordinal);
        foreach (var (name, (attribute, owner)) in Resolve(node, scope, what))
            read.Add(name, Decode(attribute, owner, sparse, bodyInputs, $"attribute '{name}' of {what}"));
        return read;
    }

    /// <summary>The attributes of a node with references to a function's attributes followed; one that the function's caller left out is left out.</summary>
    /// <exception cref="ModelFormatException">A name occurs twice, or a reference stands outside of a function.</exception>
    public static Dictionary<string, (Proto.AttributeProto Proto, ReadScope Scope)> Resolve(Proto.NodeProto node, ReadScope scope, string what)
    {
        var resolved = new Dictionary<string, (Proto.AttributeProto, ReadScope)>(StringComparer.Ordinal);
        foreach (var a in node.Attribute)
        {
            var target = (a, scope);
            if (a.RefAttrName.Length > 0)
            {
                var call = scope.Call ?? throw new ModelFormatException($"attribute '{a.Name}' of {what} refers to the attribute '{a.RefAttrName}' of a function, but stands outside of one");
                if (!call.Attributes.TryGetValue(a.RefAttrName, out target)) continue;
            }
            if (!resolved.TryAdd(a.Name, target)) throw new ModelFormatException($"{what} has two attributes named '{a.Name}'");
        }
        return resolved;
    }

    private object Decode(Proto.AttributeProto a, ReadScope scope, bool sparse, IReadOnlyList<GraphType?> bodyInputs, string what) => TypeOf(a) switch
    {
        Type.Float => a.F,
        Type.Int => a.I,
        Type.String => Text(a.S.ToByteArray()),
        Type.Tensor => tensors.Decode(Present(a.T, what), what),
        Type.Graph => readGraph(Present(a.G, what), scope, bodyInputs),
        Type.SparseTensor => Sparse(Present(a.SparseTensor, what), sparse, what),
        Type.TypeProto => Present(TypeDecoder.Decode(a.Tp, scope.Graph, what), what),
        Type.Floats => a.Floats.ToArray(),
        Type.Ints => a.Ints.ToArray(),
        Type.Strings => Texts([.. a.Strings.Select(s => s.ToByteArray())]),
        Type.Tensors => a.Tensors.Select(t => tensors.Decode(t, what)).ToArray(),
        Type.Graphs => a.Graphs.Select(g => readGraph(g, scope, bodyInputs)).ToArray(),
        Type.SparseTensors => a.SparseTensors.Select(s => Sparse(s, sparse, what)).ToArray(),
        Type.TypeProtos => a.TypeProtos.Select(t => Present(TypeDecoder.Decode(t, scope.Graph, what), what)).ToArray(),
        var type => throw new ModelFormatException($"{what} has no type (found {(int)type})"),
    };

    /// <summary>The type; files of the oldest writers leave it out, and then the field that is set tells.</summary>
    private static Type TypeOf(Proto.AttributeProto a) => a switch
    {
        { HasType: true, Type: not Type.Undefined } => a.Type,
        { HasF: true } => Type.Float,
        { HasI: true } => Type.Int,
        { HasS: true } => Type.String,
        { T: not null } => Type.Tensor,
        { G: not null } => Type.Graph,
        { Floats.Count: > 0 } => Type.Floats,
        { Ints.Count: > 0 } => Type.Ints,
        { Strings.Count: > 0 } => Type.Strings,
        { Tensors.Count: > 0 } => Type.Tensors,
        { Graphs.Count: > 0 } => Type.Graphs,
        _ => Type.Undefined,
    };

    private object Sparse(Proto.SparseTensorProto sparse, bool keep, string what)
    {
        var parts = tensors.DecodeSparse(sparse, what);
        return keep ? parts : tensors.Densify(parts, what);
    }

    private static object Text(byte[] bytes) => TensorDecoder.TextOf(bytes) is { } text ? text : bytes;

    private static object Texts(byte[][] bytes)
    {
        var texts = bytes.Select(b => TensorDecoder.TextOf(b)).ToArray();
        return texts.Contains(null) ? bytes : texts;
    }

    private static T Present<T>(T? content, string what) where T : class => content ?? throw new ModelFormatException($"{what} is empty");
}
