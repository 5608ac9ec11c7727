using AiOptix.Graphs;
using AiOptix.Graphs.Ops;
using AiOptix.Tensors;

namespace AiOptix.Cpu.Layout;

/// <summary>The rewrite of one node to channels last: reads its inputs with their channels last, and turns what it makes back for users that are not rewritten.</summary>
internal sealed class LayoutPatch(Node node)
{
    private readonly Patch patch = new(node.Graph, $"{node} with channels last");

    /// <summary>The node.</summary>
    public Node Node => node;

    /// <summary>What a value is made from when it is another with its channels moved from last to first; otherwise null.</summary>
    public static Value? Source(Value? value) =>
        value is { Producer: { Operator: Transpose t } p, Shape.Rank: >= 3 and var rank } && t.PermutationOf(rank).AsSpan().SequenceEqual(Permutation.ToFirst(rank)) ? p.Inputs[0] : null;

    /// <summary>A value with its channels last: where it came from, or a reorder.</summary>
    public Value Last(Value value) => Source(value) ?? Turned(value, Permutation.ToLast(value.Shape!.Rank));

    /// <summary>A value with its axes in another order; one reorder serves all its users.</summary>
    public Value Turned(Value value, int[] permutation)
    {
        if (permutation.IsIdentity()) return value;
        var there = value.Users.FirstOrDefault(u => u.Graph == node.Graph && u.Operator is Transpose t && t.PermutationOf(permutation.Length).AsSpan().SequenceEqual(permutation));
        return there?.Output ?? Add(new Transpose([.. Array.ConvertAll(permutation, p => (long)p)]), value);
    }

    /// <summary>Adds a node.</summary>
    public Value Add(Operator op, params ReadOnlySpan<Value?> inputs) => AddNode(op, inputs, 1).Output;

    /// <summary>Adds a node with more than one output.</summary>
    public Node AddNode(Operator op, ReadOnlySpan<Value?> inputs, int outputs) => patch.AddNode(op, inputs, outputs, node);

    /// <summary>A constant vector of integers.</summary>
    public Value Integers(params ReadOnlySpan<long> values) => patch.Constant(Tensor.Vector(values));

    /// <summary>The node's operator over the same inputs, but the first with its channels last.</summary>
    public bool Wrap()
    {
        var shape = node.Output.Shape!;
        var type = new TensorType(node.Output.DType, new(Permutation.ToLast(shape.Rank).Select(a => shape[a])));
        return Give(Add(new ChannelsLast(node.Operator, type), [Last(node.Inputs[0]!), .. node.Inputs.Skip(1)]));
    }

    /// <summary>Has a value with channels last stand for the node's output.</summary>
    public bool Give(Value last) => Give(node.Output, last);

    /// <summary>Has a value with channels last stand for one of the node's outputs.</summary>
    public bool Give(Value output, Value last) => Replace(output, Turned(last, Permutation.ToFirst(last.Shape!.Rank)));

    /// <summary>Has a value stand for one of the node's outputs as it is.</summary>
    public bool Replace(Value output, Value by)
    {
        patch.Replace(output, Patch.CanReplace(output, by) ? by : Add(new Identity(), by));
        return true;
    }

    /// <summary>Puts the rewrite into the graph.</summary>
    public void Apply() => patch.Apply();

    /// <summary>Takes the rewrite back.</summary>
    public void Discard() => patch.Discard();
}
