using AiOptix.Graphs;

namespace AiOptix.Onnx;

/// <summary>
/// A row of the registry (<see cref="OnnxRegistry"/>): one operator of an ONNX operator set, all its versions. Reading translates a file's node, of any version, into graph
/// operators in their newest form; writing goes the other way.
/// </summary>
internal sealed class OnnxOperator
{
    /// <summary>The domain of forms that ONNX does not have; only <see cref="OnnxDialect.Newest"/> writes them.</summary>
    public const string OwnDomain = "ai.optix";

    private OnnxOperator(string domain, string name, Action<NodeReader> read)
    {
        Domain = domain;
        Name = name;
        Read = read;
    }

    /// <summary>The domain; empty for <c>ai.onnx</c>.</summary>
    public string Domain { get; }

    /// <summary>The operator's name in files.</summary>
    public string Name { get; }

    /// <summary>Adds the node's graph operators to the graph and sets its outputs.</summary>
    public Action<NodeReader> Read { get; }

    /// <summary>The graph operator that <see cref="Write"/> writes; null for an operator that is only read (a former form, say).</summary>
    public Type? Writes { get; private init; }

    /// <summary>Writes a graph operator as one or more nodes of the file.</summary>
    public Action<NodeWriter, Operator>? Write { get; private init; }

    /// <summary>The lowest version of the row's operator set (the default one for a row without a name) that can hold it in the form that <see cref="Write"/> writes.</summary>
    public Func<Node, long> MinOpset { get; private init; } = _ => 1;

    /// <summary>The types that inputs of its subgraphs have where the file declares none, from the node's inputs and its version; null when the subgraphs have no inputs.</summary>
    public Func<IReadOnlyList<Value?>, long, IReadOnlyList<GraphType?>>? BodyInputs { get; private init; }

    /// <summary>An operator that is read and written.</summary>
    /// <param name="name">The name in files.</param>
    /// <param name="read">Reading.</param>
    /// <param name="write">Writing.</param>
    /// <param name="minOpset">The lowest opset whose form <paramref name="write"/> can produce for any attributes of the operator.</param>
    /// <param name="domain">The domain.</param>
    public static OnnxOperator Of<T>(string name, Action<NodeReader> read, Action<NodeWriter, T> write, long minOpset, string domain = "") where T : Operator =>
        new(domain, name, read) { Writes = typeof(T), Write = (w, op) => write(w, (T)op), MinOpset = _ => minOpset };

    /// <summary>An operator that is read and written, whose lowest opset depends on its attributes.</summary>
    public static OnnxOperator Of<T>(string name, Action<NodeReader> read, Action<NodeWriter, T> write, Func<T, long> minOpset, string domain = "") where T : Operator =>
        new(domain, name, read) { Writes = typeof(T), Write = (w, op) => write(w, (T)op), MinOpset = node => minOpset((T)node.Operator) };

    /// <summary>An operator that is read and written, whose lowest opset depends on the node: on which inputs are constants, say.</summary>
    public static OnnxOperator ByNode<T>(string name, Action<NodeReader> read, Action<NodeWriter, T> write, Func<Node, long> minOpset, string domain = "") where T : Operator =>
        new(domain, name, read) { Writes = typeof(T), Write = (w, op) => write(w, (T)op), MinOpset = minOpset };

    /// <summary>An operator with subgraphs that take inputs.</summary>
    /// <param name="row">The operator.</param>
    /// <param name="types">The types of their inputs where the file declares none, from the node's inputs and the version of its operator set.</param>
    public static OnnxOperator WithBody(OnnxOperator row, Func<IReadOnlyList<Value?>, long, IReadOnlyList<GraphType?>> types) =>
        new(row.Domain, row.Name, row.Read) { Writes = row.Writes, Write = row.Write, MinOpset = row.MinOpset, BodyInputs = types };

    /// <summary>An operator that is only read: its graph operators have other names in the newest opset.</summary>
    public static OnnxOperator ReadOnly(string name, Action<NodeReader> read, string domain = "") => new(domain, name, read);

    /// <summary>A graph operator that no operator of its own stands for in files and that is written in a decomposed form.</summary>
    public static OnnxOperator WriteOnly<T>(Action<NodeWriter, T> write, long minOpset) where T : Operator =>
        new("", "", _ => throw new InvalidOperationException("never read")) { Writes = typeof(T), Write = (w, op) => write(w, (T)op), MinOpset = _ => minOpset };
}
