using AiOptix.Graphs;
using AiOptix.Tensors;

namespace AiOptix.Zoo;

/// <summary>A model in the making: the graph, its inputs, and the modules that hold its weights.</summary>
internal sealed class Builder
{
    private readonly Dictionary<string, int> nodeNames = new(StringComparer.Ordinal);
    private readonly Dictionary<string, Value> constants = new(StringComparer.Ordinal);

    private readonly List<Value> lastOutputs = [];

    public Builder(ZooEntry entry, ZooOptions options, IReadOnlyList<ZooInput> inputs)
    {
        Options = options;
        var properties = new Dictionary<string, string>(StringComparer.Ordinal) { ["zoo"] = entry.Name, ["seed"] = FormattableString.Invariant($"{options.Seed}") };
        Graph = new Graph("main_graph")
        {
            Metadata = new GraphMetadata(8, new Dictionary<string, long>(StringComparer.Ordinal) { [""] = entry.Opset }, "AI Optix zoo", properties),
        };
        foreach (var i in inputs) Graph.AddInput(i.Name, new TensorType(i.DType, i.Shape));
        Root = new Module(this, "", "");
    }

    public ZooOptions Options { get; }

    public Graph Graph { get; }

    /// <summary>The model itself.</summary>
    public Module Root { get; }

    public Value Input(string name) => Graph.Values[name];

    /// <summary>A constant of the exported program, not a weight: one for all that ask with the same name.</summary>
    public Value Constant(string name, Func<Tensor> make) =>
        constants.TryGetValue(name, out var v) ? v : constants[name] = Graph.AddConstant(make(), name);

    /// <summary>Adds a node whose output is one of the model's, behind those that are not added this way.</summary>
    public Value AddLastOutput(string module, Operator op, string output, ReadOnlySpan<Value?> inputs)
    {
        var value = Graph.Add(op, inputs, [output], NodeName(module, op)).Output;
        lastOutputs.Add(value);
        return value;
    }

    /// <summary>The model, with all of its outputs.</summary>
    public Graph Finish()
    {
        foreach (var o in lastOutputs) Graph.AddOutput(o);
        Graph.RemoveUnusedConstants();
        return Graph;
    }

    /// <summary>Adds a node with one output; a named output is one of the model.</summary>
    public Value Add(string module, Operator op, ReadOnlySpan<Value?> inputs, string? output = null)
    {
        var name = NodeName(module, op);
        var value = Graph.Add(op, inputs, [output ?? name + "_output_0"], name).Output;
        if (output is not null) Graph.AddOutput(value);
        return value;
    }

    /// <summary>Adds a node with several outputs.</summary>
    public IReadOnlyList<Value> AddMany(string module, Operator op, int outputs, ReadOnlySpan<Value?> inputs)
    {
        var name = NodeName(module, op);
        return Graph.Add(op, inputs, [.. Enumerable.Range(0, outputs).Select(i => FormattableString.Invariant($"{name}_output_{i}"))], name).Outputs;
    }

    /// <summary>Adds a node whose outputs are the model's.</summary>
    public void Outputs(string name, Operator op, ReadOnlySpan<string?> outputs, params ReadOnlySpan<Value?> inputs)
    {
        foreach (var o in Graph.Add(op, inputs, outputs, name).Outputs) Graph.AddOutput(o);
    }

    private string NodeName(string module, Operator op)
    {
        var name = $"{module}/{op.Name}";
        var count = nodeNames.GetValueOrDefault(name);
        nodeNames[name] = count + 1;
        return count == 0 ? name : $"{name}_{count}";
    }
}
