using AiOptix.Graphs.Ops;
using AiOptix.Tensors;

namespace AiOptix.Graphs;

/// <summary>A node on its way into more basic operators: what <see cref="Operator.Compose"/> reads and writes.</summary>
public sealed class Composition
{
    private readonly Patch patch;
    private readonly Value?[] results;

    private Composition(Node node)
    {
        Node = node;
        patch = new(node.Graph, $"{node} in more basic operators");
        results = new Value?[node.Outputs.Count];
    }

    /// <summary>The node.</summary>
    public Node Node { get; }

    /// <summary>True when every floating-point number that goes in or comes out is a float32. Of narrower types a composition would round what lies between, and wider ones are for exactness.</summary>
    public bool IsSingle => Node.Inputs.Concat(Node.Outputs).All(v => v is null || !v.DType.IsFloat() || v.DType == DType.Float32);

    /// <summary>The node in more basic operators, as a patch to apply; null where its operator, with its types and attributes, is not composed.</summary>
    public static Patch? Of(Node node)
    {
        if (node.Contradiction is not null || node.Outputs.Count == 0 || node.Outputs.Any(o => o.Type is null) || node.Outputs.All(o => o.IsUnused)) return null;
        var composition = new Composition(node);
        if (node.Operator.Compose(composition) && composition.patch.ReplaceOutputs(node, i => composition.results[i]!)) return composition.patch;
        composition.patch.Discard();
        return null;
    }

    /// <summary>An input that is there.</summary>
    public Value this[int input] => Node.Inputs[input]!;

    /// <summary>Adds a node.</summary>
    public Value Add(Operator op, params ReadOnlySpan<Value?> inputs) => patch.Add(op, inputs);

    /// <summary>Adds a constant.</summary>
    public Value Constant(Tensor tensor) => patch.Constant(tensor);

    /// <summary>Adds a float32 scalar.</summary>
    public Value Scalar(double value) => Constant(Tensor.Scalar((float)value));

    /// <summary>Adds a vector of float32 numbers, or a scalar for one of them.</summary>
    public Value Vector(ValueList<float> values) => Constant(values.Count == 1 ? Tensor.Scalar(values[0]) : Tensor.Vector<float>(values.Span));

    /// <summary>Adds an int64 vector.</summary>
    public Value Integers(params ReadOnlySpan<long> values) => Constant(Tensor.Vector(values));

    /// <summary>Says what an output is.</summary>
    /// <returns>True.</returns>
    public bool Set(int output, Value value)
    {
        if (output < results.Length) results[output] = value;
        return true;
    }

    /// <summary>Adds a scalar of a type.</summary>
    public Value Number(double value, DType type) => Constant(Evaluate.ElementTypes.From([value], type, Shape.Scalar));
}
