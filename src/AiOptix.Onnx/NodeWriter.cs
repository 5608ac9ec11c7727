using AiOptix.Graphs;
using AiOptix.Tensors;

namespace AiOptix.Onnx;

/// <summary>A node of a graph on its way into a file. Values are named; an empty name is an input that is left out.</summary>
internal sealed class NodeWriter
{
    private readonly OnnxOperator row;
    private readonly GraphWriter file;

    /// <param name="node">The node.</param>
    /// <param name="row">The row of the registry that writes it.</param>
    /// <param name="opset">The version of the default operator set that the file will import.</param>
    /// <param name="file">The graph of the file.</param>
    public NodeWriter(Node node, OnnxOperator row, long opset, GraphWriter file)
    {
        Node = node;
        Opset = opset;
        this.row = row;
        this.file = file;
        Inputs = [.. node.Inputs.Select(i => i is null ? "" : file.NameOf(i))];
        Outputs = [.. node.Outputs.Select(file.NameOf)];
    }

    public Node Node { get; }

    /// <summary>The version of the default operator set to write for.</summary>
    public long Opset { get; }

    /// <summary>Whether operators of ONNX Runtime may be written.</summary>
    public bool ForOnnxRuntime => file.Dialect == OnnxDialect.OnnxRuntime;

    /// <summary>True when the operator is not to be written out as several for the sake of readers that refuse it.</summary>
    public bool IsWhole => file.Dialect == OnnxDialect.Newest;

    public string[] Inputs { get; }

    public string[] Outputs { get; }

    /// <summary>Writes the node under one ONNX operator with its own inputs and outputs. Attributes that are null are left out.</summary>
    public void Emit(string opType, params ReadOnlySpan<(string Name, object? Value)> attributes) => Emit(opType, Inputs, Outputs, attributes);

    /// <summary>Writes a node of the file.</summary>
    /// <param name="opType">The operator: that of the row, in its domain, or one of the default domain.</param>
    /// <param name="inputs">Names.</param>
    /// <param name="outputs">Names.</param>
    /// <param name="attributes">Values: long, int, bool, float, string, ValueList or array of long, float or string, DType, Tensor, Graph; null is left out.</param>
    public void Emit(string opType, string[] inputs, string[] outputs, params ReadOnlySpan<(string Name, object? Value)> attributes) =>
        file.Add(new FileNode(opType, opType == row.Name ? row.Domain : "", Node.Name, inputs, outputs, [.. attributes.ToArray().Where(a => a.Value is not null).Select(a => (a.Name, a.Value!))]));

    /// <summary>Writes the node under an operator of ONNX Runtime's domain with its own inputs and outputs.</summary>
    public void EmitMicrosoft(string opType, params ReadOnlySpan<(string Name, object? Value)> attributes) => EmitMicrosoft(opType, Inputs, attributes);

    /// <summary>Writes the node under an operator of ONNX Runtime's domain with its own outputs.</summary>
    public void EmitMicrosoft(string opType, string[] inputs, params ReadOnlySpan<(string Name, object? Value)> attributes) =>
        file.Add(new FileNode(opType, Microsoft.Shorthands.Domain, Node.Name, inputs, Outputs, [.. attributes.ToArray().Where(a => a.Value is not null).Select(a => (a.Name, a.Value!))]));

    /// <summary>Writes the node under an operator of our own domain: a form that ONNX does not have, in files for our own reader.</summary>
    public void EmitOwn(string opType) => file.Add(new FileNode(opType, OnnxOperator.OwnDomain, Node.Name, Inputs, Outputs, []));

    /// <summary>Writes a node with one output of its own name and gives that name.</summary>
    public string Step(string opType, string[] inputs, params ReadOnlySpan<(string Name, object? Value)> attributes)
    {
        var name = file.Unique(Outputs[0] + ".step");
        Emit(opType, inputs, [name], attributes);
        return name;
    }

    /// <summary>Adds an initializer and gives its name.</summary>
    public string Constant(Tensor tensor) => file.AddConstant(tensor, Outputs[0] + ".const");

    /// <summary>A vector of 64-bit integers as an initializer.</summary>
    public string Constant(params ReadOnlySpan<long> values) => Constant(Tensor.Vector(values));

    /// <summary>The elements of an integer input that is a constant, for forms that hold them as an attribute.</summary>
    public long[]? Integers(int input) => Node.Input(input)?.Constant is { } t ? t.ToInt64() : null;
}

/// <summary>A node as it will stand in the file.</summary>
internal sealed record FileNode(string OpType, string Domain, string Name, string[] Inputs, string[] Outputs, IReadOnlyList<(string Name, object Value)> Attributes);
