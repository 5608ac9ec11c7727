using AiOptix.Graphs;
using AiOptix.Graphs.Ops;
using AiOptix.Tensors;

namespace AiOptix.Passes.Fold;

/// <summary>
/// Puts the iterations of a Loop one after the other when their number is known, small, and nothing in the body ends it early; scan values are stacked by a Concat. Shapes are
/// then followed through, and each iteration is optimised with what stands around it.
/// </summary>
public sealed class ShortLoops : IPass
{
    /// <summary>The most iterations.</summary>
    public const int MaxTrips = 16;

    /// <summary>The most nodes that all iterations together may have.</summary>
    public const int MaxNodes = 256;

    /// <inheritdoc/>
    public Patch? Match(Graph graph, Node node)
    {
        if (node.Operator is not Loop loop || node.Input(0).Integers() is not [var trips] || trips is < 1 or > MaxTrips) return null;
        if (!IsTrue(node.Input(1)) || !RunsOn(loop.Body) || trips * loop.Body.AllNodes.Count() > MaxNodes) return null;
        if (node.Inputs.Skip(2).Any(i => i is null) || loop.Body.Nodes.Any(n => n.Contradiction is not null)) return null;
        var patch = new Patch(graph, $"{trips} iterations");
        try
        {
            var carried = node.Inputs.Count - 2;
            var flag = patch.Constant(Tensor.Scalar(true));
            Value[] values = [.. node.Inputs.Skip(2).Select(v => v!)];
            var stacks = Enumerable.Range(0, loop.Body.Outputs.Count - 1 - carried).Select(_ => new List<Value?>()).ToArray();
            for (long i = 0; i < trips; i++)
            {
                var results = patch.Inline(loop.Body, [patch.Constant(Tensor.Scalar(i)), flag, .. values]);
                values = [.. results.Skip(1).Take(carried)];
                for (var s = 0; s < stacks.Length; s++) stacks[s].Add(results[1 + carried + s]);
            }
            return patch.ReplaceOutputs(node, i => i < carried ? values[i] : Stack(patch, stacks[i - carried])) ? patch : null;
        }
        catch (InvalidGraphException)
        {
            patch.Discard();
            return null;
        }
    }

    private static Value Stack(Patch patch, List<Value?> slices)
    {
        var axis = patch.Constant(Tensor.Vector(0L));
        return patch.Add(new Concat(0), [.. slices.Select(s => patch.Add(new Unsqueeze(), s, axis))]);
    }

    /// <summary>True when the condition that the body gives is always true: a constant, or the one that it was given.</summary>
    private static bool RunsOn(Graph body)
    {
        var condition = body.Outputs[0];
        while (condition.Producer is { Operator: Identity } node && node.Graph == body) condition = node.Inputs[0]!;
        return condition == body.Inputs[1] || IsTrue(condition);
    }

    private static bool IsTrue(Value? condition) => condition is null || condition.Constant is { DType: DType.Bool, Count: 1 } t && t.Bytes[0] != 0;
}
