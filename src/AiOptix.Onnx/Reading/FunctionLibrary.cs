using AiOptix.Graphs;
using AiOptix.Tensors;

namespace AiOptix.Onnx;

/// <summary>
/// The model-local functions of a file. A call is replaced by the function's body: names of the body are made unique, attribute references are resolved, the body's own operator set
/// imports hold. A function that has the name of an operator takes precedence over it.
/// </summary>
internal sealed class FunctionLibrary
{
    private readonly Dictionary<(string Domain, string Name, string Overload), (Proto.FunctionProto Function, Dictionary<string, long> Opsets)> functions = [];

    /// <exception cref="ModelFormatException">A function occurs twice.</exception>
    public FunctionLibrary(Proto.ModelProto model)
    {
        foreach (var f in model.Functions)
            if (!functions.TryAdd((OnnxVersions.Domain(f.Domain), f.Name, f.Overload), (f, OnnxVersions.Imports(f.OpsetImport))))
                throw new ModelFormatException($"the function {f.Domain}::{f.Name} occurs twice");
    }

    /// <summary>Opens the scope of a call, when the node is one; null when it is not.</summary>
    /// <param name="node">The node.</param>
    /// <param name="inputs">Its inputs.</param>
    /// <param name="scope">Where it stands.</param>
    /// <param name="what">The node's name for errors.</param>
    /// <exception cref="ModelFormatException">The function calls itself, or the call does not fit it.</exception>
    public ReadScope? Enter(Proto.NodeProto node, Value?[] inputs, ReadScope scope, string what)
    {
        if (functions.Count == 0 || !functions.TryGetValue((OnnxVersions.Domain(node.Domain), node.OpType, node.Overload), out var found)) return null;
        var f = found.Function;
        for (var c = scope.Call; c is not null; c = c.Caller)
            if (ReferenceEquals(c.Function, f)) throw new ModelFormatException($"{what}: the function {f.Domain}::{f.Name} calls itself, which is not allowed");
        if (node.Input.Count > f.Input.Count || node.Output.Count > f.Output.Count)
            throw new ModelFormatException($"{what}: the function {f.Domain}::{f.Name} has {f.Input.Count} inputs and {f.Output.Count} outputs, the call {node.Input.Count} and {node.Output.Count}");
        var attributes = AttributeReader.Resolve(node, scope, what);
        foreach (var name in attributes.Keys)
            if (!f.Attribute.Contains(name) && f.AttributeProto.All(a => a.Name != name))
                throw new ModelFormatException($"{what}: the function {f.Domain}::{f.Name} has no attribute '{name}'");
        foreach (var a in f.AttributeProto) attributes.TryAdd(a.Name, (a, scope));
        var label = node.Name.Length > 0 ? node.Name : node.Output.FirstOrDefault(o => o.Length > 0) ?? node.OpType;
        var body = new ReadScope(scope.Graph, outer: null, new FunctionCall(f, attributes, found.Opsets, scope.Call), $"{scope.Prefix}{label}/", scope.Depth + 1);
        for (var i = 0; i < f.Input.Count; i++) body.Define(f.Input[i], i < inputs.Length ? inputs[i] : null);
        foreach (var v in f.ValueInfo)
            if (v.Type is not null) body.Declared.TryAdd(v.Name, v.Type);
        Announce(node, f, scope, body);
        return body;
    }

    private static void Announce(Proto.NodeProto node, Proto.FunctionProto f, ReadScope scope, ReadScope body)
    {
        var outputs = new Dictionary<string, string>(StringComparer.Ordinal);
        for (var i = 0; i < node.Output.Count; i++)
            if (node.Output[i].Length > 0) outputs.TryAdd(f.Output[i], scope.GraphName(node.Output[i]));
        foreach (var name in f.Node.SelectMany(n => n.Output).Where(o => o.Length > 0)) body.Announce(name, outputs.GetValueOrDefault(name));
    }
}
