using AiOptix.Graphs;
using AiOptix.Graphs.Ops;
using AiOptix.Tensors;

namespace AiOptix.Zoo;

/// <summary>
/// A named part of a model, nested as in the program that the model is exported from: gives weights (<c>layer1.0.conv1.weight</c>) and nodes
/// (<c>/layer1/layer1.0/conv1/Conv</c>) the names that the exporter would.
/// </summary>
internal sealed class Module
{
    private readonly Builder builder;
    private readonly string parameters;
    private readonly string nodes;

    public Module(Builder builder, string parameters, string nodes)
    {
        this.builder = builder;
        this.parameters = parameters;
        this.nodes = nodes;
    }

    /// <summary>A part of this part.</summary>
    public Module this[string name] => new(builder, Path(name), $"{nodes}/{name}");

    /// <summary>An item of this part, which is a sequence and runs its items itself.</summary>
    public Module this[int item] => new(builder, FormattableString.Invariant($"{parameters}.{item}"), FormattableString.Invariant($"{nodes}/{Last}.{item}"));

    /// <summary>An item of a plain list of parts; the list does not run and so is not named on the way to a node.</summary>
    public Module ListItem(string list, int item) => this[FormattableString.Invariant($"{list}.{item}")];

    /// <summary>Adds a node with one output.</summary>
    public Value Add(Operator op, params ReadOnlySpan<Value?> inputs) => builder.Add(nodes, op, inputs);

    /// <summary>Adds a node whose output is an output of the model when <paramref name="name"/> is given.</summary>
    public Value Output(string? name, Operator op, params ReadOnlySpan<Value?> inputs) => builder.Add(nodes, op, inputs, name);

    /// <summary>Adds a node with several outputs.</summary>
    public IReadOnlyList<Value> AddMany(Operator op, int outputs, params ReadOnlySpan<Value?> inputs) => builder.AddMany(nodes, op, outputs, inputs);

    /// <summary>Cuts a value into pieces of these extents along an axis.</summary>
    public IReadOnlyList<Value> Split(Value x, int axis, params long[] extents) => AddMany(new Split(axis), extents.Length, x, Integers(extents));

    /// <summary>Adds a node whose output is one of the model's, behind those that are not added this way.</summary>
    public Value LastOutput(string name, Operator op, params ReadOnlySpan<Value?> inputs) => builder.AddLastOutput(nodes, op, name, inputs);

    /// <summary>A trained weight, close to normal.</summary>
    public Value Weight(string name, Shape shape, double deviation, double mean = 0) =>
        Weight(name, builder.Options.IsBlank ? Tensor.Allocate(DType.Float32, shape, zeroed: true) : new Draw(builder.Options.Seed, Path(name)).Normal(shape, mean, deviation));

    /// <summary>A trained weight with this content.</summary>
    public Value Weight(string name, Tensor content) => builder.Graph.AddConstant(content, Path(name));

    /// <summary>A number that the program holds.</summary>
    public Value Number(float value) => builder.Constant(FormattableString.Invariant($"/Constant_{value:R}"), () => Tensor.Scalar(value));

    /// <summary>An integer that the program holds.</summary>
    public Value Integer(long value) => builder.Constant(FormattableString.Invariant($"/Constant_i{value}"), () => Tensor.Scalar(value));

    /// <summary>A vector of integers that the program holds.</summary>
    public Value Integers(params long[] values) => builder.Constant($"/Constant_[{string.Join(',', values)}]", () => Tensor.Vector<long>(values));

    /// <summary>A vector of numbers that the program holds.</summary>
    public Value Scales(params float[] values) =>
        builder.Constant($"/Constant_({string.Join(',', values.Select(v => v.ToString("R", System.Globalization.CultureInfo.InvariantCulture)))})", () => Tensor.Vector<float>(values));

    private string Last => parameters[(parameters.LastIndexOf('.') + 1)..];

    private string Path(string name) => parameters.Length == 0 ? name : $"{parameters}.{name}";
}
